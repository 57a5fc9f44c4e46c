import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { takeSnapshot } from '../snapshot.ts';
import { type AdoptedRun, findMemory, type Memory } from './memory.ts';

/**
 * The last adoption, where it would come out the same: the same arguments, the folder with every file as adopt left it, the
 * same data. Undefined where anything differs or cannot be read.
 */
export async function findUnchanged(
  folder: string,
  asked: string,
): Promise<(Memory & { readonly run: AdoptedRun }) | undefined> {
  const memory = await findMemory(folder);
  if (!memory?.run || memory.asked !== asked) return undefined;
  try {
    const { sourceDigest } = await takeSnapshot(folder, sourcesOf(folder, memory));
    if (sourceDigest !== memory.sourceDigest) return undefined;
    const { run } = memory;
    for (const { source, digest } of run.data) if ((await digestOfFile(source)) !== digest) return undefined;
    return { ...memory, run };
  } catch {
    return undefined;
  }
}

/** The data as levain.yaml names it, which snapshots leave out. */
export const sourcesOf = (folder: string, { run }: Pick<Memory, 'run'>): readonly string[] =>
  (run?.data ?? []).map(({ source }) => (source.startsWith(`${folder}/`) ? source.slice(folder.length + 1) : source));

async function digestOfFile(path: string): Promise<string> {
  if (!(await stat(path)).isFile()) return '';
  const { createHash } = await import('node:crypto');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
