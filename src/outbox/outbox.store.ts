import { type CompiledQuery, sql } from 'kysely';
import type { DomainEvent } from '../kernel/events.ts';
import { compilerOf, type Db, sqlOf, type Tx } from '../ports/db.ts';

export interface OutboxTables {
  readonly outbox: { id: string; project_id: string; topic: string; key: string; payload: string; created_at: number };
  readonly outbox_delivery: {
    outbox_id: string;
    subscriber: string;
    /** `pending` (from `due_at` on; a running one has its lease there) or `dead`. Delivered ones are deleted. */
    state: string;
    due_at: number;
    lease_token: string | null;
    attempts: number;
    error: string | null;
  };
}

export interface Claim {
  readonly outboxId: string;
  readonly subscriber: string;
  readonly attempts: number;
}

export interface FailedDelivery extends Claim {
  readonly projectId: string;
  readonly topic: string;
  readonly key: string;
  readonly error: string | null;
  readonly createdAt: number;
}

export async function insertEvent(tx: Tx, event: DomainEvent, payload: string): Promise<void> {
  await sqlOf<OutboxTables>(tx)
    .insertInto('outbox')
    .values({
      id: event.id,
      project_id: event.projectId,
      topic: event.topic,
      key: event.key,
      payload,
      created_at: event.createdAt,
    })
    .execute();
}

export async function insertDeliveries(tx: Tx, event: DomainEvent, subscribers: readonly string[]): Promise<void> {
  const rows = subscribers.map((subscriber) => ({
    outbox_id: event.id,
    subscriber,
    state: 'pending',
    due_at: event.createdAt,
    lease_token: null,
    attempts: 0,
    error: null,
  }));
  await sqlOf<OutboxTables>(tx).insertInto('outbox_delivery').values(rows).execute();
}

export const CHANNEL = 'levain_outbox';

/** Delivered by PostgreSQL when the transaction commits. */
export async function notifyOthers(tx: Tx): Promise<void> {
  await sql`select pg_notify(${CHANNEL}, '')`.execute(sqlOf(tx));
}

export interface ClaimOptions {
  readonly subscribers: readonly string[];
  readonly token: string;
  readonly now: number;
  readonly leaseUntil: number;
  readonly limit: number;
}

/**
 * Takes due rows, oldest first, one by one and whoever else is claiming: `skip locked` where there can be others. A cursor on the
 * id would lose the event of a transaction that began earlier and committed later.
 */
export async function claimDeliveries(db: Db, options: ClaimOptions): Promise<readonly Claim[]> {
  const k = compilerOf<OutboxTables>(db);
  const due = k
    .selectFrom('outbox_delivery')
    .select(['outbox_id', 'subscriber'])
    .where('state', '=', 'pending')
    .where('due_at', '<=', options.now)
    .where('subscriber', 'in', options.subscribers)
    .orderBy('outbox_id')
    .orderBy('subscriber')
    .limit(options.limit);
  const locked = db.dialect === 'postgres' ? due.forUpdate().skipLocked() : due;
  const claim = k
    .updateTable('outbox_delivery')
    .set({ due_at: options.leaseUntil, lease_token: options.token, attempts: sql<number>`attempts + 1` })
    .where(sql<boolean>`(outbox_id, subscriber) in ${locked}`)
    .returning(['outbox_id as outboxId', 'subscriber', 'attempts'])
    .compile();
  const [result] = await db.batch([claim as CompiledQuery]);
  return (result!.rows as Claim[]).sort((a, b) => (a.outboxId < b.outboxId ? -1 : 1));
}

export async function findEvents(tx: Tx, ids: readonly string[]): Promise<ReadonlyMap<string, DomainEvent>> {
  const rows = await sqlOf<OutboxTables>(tx).selectFrom('outbox').selectAll().where('id', 'in', ids).execute();
  return new Map(rows.map((row) => [row.id, toEvent(row)]));
}

