import type { ServableSpec } from '../../engines/types.ts';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import { cellAt, type Frame, findColumn, takeRows } from '../../kernel/frame.ts';
import { findVersionById, openServable, scoreRows } from '../../registry/index.ts';
import { lastRequests } from '../log/reads.ts';
import type { ServingDeps } from '../types.ts';
import { type Answer, PairEvidence, type PairSummary } from './pairs.ts';

/** Rows scored at once; where such a batch is refused as a whole, its rows are scored one by one. */
const BATCH_ROWS = 200;

export interface ReplayInput {
  readonly projectId: string;
  readonly endpoint: string;
  /** Whose logged answers they are. Where some are another version's, this one scores them again. */
  readonly championId: string;
  readonly challengerId: string;
  readonly rows: number;
}

/** The last logged requests of real traffic, answered by both versions, the challenger in this process. */
export async function replay(deps: ServingDeps, input: ReplayInput): Promise<PairSummary> {
  const { rows, features } = await lastRequests(deps, { ...input, n: input.rows });
  const pairs = new PairEvidence();
  if (rows.rowCount === 0) return pairs.summary();
  const champion = await championAnswers(deps, input, rows, features);
  const challenger = await answersOf(deps, input.challengerId, features);
  const units = findColumn(rows, 'unit')!;
  for (let row = 0; row < rows.rowCount; row++)
    pairs.add(String(cellAt(units.values, row)), champion[row]!, challenger[row]!);
  return pairs.summary();
}

async function championAnswers(deps: ServingDeps, input: ReplayInput, rows: Frame, features: Frame): Promise<Answer[]> {
  const versions = findColumn(rows, 'version_id')!.values;
  for (let row = 0; row < rows.rowCount; row++)
    if (versions[row] !== input.championId) return answersOf(deps, input.championId, features);
  const logged = (name: string, row: number) => cellAt(findColumn(rows, name)!.values, row);
  return Array.from({ length: rows.rowCount }, (_, row) => {
    const score = logged('score', row);
    const failed = logged('status', row) !== 0 || typeof score !== 'number';
    return { failed, score: failed ? Number.NaN : score, label: logged('label', row), latencyUs: 1 };
  });
}

/** A version that cannot be loaded or answer fails on every row: that is evidence, not an accident of ours. */
export async function answersOf(deps: ServingDeps, versionId: string, features: Frame): Promise<Answer[]> {
  const spec = (await findVersionById(deps.registry, versionId))?.spec;
  if (!spec) throw new Error(`Version ${versionId} has no servable form`);
  try {
    return await scoreAll(deps, spec, features);
  } catch (error) {
    if (!isAppError(error)) throw error;
    deps.log.warn('a version could not be replayed', { version: spec.version, reason: messageOf(error) });
    return Array.from({ length: features.rowCount }, () => FAILED);
  }
}

const FAILED: Answer = { failed: true, score: Number.NaN, label: null, latencyUs: 1 };

async function scoreAll(deps: ServingDeps, spec: ServableSpec, features: Frame): Promise<Answer[]> {
  const servable = await openServable(deps.registry, spec);
  try {
    const answers: Answer[] = [];
    for (let start = 0; start < features.rowCount; start += BATCH_ROWS) {
      const batch = takeRows(features, indices(start, Math.min(BATCH_ROWS, features.rowCount - start)));
      answers.push(...(await scoreBatch(servable, batch)));
    }
    return answers;
  } finally {
    await servable.close();
  }
}

async function scoreBatch(servable: Awaited<ReturnType<typeof openServable>>, batch: Frame): Promise<Answer[]> {
  try {
    const outputs = await scoreRows(servable, batch);
    const errors = new Set(outputs.errors?.map(({ row }) => row));
    return indices(0, batch.rowCount).map((row) => {
      const score = outputs.scores[row]!;
      return {
        failed: errors.has(row) || Number.isNaN(score),
        score,
        label: outputs.labels[row] ?? null,
        latencyUs: 1,
      };
    });
  } catch (error) {
    if (!isAppError(error)) throw error;
    if (batch.rowCount === 1) return [FAILED];
    const answers: Answer[] = [];
    for (const row of indices(0, batch.rowCount)) answers.push(...(await scoreBatch(servable, takeRows(batch, [row]))));
    return answers;
  }
}

const indices = (start: number, length: number): number[] => Array.from({ length }, (_, i) => start + i);
