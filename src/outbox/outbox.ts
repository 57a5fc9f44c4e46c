import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { DomainEvent, DomainEvents, Topic } from '../kernel/events.ts';
import { uuidv7 } from '../kernel/ids.ts';
import { afterCommit } from '../ports/after-commit.ts';
import type { Db, Tx } from '../ports/db.ts';
import type { Clock, Log, Random } from '../ports/system.ts';
import {
  buryDelivery,
  CHANNEL,
  type Claim,
  claimDeliveries,
  deleteDelivered,
  deleteDelivery,
  dropLeases,
  extendLeases,
  type FailedDelivery,
  findEvents,
  insertDeliveries,
  insertEvent,
  listFailures,
  notifyOthers,
  postponeDelivery,
  revive,
} from './outbox.store.ts';

export interface OutboxDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface NewEvent<T extends Topic> {
  readonly topic: T;
  readonly projectId: string;
  /** What it is about, for people who look at failures. */
  readonly key: string;
  readonly payload: DomainEvents[T];
}

type Handler<T extends Topic> = (event: DomainEvent<T>) => Promise<void>;

/**
 * Events among pillars, at least once to each subscriber, in no promised order.
 *
 * - `subscribe` comes before the first `publish`, in the root: an event is owed to those who are subscribed when it is published.
 *   Names are stored, so a subscriber keeps its name for ever.
 * - A handler is idempotent and reads the state again. One that throws is called again after a growing pause; after 20 attempts
 *   its delivery is dead and stays visible in `failures` until `retry`.
 * - `drain` resolves when nothing is due any more: for tests and for lock-step replays.
 */
export interface Outbox {
  subscribe<T extends Topic>(subscriber: string, topic: T, handler: Handler<T>): void;
  publish<T extends Topic>(tx: Tx, event: NewEvent<T>): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  drain(): Promise<void>;
  failures(): Promise<readonly FailedDelivery[]>;
  retry(outboxId: string, subscriber: string): Promise<void>;
}

export const MAX_ATTEMPTS = 20;
const POLL_MS = 1_000;
const LEASE_MS = 60_000;
const EXTEND_MS = 20_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 600_000;
const CLAIM_LIMIT = 32;
const FAILURES_LIMIT = 200;
const PRUNE_EVERY_MS = 3_600_000;
const KEEP_MS = 7 * 24 * 3_600_000;
const MAX_ERROR_LENGTH = 2_000;

/** Adds an event to the transaction that makes it true. @example await publish(tx, { topic, projectId, key, payload }, deps) */
export const publish = <T extends Topic>(
  tx: Tx,
  event: NewEvent<T>,
  deps: { readonly outbox: Pick<Outbox, 'publish'> },
): Promise<void> => deps.outbox.publish(tx, event);

export function createOutbox(deps: OutboxDeps): Outbox {
  const { db, clock } = deps;
  const handlers = new Map<string, Map<Topic, Handler<Topic>>>();
  const poll = createPoll(deps, () => runDue(deps, handlers));

  return {
    subscribe(subscriber, topic, handler) {
      const topics = handlers.get(subscriber) ?? new Map<Topic, Handler<Topic>>();
      if (topics.has(topic)) throw new Error(`"${subscriber}" is subscribed to ${topic} already`);
      topics.set(topic, handler as Handler<Topic>);
      handlers.set(subscriber, topics);
    },
    async publish(tx, { topic, projectId, key, payload }) {
      const createdAt = clock.now();
      const id = newId(deps);
      const event: DomainEvent = { id, topic, projectId, key, payload, createdAt };
      await insertEvent(tx, event, canonicalJson(payload));
      const owed = [...handlers].filter(([, topics]) => topics.has(topic)).map(([subscriber]) => subscriber);
      if (owed.length === 0) return;
      await insertDeliveries(tx, event, owed.sort());
      if (db.dialect === 'postgres') await notifyOthers(tx);
      afterCommit(tx, poll.wake);
    },
    start: poll.start,
    stop: poll.stop,
    drain: poll.drain,
    failures: () => db.read((tx) => listFailures(tx, FAILURES_LIMIT)),
    async retry(outboxId, subscriber) {
      const found = await db.write((tx) => revive(tx, outboxId, subscriber, clock.now()));
      if (!found) throw new AppError('not_found', `No delivery of ${outboxId} to "${subscriber}" has failed for good`);
      poll.wake();
    },
  };
}

const newId = ({ clock, random }: Pick<OutboxDeps, 'clock' | 'random'>): string =>
  uuidv7(clock.now(), (bytes) => random.fill(bytes));

