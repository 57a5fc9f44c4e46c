import { readFile } from 'node:fs/promises';
import { decodeGolden } from '../engines/index.ts';
import type { Signature } from '../engines/signature.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { type Cell, type Frame, takeRows } from '../kernel/frame.ts';
import { sampled } from './scoring.ts';
import type { ModelVersion, RegistryDeps } from './types.ts';

/** Raw training rows that a version keeps: what a row is explained beside, and what a rehearsal sends before there is traffic. */
const MAX_ROWS = 1_000;
/** Wide data keeps fewer rows. */
const MAX_CELLS = 100_000;
const FORMAT = 1;

interface Document {
  readonly format: number;
  readonly rowCount: number;
  readonly columns: readonly { readonly name: string; readonly isNumber: boolean; readonly values: readonly Cell[] }[];
}

/** Stores training rows drawn by chance, with the columns of the signature; the same rows every time. */
export async function keepBackground(
  deps: Pick<RegistryDeps, 'content'>,
  training: Frame,
  { inputs }: Signature,
): Promise<{ readonly digest: string; readonly rows: number }> {
  const limit = Math.min(MAX_ROWS, Math.max(50, Math.floor(MAX_CELLS / Math.max(1, inputs.length))));
  const wanted = new Set(inputs.map(({ name }) => name));
  const rows = takeRows(training, sampled(training.rowCount, limit, 11));
  const columns = rows.columns
    .filter(({ name }) => wanted.has(name))
    .map(({ name, values }) => ({
      name,
      isNumber: values instanceof Float64Array,
      values: Array.from(values, (v) => (typeof v === 'number' && !Number.isFinite(v) ? null : v)),
    }));
  const document = { format: FORMAT, rowCount: rows.rowCount, columns };
  const { digest } = await deps.content.put(Buffer.from(canonicalJson(document), 'utf8'));
  return { digest, rows: rows.rowCount };
}

export interface Background {
  readonly rows: Frame;
  /** Golden rows are no fair draw: each column's extremes are among them. */
  readonly isDrawn: boolean;
}

/** Training rows of a version; its golden rows where it kept none; undefined where it has neither. */
export async function backgroundOf(
  deps: Pick<RegistryDeps, 'content'>,
  { facts, spec }: Pick<ModelVersion, 'facts' | 'spec'>,
): Promise<Background | undefined> {
  const read = async (digest: string) => readFile(await deps.content.localPath(digest));
  if (facts.background) return { rows: decode(await read(facts.background.digest)), isDrawn: true };
  if (spec?.golden) return { rows: decodeGolden(await read(spec.golden.digest)).rows, isDrawn: false };
  return undefined;
}

function decode(bytes: Uint8Array): Frame {
  // Written by `keepBackground` under this digest.
  const { format, rowCount, columns } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Document;
  if (format !== FORMAT) throw new AppError('invalid', `Training rows of format ${format} cannot be read`);
  return {
    rowCount,
    columns: columns.map(({ name, isNumber, values }) => ({
      name,
      values: isNumber ? Float64Array.from(values, (v) => (typeof v === 'number' ? v : Number.NaN)) : values,
    })),
  };
}
