import { join } from 'node:path';
import { getVersion, materialise } from '../data/index.ts';
import type { Attempt } from './attempts.ts';
import { actorOf } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep } from './engine-types.ts';
import { cutOf, gateDataset } from './gate-data.ts';
import type { DataOutputs } from './types.ts';

/** A file of rows as `levain_runtime.adopt.learn` reads it. */
interface WatchedRows {
  readonly path: string;
  readonly name: string;
  readonly format: string;
  readonly delimiter: string;
  readonly quote: string;
  readonly decimal: string;
  readonly texts: readonly string[];
}

/** What the kernel of a step that leaves the model in a variable is watched for (`watch` of `notebooks/types.ts`). */
export async function watchOf(
  deps: PipelinesDeps,
  held: HeldStep,
  attempt: Attempt,
  exports: readonly string[],
): Promise<Readonly<Record<string, unknown>> | null> {
  const { model } = held.file;
  if (exports.length === 0 || !model) return null;
  return {
    features: model.features === null ? null : join(attempt.src, model.features),
    target: model.target?.column ?? null,
    dataset: (await rowsOf(deps, held, attempt)) ?? null,
  };
}

/** The rows that the step's own test rows are looked for in: the dataset as the run's steps see it, one file. */
async function rowsOf(deps: PipelinesDeps, held: HeldStep, attempt: Attempt): Promise<WatchedRows | undefined> {
  const dataset = gateDataset(held.file);
  const data = held.steps.flatMap(({ outputs }) => outputs?.data ?? []).find((each) => each.dataset === dataset);
  const section = data && held.file.data[data.dataset];
  if (!section || section.as.endsWith('/')) return undefined;
  const { plan } = await getVersion(deps.data, actorOf(held.run), { id: data.versionId });
  const format = formatOf(section.as);
  if (format === undefined || plan.format === 'files') return undefined;
  return {
    path: await fileOf(deps, held, attempt, data),
    name: section.as,
    format,
    delimiter: plan.format === 'csv' ? plan.delimiter : ',',
    quote: plan.format === 'csv' ? plan.quote : '"',
    decimal: (plan.format === 'csv' && plan.decimal) || '.',
    texts: plan.columns.filter(({ kind }) => kind === 'string').map(({ name }) => name),
  };
}

/** Where the step sees it; a dataset that only steps before it see is laid out once more, beside the attempt. */
async function fileOf(deps: PipelinesDeps, held: HeldStep, attempt: Attempt, data: DataOutputs): Promise<string> {
  const section = held.file.data[data.dataset]!;
  const needs = held.step.needs.includes(`data:${data.dataset}`);
  if (needs) return join(attempt.src, section.as);
  const to = join(attempt.folder, 'rows', section.as.slice(section.as.lastIndexOf('/') + 1));
  await materialise(deps.data, { ...cutOf(held, data), to });
  return to;
}

const FORMATS: readonly (readonly [RegExp, string])[] = [
  [/\.(csv|tsv|txt)(\.gz)?$/i, 'csv'],
  [/\.(parquet|pq)$/i, 'parquet'],
  [/\.(json|jsonl|ndjson)(\.gz)?$/i, 'json'],
];

const formatOf = (path: string): string | undefined => FORMATS.find(([pattern]) => pattern.test(path))?.[1];
