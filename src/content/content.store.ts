import { sql } from 'kysely';
import { sqlOf, type Tx } from '../ports/db.ts';

export interface ContentTables {
  readonly content: {
    digest: string;
    object_key: string;
    size_bytes: number;
    touched_at: number;
    pinned_until: number;
    marked_at: number | null;
  };
  readonly content_reference: { owner_kind: string; owner_id: string; digest: string };
  readonly content_tombstone: { object_key: string; created_at: number };
}

/** Where a digest's bytes lie. */
export interface StoredContent {
  readonly digest: string;
  readonly objectKey: string;
  readonly sizeBytes: number;
}

/** Who holds on to content: a row of a pillar. */
export interface ContentOwner {
  readonly kind: string;
  readonly id: string;
}

export async function findContent(tx: Tx, digest: string): Promise<StoredContent | undefined> {
  const row = await sqlOf<ContentTables>(tx)
    .selectFrom('content')
    .select(['digest', 'object_key as objectKey', 'size_bytes as sizeBytes'])
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row;
}

/** Keeps what is there for a while longer; undefined where it is not. */
export async function pinContent(
  tx: Tx,
  digest: string,
  now: number,
  until: number,
): Promise<StoredContent | undefined> {
  return sqlOf<ContentTables>(tx)
    .updateTable('content')
    .set({ touched_at: now, pinned_until: until, marked_at: null })
    .where('digest', '=', digest)
    .returning(['digest', 'object_key as objectKey', 'size_bytes as sizeBytes'])
    .executeTakeFirst();
}

/** The row that stands afterwards: ours, or the one that was there before. */
export async function upsertContent(tx: Tx, stored: StoredContent, now: number, until: number): Promise<StoredContent> {
  return sqlOf<ContentTables>(tx)
    .insertInto('content')
    .values({
      digest: stored.digest,
      object_key: stored.objectKey,
      size_bytes: stored.sizeBytes,
      touched_at: now,
      pinned_until: until,
      marked_at: null,
    })
    .onConflict((conflict) =>
      conflict.column('digest').doUpdateSet({ touched_at: now, pinned_until: until, marked_at: null }),
    )
    .returning(['digest', 'object_key as objectKey', 'size_bytes as sizeBytes'])
    .executeTakeFirstOrThrow();
}

/** The digests that exist, touched. */
export async function touchContent(tx: Tx, digests: readonly string[], now: number): Promise<readonly string[]> {
  const rows = await sqlOf<ContentTables>(tx)
    .updateTable('content')
    .set({ touched_at: now, marked_at: null })
    .where('digest', 'in', digests)
    .returning('digest')
    .execute();
  return rows.map(({ digest }) => digest);
}

export async function insertReferences(tx: Tx, owner: ContentOwner, digests: readonly string[]): Promise<void> {
  await sqlOf<ContentTables>(tx)
    .insertInto('content_reference')
    .values(digests.map((digest) => ({ owner_kind: owner.kind, owner_id: owner.id, digest })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** One digest for several owners. */
export async function insertOwners(tx: Tx, owners: readonly ContentOwner[], digest: string): Promise<void> {
  await sqlOf<ContentTables>(tx)
    .insertInto('content_reference')
    .values(owners.map((owner) => ({ owner_kind: owner.kind, owner_id: owner.id, digest })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function deleteReferences(tx: Tx, owner: ContentOwner): Promise<void> {
  await sqlOf<ContentTables>(tx)
    .deleteFrom('content_reference')
    .where('owner_kind', '=', owner.kind)
    .where('owner_id', '=', owner.id)
    .execute();
}

const UNUSED = sql<boolean>`not exists (select 1 from content_reference r where r.digest = content.digest)`;

/** Digests that nothing holds on to, marked from `now` on. */
export async function markUnused(tx: Tx, now: number, limit: number): Promise<number> {
  const k = sqlOf<ContentTables>(tx);
  const unused = k
    .selectFrom('content')
    .select('digest')
    .where('marked_at', 'is', null)
    .where('pinned_until', '<', now)
    .where(UNUSED)
    .orderBy('pinned_until')
    .orderBy('digest')
    .limit(limit);
  const rows = await k
    .updateTable('content')
    .set({ marked_at: now })
    .where('digest', 'in', unused)
    .returning('digest')
    .execute();
  return rows.length;
}

/** Removes rows that were marked before `before` and are still unused; answers their objects. */
export async function deleteMarked(tx: Tx, now: number, before: number, limit: number): Promise<readonly string[]> {
  const k = sqlOf<ContentTables>(tx);
  const old = k
    .selectFrom('content')
    .select('digest')
    .where('marked_at', '<=', before)
    .where('pinned_until', '<', now)
    .where(UNUSED)
    .orderBy('digest')
    .limit(limit);
  const rows = await k.deleteFrom('content').where('digest', 'in', old).returning('object_key').execute();
  return rows.map(({ object_key }) => object_key);
}

export async function insertTombstones(tx: Tx, objectKeys: readonly string[], now: number): Promise<void> {
  await sqlOf<ContentTables>(tx)
    .insertInto('content_tombstone')
    .values(objectKeys.toSorted().map((object_key) => ({ object_key, created_at: now })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function listTombstones(tx: Tx, limit: number): Promise<readonly string[]> {
  const rows = await sqlOf<ContentTables>(tx)
    .selectFrom('content_tombstone')
    .select('object_key')
    .orderBy('object_key')
    .limit(limit)
    .execute();
  return rows.map(({ object_key }) => object_key);
}

export async function deleteTombstones(tx: Tx, objectKeys: readonly string[]): Promise<void> {
  await sqlOf<ContentTables>(tx).deleteFrom('content_tombstone').where('object_key', 'in', objectKeys).execute();
}

/** Of these objects, those that a row still names. */
export async function findKnownObjects(tx: Tx, objectKeys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sqlOf<ContentTables>(tx)
    .selectFrom('content')
    .select('object_key')
    .where('object_key', 'in', objectKeys)
    .execute();
  return new Set(rows.map(({ object_key }) => object_key));
}
