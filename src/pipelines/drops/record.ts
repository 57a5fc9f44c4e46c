import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import type { PipelinesDeps } from '../deps.ts';
import type { DropRecord } from './types.ts';

const ID = /^[0-9a-f-]{36}$/;
const RECORD = 'drop.json';

export const dropFolder = (deps: Pick<PipelinesDeps, 'dropsDir'>, id: string): string => join(deps.dropsDir, id);

/** Log, claim and exit of one start. */
export const attemptFolder = (deps: Pick<PipelinesDeps, 'dropsDir'>, drop: DropRecord): string =>
  join(dropFolder(deps, drop.id), `attempt-${drop.attempts}`);

export const taskId = ({ id, attempts }: DropRecord): string => `drop-${id}-${attempts}`;

export async function saveDrop(deps: Pick<PipelinesDeps, 'dropsDir'>, drop: DropRecord): Promise<void> {
  const folder = dropFolder(deps, drop.id);
  await mkdir(folder, { recursive: true });
  const path = join(folder, RECORD);
  await writeFile(`${path}.part`, JSON.stringify(drop), { mode: 0o600 });
  await rename(`${path}.part`, path);
}

export async function loadDrop(
  deps: Pick<PipelinesDeps, 'dropsDir'>,
  projectId: string,
  id: string,
): Promise<DropRecord> {
  const text = ID.test(id)
    ? await readFile(join(dropFolder(deps, id), RECORD), 'utf8').catch(() => undefined)
    : undefined;
  const drop = text === undefined ? undefined : (JSON.parse(text) as DropRecord);
  if (drop?.projectId === projectId) return drop;
  throw new AppError('not_found', `There is no drop "${id.slice(0, 80)}"`);
}

/** Newest first. */
export async function listDrops(
  deps: Pick<PipelinesDeps, 'dropsDir'>,
  projectId: string,
  limit: number,
): Promise<readonly DropRecord[]> {
  const names = (await readdir(deps.dropsDir).catch(() => [])).filter((name) => ID.test(name));
  const found: DropRecord[] = [];
  for (const id of names.sort().reverse()) {
    if (found.length === limit) break;
    const drop = await loadDrop(deps, projectId, id).catch(() => undefined);
    if (drop) found.push(drop);
  }
  return found;
}
