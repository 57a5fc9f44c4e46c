import type { Db } from '../ports/db.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import {
  deleteMarked,
  deleteTombstones,
  findKnownObjects,
  insertTombstones,
  listTombstones,
  markUnused,
} from './content.store.ts';
import { KEY_PREFIX, timeOfObjectKey } from './object-keys.ts';

export interface CollectReport {
  /** Content that nothing holds on to as of now; it goes in 24 hours. */
  readonly marked: number;
  readonly deleted: number;
  /** Objects of uploads that never ended. */
  readonly orphans: number;
}

interface CollectDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
}

const WAIT_MS = 24 * 3_600_000;
/** No upload takes longer. */
const ORPHAN_AFTER_MS = 48 * 3_600_000;
const ROWS_A_STEP = 500;

/**
 * Marks, waits 24 hours, writes tombstones, deletes. A put or a reference in between clears the mark in its own transaction,
 * and an object's key is never used twice, so that nothing in use can be deleted, also by two collectors at once.
 */
export async function collect(deps: CollectDeps, now: number): Promise<CollectReport> {
  const marked = await repeat(() => deps.db.write((tx) => markUnused(tx, now, ROWS_A_STEP)));
  await repeat(() => bury(deps, now));
  const deleted = await repeat(() => deleteBuried(deps));
  return { marked, deleted, orphans: await deleteOrphans(deps, now) };
}

/** Sums the steps until one does nothing. */
async function repeat(step: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let done = await step(); done > 0; done = await step()) total += done;
  return total;
}

const bury = ({ db }: CollectDeps, now: number): Promise<number> =>
  db.write(async (tx) => {
    const keys = await deleteMarked(tx, now, now - WAIT_MS, ROWS_A_STEP);
    if (keys.length > 0) await insertTombstones(tx, keys, now);
    return keys.length;
  });

async function deleteBuried({ db, objects }: CollectDeps): Promise<number> {
  const keys = await db.read((tx) => listTombstones(tx, ROWS_A_STEP));
  if (keys.length === 0) return 0;
  for (const key of keys) await objects.delete(key);
  await db.write((tx) => deleteTombstones(tx, keys));
  return keys.length;
}

async function deleteOrphans({ db, objects }: CollectDeps, now: number): Promise<number> {
  let deleted = 0;
  let old: string[] = [];
  const flush = async (): Promise<void> => {
    if (old.length === 0) return;
    const known = await db.read((tx) => findKnownObjects(tx, old));
    for (const key of old.filter((one) => !known.has(one))) {
      await objects.delete(key);
      deleted += 1;
    }
    old = [];
  };
  for await (const { key } of objects.list(KEY_PREFIX)) {
    const begunAt = timeOfObjectKey(key);
    if (begunAt !== undefined && begunAt < now - ORPHAN_AFTER_MS) old.push(key);
    if (old.length >= ROWS_A_STEP) await flush();
  }
  await flush();
  return deleted;
}
