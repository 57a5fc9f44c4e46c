import { canonicalJson } from '../kernel/canonical-json.ts';
import { transition } from '../kernel/state-machine.ts';
import { sqlOf, type Tx } from '../ports/db.ts';
import { STEP_TRANSITIONS, type StepEvent } from './states.ts';
import type { PipelinesTables, StepRow } from './tables.ts';
import type { Failure, KeyPart, StepKind, StepOutputs, StepRun, StepState } from './types.ts';
import { tellRunChanged } from './wake.ts';

const k = (tx: Tx) => sqlOf<PipelinesTables>(tx);

export type StepRef = Pick<StepRun, 'projectId' | 'runId' | 'name'>;
/** Who writes must hold the fence that it read. */
export type FencedStep = Pick<StepRun, 'projectId' | 'runId' | 'name' | 'state' | 'fence'>;

export async function insertSteps(
  tx: Tx,
  steps: readonly Pick<StepRun, 'projectId' | 'runId' | 'name' | 'kind' | 'position' | 'needs'>[],
): Promise<void> {
  const rows = steps.map(
    (step): StepRow => ({
      project_id: step.projectId,
      run_id: step.runId,
      name: step.name,
      kind: step.kind,
      position: step.position,
      needs: canonicalJson(step.needs),
      state: 'pending',
      attempt: 0,
      fence: 0,
      lease_owner: null,
      lease_until: null,
      due_at: null,
      cache_key: null,
      cached_from: null,
      reason: null,
      env_digest: null,
      outputs: null,
      failure: null,
      started_at: null,
      finished_at: null,
    }),
  );
  if (rows.length > 0) await k(tx).insertInto('step_run').values(rows).execute();
}

