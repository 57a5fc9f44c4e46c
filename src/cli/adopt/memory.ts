import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AdoptResult } from '../../adopt/types.ts';

/** What the last adoption of a folder wrote and ran, until and after it is filed. */
export interface Memory {
  /** By path, SHA-256 of the text that adopt wrote. */
  readonly written: Readonly<Record<string, string>>;
  /** Digests of the arguments that the result depends on, and of the folder with the files written. */
  readonly asked: string;
  readonly sourceDigest: string;
  readonly adoptedAt: number;
  readonly name: string;
  /** Null where nothing was run: a folder that says itself how it is. */
  readonly run: AdoptedRun | null;
  /** By server and project, the run under which it is filed. */
  readonly filed: Readonly<Record<string, string>>;
}

/** What is sent to the server; paths are of this machine. */
export interface AdoptedRun {
  readonly source: { readonly path: string; readonly digest: string };
  readonly data: readonly { readonly name: string; readonly source: string; readonly digest: string }[];
  readonly lock: string;
  readonly run: Pick<
    AdoptResult['run'],
    'executed' | 'log' | 'startedAt' | 'endedAt' | 'params' | 'metrics' | 'exports'
  >;
}

const pathOf = (folder: string): string => join(folder, '.levain', 'adopt', 'last.json');

export async function findMemory(folder: string): Promise<Memory | undefined> {
  try {
    return JSON.parse(await readFile(pathOf(folder), 'utf8')) as Memory;
  } catch {
    return undefined;
  }
}

export async function saveMemory(folder: string, memory: Memory): Promise<void> {
  const path = pathOf(folder);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, `${JSON.stringify(memory)}\n`);
  await rename(`${path}.part`, path);
}
