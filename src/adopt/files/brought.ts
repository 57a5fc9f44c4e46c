import { stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { digestOfFile } from './copy.ts';

/** What the extraction tells of rows that a library brings: the file that it made of them, beside facts.json. */
export const Brought = z.object({
  file: z.string(),
  /** How such a file would be called. */
  stem: z.string(),
  /** @example `sklearn.datasets.load_iris` */
  by: z.string(),
  columns: z.number(),
});
export type Brought = z.output<typeof Brought>;

export interface BroughtRows {
  /** Where the file will stand, relative to the project's folder. */
  readonly path: string;
  /** Where it is now. */
  readonly at: string;
  readonly digest: string;
  readonly sizeBytes: number;
}

const MAX_NAMES = 50;
/** A larger one is nobody's idea of a small file beside the notebook. */
const MAX_BYTES = 64 * 2 ** 20;

/** The file of a library's rows, beside the notebook and in nobody's place; undefined where it would be too large. */
export async function placeBrought(
  brought: Brought,
  where: { readonly out: string; readonly source: string; readonly folder: string },
): Promise<BroughtRows | undefined> {
  const at = join(where.out, brought.file);
  const sizeBytes = (await stat(at)).size;
  if (sizeBytes > MAX_BYTES) return undefined;
  const digest = await digestOfFile(at);
  for (let n = 1; n <= MAX_NAMES; n++) {
    const to = join(dirname(where.source), `${brought.stem}${n === 1 ? '' : `-${n}`}.csv`);
    if (!(await isFree(to, digest))) continue;
    return { path: relative(where.folder, to).split(sep).join('/'), at, digest, sizeBytes };
  }
  return undefined;
}

/** Nothing stands there, or the very same rows. */
const isFree = async (path: string, digest: string): Promise<boolean> =>
  stat(path).then(
    async (facts) => facts.isFile() && (await digestOfFile(path)) === digest,
    () => true,
  );
