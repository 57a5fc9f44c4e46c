import { uuidv7 } from '../kernel/ids.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import { rootOf } from './artifact-paths.ts';
import { linkArtifactIn } from './artifacts.ts';
import { findExperimentRow } from './experiments.store.ts';
import { assertActive, createExperiment, findExperiment } from './experiments.ts';
import { ensureSeries, pointStatements, rememberRun } from './metric-ingest.ts';
import type { MetricInput } from './metric-points.ts';
import { lastPerKey } from './pairs.ts';
import { toRunSummary } from './run-load.ts';
import { nameRun } from './run-names.ts';
import { insertRun, insertRunParams, runStatements, upsertRunTags } from './runs.store.ts';
import { RUN_NAME_TAG } from './runs.ts';
import type { RunRow } from './tables.ts';
import type { Artifact, Pair, RunSummary, TrackingDeps } from './types.ts';

/** A run that is over, with all that it logged. The bytes of its artifacts are stored already. Times are epoch ms. */
export interface FinishedRun {
  /** By name; made where there is none. */
  readonly experiment: string;
  readonly name?: string | undefined;
  readonly user: string;
  readonly status: 'FINISHED' | 'FAILED' | 'KILLED';
  readonly startedAt: number;
  readonly endedAt: number;
  readonly attemptId: string | null;
  readonly params: readonly Pair[];
  readonly tags: readonly Pair[];
  readonly metrics: readonly MetricInput[];
  readonly artifacts: readonly Artifact[];
}

/** Writes the run whole, in the caller's transaction. May be called again where that is tried again. */
export type RecordRun = (tx: Tx) => Promise<RunSummary>;

/**
 * Prepares the record of a run that somebody else watched: its experiment and the names of its metrics are there when this
 * resolves, and the run itself when the transaction that calls the answer commits.
 */
export async function prepareFinishedRun(deps: TrackingDeps, actor: Actor, input: FinishedRun): Promise<RecordRun> {
  const { projectId } = actor;
  const now = deps.clock.now();
  const experiment =
    (await findExperiment(deps, actor, input.experiment)) ??
    (await createExperiment(deps, actor, { name: input.experiment }));
  const id = uuidv7(now, (bytes) => deps.random.fill(bytes)).replaceAll('-', '');
  const name = input.name || nameRun(deps.random);
  const known = rememberRun(deps.db, {
    projectId,
    runId: id,
    experimentId: experiment.id,
    lifecycle: 'active',
    checkedAt: now,
  });
  await ensureSeries(deps.db, known, input.metrics);
  return async (tx) => {
    const { artifact_location } = assertActive(await findExperimentRow(tx, projectId, experiment.id), experiment.id);
    const row = toRow(input, { projectId, id, name, experimentId: experiment.id, location: artifact_location, now });
    await insertRun(tx, row);
    const tags = lastPerKey([...input.tags, { key: RUN_NAME_TAG, value: name }]);
    const params = lastPerKey(input.params);
    await runStatements(tx, [
      upsertRunTags(deps.db, projectId, id, tags),
      ...(params.length > 0 ? [insertRunParams(deps.db, projectId, id, params)] : []),
      ...(input.metrics.length > 0 ? pointStatements(deps.db, known, input.metrics) : []),
    ]);
    const root = rootOf(row.artifact_uri);
    if (root !== null)
      for (const artifact of input.artifacts) await linkArtifactIn(tx, deps, projectId, root, artifact);
    return toRunSummary(row);
  };
}

interface Place {
  readonly projectId: string;
  readonly id: string;
  readonly name: string;
  readonly experimentId: number;
  readonly location: string;
  readonly now: number;
}

const toRow = (input: FinishedRun, { projectId, id, name, experimentId, location, now }: Place): RunRow => ({
  project_id: projectId,
  id,
  experiment_id: experimentId,
  name,
  user_id: input.user,
  status: input.status,
  started_at: input.startedAt,
  ended_at: input.endedAt,
  artifact_uri: `${location}/${id}/artifacts`,
  lifecycle: 'active',
  deleted_at: null,
  deleted_with_experiment: 0,
  attempt_id: input.attemptId,
  created_at: now,
});