/** One pass at a time, woken by `wake`, by NOTIFY or by the second. */
function createPoll({ db, clock, log }: OutboxDeps, pass: () => Promise<number>) {
  let awake = Promise.withResolvers<void>();
  let stopping = new AbortController();
  let loop: Promise<void> | undefined;
  let unlisten: (() => Promise<void>) | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let prunedAt = 0;

  const wake = (): void => awake.resolve();

  function inTurn(): Promise<number> {
    const next = last.then(pass, pass);
    last = next.catch(() => {});
    return next;
  }

  async function prune(): Promise<void> {
    if (clock.now() < prunedAt + PRUNE_EVERY_MS) return;
    prunedAt = clock.now();
    await deleteDelivered(db, clock.now() - KEEP_MS);
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      awake = Promise.withResolvers();
      try {
        if ((await inTurn()) > 0) continue;
        await prune();
      } catch (error) {
        log.error('the outbox could not be read', { error: messageOf(error) });
      }
      await pause(signal);
    }
  }

  async function pause(signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    await Promise.race([awake.promise, clock.sleep(POLL_MS, AbortSignal.any([signal, over.signal]))]);
    over.abort();
  }

  return {
    wake,
    async start() {
      if (loop) return;
      stopping = new AbortController();
      if (db.dialect === 'sqlite') await dropLeases(db, clock.now());
      unlisten = await db.listen?.(CHANNEL, wake);
      loop = run(stopping.signal);
    },
    async stop() {
      stopping.abort();
      wake();
      await unlisten?.();
      await loop;
      loop = undefined;
    },
    async drain() {
      while ((await inTurn()) > 0);
    },
  };
}

type Handlers = ReadonlyMap<string, ReadonlyMap<Topic, Handler<Topic>>>;

/** Claims what is due and runs it, one event at a time a subscriber. Answers how many were claimed. */
async function runDue(deps: OutboxDeps, handlers: Handlers): Promise<number> {
  if (handlers.size === 0) return 0;
  const now = deps.clock.now();
  const token = newId(deps);
  const subscribers = [...handlers.keys()].sort();
  const claim = { subscribers, token, now, leaseUntil: now + LEASE_MS, limit: CLAIM_LIMIT };
  const claims = await claimDeliveries(deps.db, claim);
  if (claims.length === 0) return 0;
  const ids = [...new Set(claims.map(({ outboxId }) => outboxId))];
  const events = await deps.db.read((tx) => findEvents(tx, ids));
  const done = new AbortController();
  const extending = keepLeases(deps, token, done.signal);
  const lines = Map.groupBy(claims, ({ subscriber }) => subscriber);
  const work = [...lines.values()].map((line) => runLine(deps, handlers, line, events, token));
  await Promise.all(work).finally(() => done.abort());
  await extending;
  return claims.length;
}

async function keepLeases({ db, clock, log }: OutboxDeps, token: string, done: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(EXTEND_MS, done);
    if (done.aborted) return;
    await extendLeases(db, token, clock.now() + LEASE_MS).catch((error) => {
      log.warn('leases of the outbox could not be extended', { error: messageOf(error) });
    });
  }
}

async function runLine(
  deps: OutboxDeps,
  handlers: Handlers,
  claims: readonly Claim[],
  events: ReadonlyMap<string, DomainEvent>,
  token: string,
): Promise<void> {
  for (const claim of claims) await deliver(deps, handlers, claim, events.get(claim.outboxId)!, token);
}

async function deliver(
  deps: OutboxDeps,
  handlers: Handlers,
  claim: Claim,
  event: DomainEvent,
  token: string,
): Promise<void> {
  try {
    if (claim.attempts > MAX_ATTEMPTS) throw new Error('It was begun and never ended');
    await handlers.get(claim.subscriber)?.get(event.topic)?.(event);
  } catch (error) {
    await recordFailure(deps, claim, event, token, error);
    return;
  }
  await deleteDelivery(deps.db, claim, token);
}

async function recordFailure(
  deps: OutboxDeps,
  claim: Claim,
  event: DomainEvent,
  token: string,
  cause: unknown,
): Promise<void> {
  const error = messageOf(cause).replaceAll('\u0000', '').toWellFormed().slice(0, MAX_ERROR_LENGTH).toWellFormed();
  const fields = { subscriber: claim.subscriber, topic: event.topic, key: event.key, attempts: claim.attempts, error };
  if (claim.attempts >= MAX_ATTEMPTS) {
    deps.log.error('an event could not be delivered and is given up', fields);
    await buryDelivery(deps.db, claim, token, error);
    return;
  }
  deps.log.warn('an event could not be delivered and is tried again', fields);
  await postponeDelivery(deps.db, claim, token, {
    dueAt: deps.clock.now() + retryMs(deps.random, claim.attempts),
    error,
  });
}

/** Doubles from half a second to ten minutes, half of it by chance. */
const retryMs = (random: Random, attempts: number): number =>
  Math.floor(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts) * (0.5 + random.next() / 2));
