import type { Stats } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface ListedFile {
  /** Relative to the listed folder, with `/`. */
  readonly path: string;
  readonly sizeBytes: number;
}

export interface Listing {
  readonly files: readonly ListedFile[];
  /** Whether there is more than a listing holds. */
  readonly isCut: boolean;
}

export const MAX_LISTED_FILES = 20_000;
const MAX_DEPTH = 12;
/** Folders that hold no code or data of the notebook's; those that begin with a dot are left out too. */
const SKIPPED = new Set(['__pycache__', 'node_modules', 'site-packages', 'venv', 'env', 'mlruns']);

/** The files under a folder, nearest first; links to folders are not followed, environments are left out. */
export async function listFiles(folder: string): Promise<Listing> {
  const files: ListedFile[] = [];
  let level: string[] = [''];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth++) {
    const next: string[] = [];
    for (const inner of level) {
      const entries = await readdir(join(folder, inner), { withFileTypes: true }).catch(() => []);
      if (inner !== '' && entries.some((entry) => entry.name === 'pyvenv.cfg' || entry.name === 'conda-meta')) continue;
      for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const path = inner === '' ? entry.name : `${inner}/${entry.name}`;
        if (entry.isDirectory()) {
          if (!SKIPPED.has(entry.name) && !entry.name.startsWith('.')) next.push(path);
          continue;
        }
        const facts: Stats | undefined = await stat(join(folder, path)).catch(() => undefined);
        if (!facts?.isFile()) continue;
        if (files.length >= MAX_LISTED_FILES) return { files, isCut: true };
        files.push({ path, sizeBytes: facts.size });
      }
    }
    level = next;
  }
  return { files, isCut: false };
}
