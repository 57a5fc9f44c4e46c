import { readFile } from 'node:fs/promises';
import type { Json } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import type { StepSection } from '../project-file/index.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep } from './engine-types.ts';
import { lockOf, NO_ENVIRONMENT } from './environment.ts';
import { cacheKeyOf, datasetsOf, keyPartsOf } from './keys.ts';
import { notebookCodeOf } from './notebook-code.ts';
import { getSnapshot } from './snapshots.ts';
import type { DataOutputs, KeyPart, OutputFile, SnapshotFile } from './types.ts';

/** Everything that a step's attempt is made from, and the key that it gives. */
export interface StepPlan {
  readonly section: StepSection;
  readonly params: Readonly<Record<string, Json>>;
  readonly snapshot: readonly SnapshotFile[];
  readonly lock: string | undefined;
  readonly envDigest: string;
  /** By dataset, what the run's data phase settled on. */
  readonly data: Readonly<Record<string, DataOutputs>>;
  /** By step, what the steps before it put out. */
  readonly upstream: Readonly<Record<string, readonly OutputFile[]>>;
  readonly parts: readonly KeyPart[];
  readonly cacheKey: string;
}

/** Computes the key of a step, part by part. Throws `invalid` for a wrong lock or notebook, `not_found` for a missing one. */
export async function planStep(deps: PipelinesDeps, held: HeldStep): Promise<StepPlan> {
  const { run, file, step } = held;
  const section = file.steps[step.name]!;
  const snapshot = await getSnapshot(deps, run.projectId, run.sourceDigest);
  const lock = await lockOf(deps, file, snapshot);
  const envDigest = lock === undefined ? NO_ENVIRONMENT : deps.environments.digestOf(lock);
  const params = { ...file.params, ...run.params };
  const data = dataOf(held, section);
  const upstream = upstreamOf(held);
  assertNotebook(step.name, section, snapshot, upstream);
  const parts = keyPartsOf({
    name: step.name,
    section,
    file,
    params,
    snapshot,
    notebookCode: section.notebook === null ? null : await notebookDigest(deps, section.notebook, snapshot),
    dataCuts: Object.fromEntries(Object.entries(data).map(([name, { cutDigest }]) => [name, cutDigest])),
    upstream,
    envDigest,
    platform: `${process.platform}-${process.arch}`,
  });
  return { section, params, snapshot, lock, envDigest, data, upstream, parts, cacheKey: cacheKeyOf(parts) };
}

/** In the project, or made by a step before. */
function assertNotebook(
  step: string,
  { notebook }: StepSection,
  snapshot: readonly SnapshotFile[],
  upstream: StepPlan['upstream'],
): void {
  if (notebook === null || [snapshot, ...Object.values(upstream)].flat().some(({ path }) => path === notebook)) return;
  throw new AppError(
    'not_found',
    `steps.${step} names ${notebook}, which is not in the project; write it, correct the name, or see whether .gitignore or .levainignore leaves it out`,
  );
}

function dataOf({ file, steps }: HeldStep, section: StepSection): Record<string, DataOutputs> {
  const names = new Set(datasetsOf(file, section));
  const found = steps.flatMap((step) =>
    step.outputs?.data && names.has(step.outputs.data.dataset) ? [step.outputs.data] : [],
  );
  return Object.fromEntries(found.map((data) => [data.dataset, data]));
}

/** Outputs of all steps before it, near and far: a step sees the folder as if they had run in it. */
function upstreamOf({ step, steps }: HeldStep): Record<string, readonly OutputFile[]> {
  const byName = new Map(steps.map((other) => [other.name, other]));
  const seen = new Set<string>();
  const visit = (names: readonly string[]): void => {
    for (const name of names) {
      if (seen.has(name)) continue;
      seen.add(name);
      visit(byName.get(name)?.needs ?? []);
    }
  };
  visit(step.needs);
  const found = [...seen].flatMap((name): [string, readonly OutputFile[]][] => {
    const files = byName.get(name)?.outputs?.files;
    return files && files.length > 0 ? [[name, files]] : [];
  });
  return Object.fromEntries(found);
}

async function notebookDigest(deps: PipelinesDeps, path: string, snapshot: readonly SnapshotFile[]): Promise<string> {
  const entry = snapshot.find((file) => file.path === path);
  if (!entry) return digestOf('missing');
  return digestOf(notebookCodeOf(await readFile(await deps.content.localPath(entry.digest), 'utf8'), path));
}