const toEvent = (row: OutboxTables['outbox']): DomainEvent => ({
  id: row.id,
  topic: row.topic as DomainEvent['topic'],
  projectId: row.project_id,
  key: row.key,
  payload: JSON.parse(row.payload) as DomainEvent['payload'],
  createdAt: row.created_at,
});

/** The statements below change nothing where the lease has gone to someone else. */
const held = (db: Db, claim: Claim, token: string) => {
  const k = compilerOf<OutboxTables>(db);
  return {
    update: k
      .updateTable('outbox_delivery')
      .where('outbox_id', '=', claim.outboxId)
      .where('subscriber', '=', claim.subscriber)
      .where('lease_token', '=', token),
    delete: k
      .deleteFrom('outbox_delivery')
      .where('outbox_id', '=', claim.outboxId)
      .where('subscriber', '=', claim.subscriber)
      .where('lease_token', '=', token),
  };
};

export async function deleteDelivery(db: Db, claim: Claim, token: string): Promise<void> {
  await db.batch([held(db, claim, token).delete.compile()]);
}

export async function postponeDelivery(
  db: Db,
  claim: Claim,
  token: string,
  retry: { dueAt: number; error: string },
): Promise<void> {
  const change = { due_at: retry.dueAt, error: retry.error, lease_token: null };
  await db.batch([held(db, claim, token).update.set(change).compile()]);
}

export async function buryDelivery(db: Db, claim: Claim, token: string, error: string): Promise<void> {
  await db.batch([held(db, claim, token).update.set({ state: 'dead', error, lease_token: null }).compile()]);
}

/** Keeps what is still running from being taken by others. */
export async function extendLeases(db: Db, token: string, leaseUntil: number): Promise<void> {
  const extend = compilerOf<OutboxTables>(db)
    .updateTable('outbox_delivery')
    .set({ due_at: leaseUntil })
    .where('lease_token', '=', token)
    .where('state', '=', 'pending');
  await db.batch([extend.compile()]);
}

/** For the only process on its database, at its start: what its predecessor was running is due now. */
export async function dropLeases(db: Db, now: number): Promise<void> {
  const drop = compilerOf<OutboxTables>(db)
    .updateTable('outbox_delivery')
    .set({ due_at: now, lease_token: null })
    .where('lease_token', 'is not', null)
    .where('state', '=', 'pending');
  await db.batch([drop.compile()]);
}

export async function listFailures(tx: Tx, limit: number): Promise<readonly FailedDelivery[]> {
  return sqlOf<OutboxTables>(tx)
    .selectFrom('outbox_delivery as d')
    .innerJoin('outbox as o', 'o.id', 'd.outbox_id')
    .select(['d.outbox_id as outboxId', 'd.subscriber', 'd.attempts', 'd.error'])
    .select(['o.project_id as projectId', 'o.topic', 'o.key', 'o.created_at as createdAt'])
    .where('d.state', '=', 'dead')
    .orderBy('d.outbox_id')
    .orderBy('d.subscriber')
    .limit(limit)
    .execute();
}

/** Answers whether there was such a dead delivery. */
export async function revive(tx: Tx, outboxId: string, subscriber: string, now: number): Promise<boolean> {
  const { numUpdatedRows } = await sqlOf<OutboxTables>(tx)
    .updateTable('outbox_delivery')
    .set({ state: 'pending', due_at: now, attempts: 0 })
    .where('outbox_id', '=', outboxId)
    .where('subscriber', '=', subscriber)
    .where('state', '=', 'dead')
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

/** Events that everyone has had, from before `before`. */
export async function deleteDelivered(db: Db, before: number): Promise<void> {
  const prune = compilerOf<OutboxTables>(db)
    .deleteFrom('outbox')
    .where('created_at', '<', before)
    .where(sql<boolean>`not exists (select 1 from outbox_delivery d where d.outbox_id = outbox.id)`);
  await db.batch([prune.compile()]);
}