export async function listSteps(tx: Tx, projectId: string, runId: string): Promise<StepRun[]> {
  const rows = await k(tx)
    .selectFrom('step_run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('run_id', '=', runId)
    .orderBy('position')
    .execute();
  return rows.map(toStep);
}

export async function findStep(tx: Tx, ref: StepRef): Promise<StepRun | undefined> {
  const row = await k(tx)
    .selectFrom('step_run')
    .selectAll()
    .where('project_id', '=', ref.projectId)
    .where('run_id', '=', ref.runId)
    .where('name', '=', ref.name)
    .executeTakeFirst();
  return row && toStep(row);
}

/** The steps of this name of the newest runs. */
export async function listStepsNamed(tx: Tx, projectId: string, name: string, limit: number): Promise<StepRun[]> {
  const rows = await k(tx)
    .selectFrom('step_run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .orderBy('run_id', 'desc')
    .limit(limit)
    .execute();
  return rows.map(toStep);
}

export interface StepChange {
  readonly attempt?: number;
  readonly leaseOwner?: string | null;
  readonly leaseUntil?: number | null;
  readonly dueAt?: number | null;
  readonly cacheKey?: string;
  readonly cachedFrom?: string | null;
  readonly reason?: string | null;
  readonly envDigest?: string | null;
  readonly outputs?: StepOutputs | null;
  readonly failure?: Failure | null;
  readonly startedAt?: number | null;
  readonly finishedAt?: number | null;
}

/**
 * Takes one event of the state machine; the fence rises with `lease` alone. Undefined where somebody else has the step by now
 * (its fence or state is another): the caller then leaves it alone.
 */
export async function moveStep(
  tx: Tx,
  step: FencedStep,
  event: StepEvent,
  change: StepChange = {},
): Promise<StepRun | undefined> {
  const state = transition(STEP_TRANSITIONS, 'step', step.state, event);
  const row = await k(tx)
    .updateTable('step_run')
    .set({ state, fence: event === 'lease' ? step.fence + 1 : step.fence, ...toColumns(change) })
    .where('project_id', '=', step.projectId)
    .where('run_id', '=', step.runId)
    .where('name', '=', step.name)
    .where('fence', '=', step.fence)
    .where('state', '=', step.state)
    .returningAll()
    .executeTakeFirst();
  if (row) tellRunChanged(tx, step);
  return row && toStep(row);
}

/** Writes facts of a step that its holder still holds. */
export async function noteStep(tx: Tx, step: FencedStep, change: StepChange): Promise<boolean> {
  const result = await k(tx)
    .updateTable('step_run')
    .set(toColumns(change))
    .where('project_id', '=', step.projectId)
    .where('run_id', '=', step.runId)
    .where('name', '=', step.name)
    .where('fence', '=', step.fence)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

/** Keeps the leases of this owner's running steps. */
export async function renewLeases(tx: Tx, owner: string, until: number): Promise<void> {
  await k(tx)
    .updateTable('step_run')
    .set({ lease_until: until })
    .where('lease_owner', '=', owner)
    .where('state', 'in', ['leased', 'running'])
    .execute();
}

export async function putKeyParts(tx: Tx, step: StepRef, parts: readonly KeyPart[]): Promise<void> {
  await k(tx)
    .deleteFrom('key_part')
    .where('project_id', '=', step.projectId)
    .where('run_id', '=', step.runId)
    .where('step', '=', step.name)
    .execute();
  if (parts.length === 0) return;
  const rows = parts.map(({ name, digest }) => ({
    project_id: step.projectId,
    run_id: step.runId,
    step: step.name,
    name,
    digest,
  }));
  await k(tx).insertInto('key_part').values(rows).execute();
}

export const listKeyParts = (tx: Tx, step: StepRef): Promise<KeyPart[]> =>
  k(tx)
    .selectFrom('key_part')
    .select(['name', 'digest'])
    .where('project_id', '=', step.projectId)
    .where('run_id', '=', step.runId)
    .where('step', '=', step.name)
    .orderBy('name')
    .execute();

export async function findCached(
  tx: Tx,
  projectId: string,
  cacheKey: string,
): Promise<{ readonly runId: string; readonly outputs: StepOutputs; readonly createdAt: number } | undefined> {
  const row = await k(tx)
    .selectFrom('step_cache')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('cache_key', '=', cacheKey)
    .executeTakeFirst();
  return row && { runId: row.run_id, outputs: JSON.parse(row.outputs) as StepOutputs, createdAt: row.created_at };
}

/** The first to finish wins: its outputs are what later runs get. */
export async function putCached(
  tx: Tx,
  step: StepRef,
  entry: { readonly cacheKey: string; readonly outputs: StepOutputs; readonly at: number },
): Promise<void> {
  await k(tx)
    .insertInto('step_cache')
    .values({
      project_id: step.projectId,
      cache_key: entry.cacheKey,
      run_id: step.runId,
      step: step.name,
      outputs: canonicalJson(entry.outputs),
      created_at: entry.at,
    })
    .onConflict((c) => c.columns(['project_id', 'cache_key']).doNothing())
    .execute();
}

/** Another run's step that works on the same key now: waiting for it is cheaper than doing it twice. */
export async function findTwin(tx: Tx, step: StepRun, cacheKey: string): Promise<StepRun | undefined> {
  const row = await k(tx)
    .selectFrom('step_run')
    .selectAll()
    .where('project_id', '=', step.projectId)
    .where('cache_key', '=', cacheKey)
    .where('state', 'in', ['leased', 'running'])
    .where('run_id', '!=', step.runId)
    .where('run_id', '<', step.runId)
    .orderBy('run_id')
    .executeTakeFirst();
  return row && toStep(row);
}

/** The step's last end in an earlier run of the pipeline, for the reason why it runs again. */
export async function findPrevious(tx: Tx, step: StepRef, pipeline: string): Promise<StepRun | undefined> {
  const row = await k(tx)
    .selectFrom('step_run')
    .innerJoin('pipeline_run', (join) =>
      join
        .onRef('pipeline_run.project_id', '=', 'step_run.project_id')
        .onRef('pipeline_run.id', '=', 'step_run.run_id'),
    )
    .selectAll('step_run')
    .where('step_run.project_id', '=', step.projectId)
    .where('pipeline_run.pipeline', '=', pipeline)
    .where('step_run.name', '=', step.name)
    .where('step_run.run_id', '<', step.runId)
    .where('step_run.cache_key', 'is not', null)
    .where('step_run.state', 'in', ['ok', 'cached', 'failed'])
    .orderBy('step_run.run_id', 'desc')
    .executeTakeFirst();
  return row && toStep(row);
}

function toColumns(change: StepChange): Partial<StepRow> {
  const {
    attempt,
    leaseOwner,
    leaseUntil,
    dueAt,
    cacheKey,
    cachedFrom,
    reason,
    envDigest,
    outputs,
    failure,
    startedAt,
    finishedAt,
  } = change;
  return {
    ...(attempt !== undefined && { attempt }),
    ...(leaseOwner !== undefined && { lease_owner: leaseOwner }),
    ...(leaseUntil !== undefined && { lease_until: leaseUntil }),
    ...(dueAt !== undefined && { due_at: dueAt }),
    ...(cacheKey !== undefined && { cache_key: cacheKey }),
    ...(cachedFrom !== undefined && { cached_from: cachedFrom }),
    ...(reason !== undefined && { reason }),
    ...(envDigest !== undefined && { env_digest: envDigest }),
    ...(outputs !== undefined && { outputs: outputs === null ? null : canonicalJson(outputs) }),
    ...(failure !== undefined && { failure: failure === null ? null : canonicalJson(failure) }),
    ...(startedAt !== undefined && { started_at: startedAt }),
    ...(finishedAt !== undefined && { finished_at: finishedAt }),
  };
}

function toStep(row: StepRow): StepRun {
  return {
    projectId: row.project_id,
    runId: row.run_id,
    name: row.name,
    kind: row.kind as StepKind,
    position: row.position,
    needs: JSON.parse(row.needs) as string[],
    state: row.state as StepState,
    attempt: row.attempt,
    fence: row.fence,
    leaseOwner: row.lease_owner,
    leaseUntil: row.lease_until,
    dueAt: row.due_at,
    cacheKey: row.cache_key,
    cachedFrom: row.cached_from,
    reason: row.reason,
    envDigest: row.env_digest,
    outputs: row.outputs === null ? null : (JSON.parse(row.outputs) as StepOutputs),
    failure: row.failure === null ? null : (JSON.parse(row.failure) as Failure),
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
