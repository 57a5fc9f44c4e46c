import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Answered } from './traffic.ts';

/** How far the story has come, kept beside its data, so that a second run repeats nothing. */
export interface Memory {
  /** Acts that are done, by name. */
  done: string[];
  /** The next day to play, epoch ms; null before the first. */
  nextDay: number | null;
  /** Answered flights whose outcome is not known yet. */
  unlabelled: Answered[];
  rows: number;
  brokenRowsRefused: number;
  requests: number;
  failedRequests: number;
  cacheHit: boolean;
  seconds: number;
}

const EMPTY: Memory = {
  done: [],
  nextDay: null,
  unlabelled: [],
  rows: 0,
  brokenRowsRefused: 0,
  requests: 0,
  failedRequests: 0,
  cacheHit: false,
  seconds: 0,
};

export interface Notebook {
  readonly memory: Memory;
  save(): void;
}

export function openNotebook(folder: string): Notebook {
  const path = join(folder, 'story.json');
  let memory: Memory;
  try {
    memory = { ...EMPTY, ...JSON.parse(readFileSync(path, 'utf8')) };
  } catch {
    memory = structuredClone(EMPTY);
  }
  return {
    memory,
    save() {
      writeFileSync(`${path}.part`, JSON.stringify(memory));
      renameSync(`${path}.part`, path);
    },
  };
}
