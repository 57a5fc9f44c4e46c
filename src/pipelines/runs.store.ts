import { canonicalJson, type Json } from '../kernel/canonical-json.ts';
import { sqlOf, type Tx } from '../ports/db.ts';
import { matches } from '../ports/sql.ts';
import type { PipelinesTables, RunRow } from './tables.ts';
import type { Failure, PipelineRun, RunState, TriggerKind } from './types.ts';
import { tellRunChanged } from './wake.ts';

const k = (tx: Tx) => sqlOf<PipelinesTables>(tx);

/** False where the trigger's event has its run already. */
export async function insertRun(tx: Tx, run: PipelineRun): Promise<boolean> {
  const inserted = await k(tx)
    .insertInto('pipeline_run')
    .values(toRow(run))
    .onConflict((c) => c.columns(['project_id', 'pipeline', 'trigger_kind', 'trigger_key']).doNothing())
    .returning('id')
    .executeTakeFirst();
  if (inserted) tellRunChanged(tx, { projectId: run.projectId, runId: run.id });
  return inserted !== undefined;
}

export async function findRun(tx: Tx, projectId: string, id: string): Promise<PipelineRun | undefined> {
  const row = await k(tx)
    .selectFrom('pipeline_run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', '=', id)
    .executeTakeFirst();
  return row && toRun(row);
}

/** The run that answered this event. */
export async function findRunByTrigger(
  tx: Tx,
  key: { readonly projectId: string; readonly pipeline: string; readonly kind: TriggerKind; readonly key: string },
): Promise<PipelineRun | undefined> {
  const row = await k(tx)
    .selectFrom('pipeline_run')
    .selectAll()
    .where('project_id', '=', key.projectId)
    .where('pipeline', '=', key.pipeline)
    .where('trigger_kind', '=', key.kind)
    .where('trigger_key', '=', key.key)
    .executeTakeFirst();
  return row && toRun(row);
}

export async function listRunsOf(
  tx: Tx,
  filter: {
    readonly projectId: string;
    readonly pipeline?: string | undefined;
    readonly limit: number;
    readonly before?: readonly [number, string] | undefined;
  },
): Promise<PipelineRun[]> {
  let query = k(tx).selectFrom('pipeline_run').selectAll().where('project_id', '=', filter.projectId);
  if (filter.pipeline !== undefined) query = query.where('pipeline', '=', filter.pipeline);
  if (filter.before) {
    const [createdAt, id] = filter.before;
    query = query.where((e) =>
      e.or([e('created_at', '<', createdAt), e.and([e('created_at', '=', createdAt), e('id', '<', id)])]),
    );
  }
  const rows = await query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(filter.limit).execute();
  return rows.map(toRun);
}

export async function listRunsById(tx: Tx, projectId: string, ids: readonly string[]): Promise<PipelineRun[]> {
  if (ids.length === 0) return [];
  const rows = await k(tx)
    .selectFrom('pipeline_run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', 'in', ids)
    .execute();
  return rows.map(toRun);
}

