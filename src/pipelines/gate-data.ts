import { type Cut, cutDigest, type GateSplit, gateSplitOf } from '../data/index.ts';
import { isAppError } from '../kernel/errors.ts';
import type { ProjectFile } from '../project-file/index.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep } from './engine-types.ts';
import { findGateRows } from './gate-rows.store.ts';
import { planStep } from './step-plan.ts';
import { findCached } from './steps.store.ts';
import type { DataOutputs, StepRun } from './types.ts';

/** The dataset whose rows the model learns from: the first that is not the one of labels. */
export const gateDataset = (file: ProjectFile): string | undefined =>
  Object.keys(file.data).find((name) => name !== file.monitor.labels?.data);

/** Whether the gate's rows of this dataset are those that the model's notebook keeps for itself. */
export const isNotebookGate = (file: ProjectFile, dataset: string): boolean =>
  file.model?.gate.rows.kind === 'notebook' && dataset === gateDataset(file);

/** The rows of a dataset that the run's steps see. */
export const cutOf = (
  held: Pick<HeldStep, 'run' | 'file'>,
  data: Pick<DataOutputs, 'dataset' | 'versionId' | 'split'>,
): Cut => ({
  versionId: data.versionId,
  section: held.file.data[data.dataset]!,
  split: data.split === undefined ? splitOf(held.file, data.dataset) : data.split,
  asOf: held.run.trigger.asOf,
});

/** The split that keeps the gate's rows out of what steps see; null where the gate has rows of its own. */
function splitOf(file: ProjectFile, dataset: string): GateSplit | null {
  const section = file.data[dataset];
  const rows = file.model?.gate.rows;
  return section && rows && dataset === gateDataset(file) ? gateSplitOf(section, rows) : null;
}

type Settled = Omit<DataOutputs, 'cutDigest' | 'split' | 'isFirst'>;

/**
 * What a notebook with test rows of its own sees: everything, until its model has a version; from then on neither the first
 * version's test rows nor a share of the rows that came since. Where the whole file gives what was run before (the first version's
 * step, or one that `levain adopt` filed), that stands, and nothing is trained again.
 */
export async function notebookCut(deps: PipelinesDeps, held: HeldStep, settled: Settled): Promise<DataOutputs> {
  const first = await withDigest(deps, held, { ...settled, split: null, isFirst: true });
  const { projectId, trigger } = held.run;
  const known = await deps.db.read((tx) => findGateRows(tx, projectId, held.file.name));
  if (!known || trigger.kind === 'adopt' || (await ranOn(deps, held, first))) return first;
  return withDigest(deps, held, { ...settled, split: known });
}

const withDigest = async (
  deps: PipelinesDeps,
  held: HeldStep,
  data: Omit<DataOutputs, 'cutDigest'>,
): Promise<DataOutputs> => ({ ...data, cutDigest: await cutDigest(deps.data, cutOf(held, data)) });

/** Whether the model's step, and all before it, are in the cache for these rows. */
async function ranOn(deps: PipelinesDeps, held: HeldStep, data: DataOutputs): Promise<boolean> {
  const steps = new Map(held.steps.map((step) => [step.name, step]));
  steps.set(held.step.name, { ...held.step, outputs: { data } });
  const cached = async (name: string): Promise<boolean> => {
    const step = steps.get(name);
    if (step?.kind === 'data') return step.outputs !== null;
    if (!step || !held.file.steps[name]) return false;
    for (const before of step.needs) if (!(await cached(before))) return false;
    const found = await cachedOutputs(deps, { ...held, step, steps: [...steps.values()] });
    if (found) steps.set(name, { ...step, outputs: found });
    return found !== undefined;
  };
  return cached(held.file.model!.from.step);
}

async function cachedOutputs(deps: PipelinesDeps, held: HeldStep): Promise<StepRun['outputs'] | undefined> {
  try {
    const { cacheKey } = await planStep(deps, held);
    return (await deps.db.read((tx) => findCached(tx, held.run.projectId, cacheKey)))?.outputs;
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}