/** Of every pipeline its newest run, rehearsals aside: ids sort by time. */
export async function listLatestRuns(tx: Tx, projectId: string): Promise<PipelineRun[]> {
  const newest = k(tx)
    .selectFrom('pipeline_run')
    .select((e) => e.fn.max('id').as('id'))
    .where('project_id', '=', projectId)
    .where('rehearsal', 'is', null)
    .groupBy('pipeline');
  const rows = await k(tx)
    .selectFrom('pipeline_run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('id', 'in', newest)
    .orderBy('id', 'desc')
    .execute();
  return rows.map(toRun);
}

/** Runs that are not over, oldest first; of one pipeline, or of all. */
export async function listOpenRuns(
  tx: Tx,
  of?: { readonly projectId: string; readonly pipeline: string },
): Promise<PipelineRun[]> {
  let query = k(tx).selectFrom('pipeline_run').selectAll().where('state', 'in', ['pending', 'running']);
  if (of) query = query.where('project_id', '=', of.projectId).where('pipeline', '=', of.pipeline);
  return (await query.orderBy('created_at').orderBy('id').execute()).map(toRun);
}

export interface RunChange {
  readonly state?: RunState;
  readonly summary?: string | null;
  readonly failure?: Failure | null;
  readonly model?: string;
  readonly version?: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly cancelRequested?: boolean;
}

/** Changes a run that is in one of these states; false where it is in none. */
export async function updateRun(
  tx: Tx,
  run: Pick<PipelineRun, 'projectId' | 'id'>,
  from: readonly RunState[],
  change: RunChange,
): Promise<boolean> {
  const { state, summary, failure, model, version, startedAt, finishedAt, cancelRequested } = change;
  const result = await k(tx)
    .updateTable('pipeline_run')
    .set({
      ...(state !== undefined && { state }),
      ...(summary !== undefined && { summary }),
      ...(failure !== undefined && { failure: failure === null ? null : canonicalJson(failure) }),
      ...(model !== undefined && { model }),
      ...(version !== undefined && { version }),
      ...(startedAt !== undefined && { started_at: startedAt }),
      ...(finishedAt !== undefined && { finished_at: finishedAt }),
      ...(cancelRequested !== undefined && { cancel_requested: Number(cancelRequested) }),
    })
    .where('project_id', '=', run.projectId)
    .where('id', '=', run.id)
    .where('state', 'in', [...from])
    .executeTakeFirst();
  const isChanged = Number(result.numUpdatedRows) === 1;
  if (isChanged) tellRunChanged(tx, { projectId: run.projectId, runId: run.id });
  return isChanged;
}

function toRow(run: PipelineRun): RunRow {
  return {
    project_id: run.projectId,
    id: run.id,
    pipeline: run.pipeline,
    file_digest: run.fileDigest,
    source_digest: run.sourceDigest,
    folder: run.folder,
    draft: Number(run.draft),
    trigger_kind: run.trigger.kind,
    trigger_key: run.trigger.key,
    as_of: run.trigger.asOf,
    data_mode: run.dataMode,
    params: canonicalJson(run.params),
    started_by: run.startedBy,
    rehearsal: run.rehearsal,
    state: run.state,
    summary: run.summary,
    failure: run.failure === null ? null : canonicalJson(run.failure),
    model: run.model,
    version: run.version,
    cancel_requested: Number(run.cancelRequested),
    created_at: run.createdAt,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
  };
}

function toRun(row: RunRow): PipelineRun {
  return {
    projectId: row.project_id,
    id: row.id,
    pipeline: row.pipeline,
    fileDigest: row.file_digest,
    sourceDigest: row.source_digest,
    folder: row.folder,
    draft: row.draft === 1,
    trigger: { kind: row.trigger_kind as TriggerKind, key: row.trigger_key, asOf: row.as_of },
    dataMode: row.data_mode as PipelineRun['dataMode'],
    params: JSON.parse(row.params) as Record<string, Json>,
    startedBy: row.started_by,
    rehearsal: row.rehearsal,
    state: row.state as RunState,
    summary: row.summary,
    failure: row.failure === null ? null : (JSON.parse(row.failure) as Failure),
    model: row.model,
    version: row.version,
    cancelRequested: row.cancel_requested === 1,
    createdAt: row.created_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

/** At most two runs whose id ends so. */
export async function findRunsEndingIn(tx: Tx, projectId: string, end: string): Promise<PipelineRun[]> {
  const rows = await k(tx)
    .selectFrom('pipeline_run')
    .selectAll()
    .where('project_id', '=', projectId)
    .where(({ ref }) => matches(ref('id'), `%${end.replace(/[\\%_]/g, '\\$&')}`))
    .limit(2)
    .execute();
  return rows.map(toRun);
}
