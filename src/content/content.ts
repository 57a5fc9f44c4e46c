import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { AppError } from '../kernel/errors.ts';
import { sha256 } from '../kernel/hash.ts';
import type { Db, Tx } from '../ports/db.ts';
import type { ByteRange, ObjectStore } from '../ports/object-store.ts';
import type { Clock, Random } from '../ports/system.ts';
import { type CollectReport, collect } from './collect.ts';
import {
  type ContentOwner,
  deleteReferences,
  findContent,
  insertOwners,
  insertReferences,
  pinContent,
  type StoredContent,
  touchContent,
  upsertContent,
} from './content.store.ts';
import { hashing } from './hashing.ts';
import { createLocalCopies } from './local-copies.ts';
import { newObjectKey } from './object-keys.ts';

export interface ContentDeps {
  readonly db: Db;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  /** Where copies of remote objects lie; may be emptied at any time while nothing runs. */
  readonly cacheDir: string;
}

/** All that a pillar holds of bytes. `digest` is lower-case hex SHA-256. */
export interface ContentRef {
  readonly digest: string;
  readonly sizeBytes: number;
}

/** Bytes that are durable and not content yet. */
export interface StagedContent extends ContentRef {
  readonly objectKey: string;
}

/**
 * Content-addressed bytes, stored once however often they are put.
 *
 * - `put` streams, and is durable when it resolves. What it stored is kept for 24 hours, or as long as a reference stands.
 * - `reference` belongs in the transaction that writes the row which names the digests; it throws `not_found` where one of
 *   them is not stored. `release` drops all references of an owner.
 * - `stage` and `adopt` are a put and its references with one commit instead of three, for bytes that are surely new: `stage` is
 *   durable, `adopt` belongs in the transaction of the row that names the digest. What is staged and never adopted is collected.
 * - `open` and `bytes` throw `not_found`; `bytes` throws `too_large` beyond `maxBytes` and checks the digest.
 * - `localPath` is a file with these bytes, to be read only. Ask again rather than keeping it: an unreferenced one may go.
 * - `collect` removes what nothing has held on to for 24 hours.
 */
export interface Content {
  put(body: Readable | Uint8Array): Promise<ContentRef>;
  putFile(path: string): Promise<ContentRef>;
  stage(bytes: Uint8Array): Promise<StagedContent>;
  adopt(tx: Tx, owners: readonly ContentOwner[], staged: StagedContent): Promise<void>;
  /** Drops what will not be adopted. */
  discard(staged: StagedContent): Promise<void>;
  open(digest: string, range?: ByteRange): Promise<Readable>;
  bytes(digest: string, maxBytes: number): Promise<Uint8Array>;
  localPath(digest: string): Promise<string>;
  find(digest: string): Promise<ContentRef | undefined>;
  reference(tx: Tx, owner: ContentOwner, digests: readonly string[]): Promise<void>;
  release(tx: Tx, owner: ContentOwner): Promise<void>;
  collect(now: number): Promise<CollectReport>;
}

export const PIN_MS = 24 * 3_600_000;
const REFERENCES_A_STATEMENT = 500;
const MAX_REMEMBERED = 10_000;

export function createContent(deps: ContentDeps): Content {
  const remembered = new Map<string, StoredContent>();
  const copies = createLocalCopies(deps);

  /** Digests and keys never change their bytes, so what was found once holds until its object is gone. */
  async function locate(digest: string): Promise<StoredContent> {
    const known = remembered.get(digest);
    if (known) return known;
    const stored = await deps.db.read((tx) => findContent(tx, digest));
    if (!stored) throw missing(digest);
    remembered.set(digest, stored);
    if (remembered.size > MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!);
    return stored;
  }

  /** Looks again once where the object that was remembered has been collected. */
  async function withStored<T>(digest: string, use: (stored: StoredContent) => Promise<T>): Promise<T> {
    const wasKnown = remembered.has(digest);
    try {
      return await use(await locate(digest));
    } catch (error) {
      remembered.delete(digest);
      if (!wasKnown || !(error instanceof AppError) || error.code !== 'not_found') throw error;
      return use(await locate(digest));
    }
  }

  const open = (digest: string, range?: ByteRange): Promise<Readable> =>
    withStored(digest, ({ objectKey }) => deps.objects.get(objectKey, range));

  return {
    put: async (body) => toRef(body instanceof Readable ? await putStream(deps, body) : await putBytes(deps, body)),
    putFile: async (path) => toRef(await putStream(deps, createReadStream(path))),
    stage: (bytes) => stage(deps, bytes),
    adopt: (tx, owners, staged) => adopt(tx, owners, staged, deps.clock.now()),
    discard: ({ objectKey }) => deps.objects.delete(objectKey),
    open,
    bytes: (digest, maxBytes) => withStored(digest, (stored) => readWhole(deps.objects, stored, maxBytes)),
    localPath: (digest) => withStored(digest, copies.pathOf),
    find: async (digest) => {
      const stored = await deps.db.read((tx) => findContent(tx, digest));
      return stored && toRef(stored);
    },
    reference: (tx, owner, digests) => reference(tx, owner, digests, deps.clock.now()),
    release: deleteReferences,
    collect: (now) => collect(deps, now),
  };
}

const toRef = ({ digest, sizeBytes }: StoredContent): ContentRef => ({ digest, sizeBytes });

const missing = (digest: string): AppError =>
  new AppError('not_found', `There is no content ${digest.slice(0, 12)}`, { digest });

async function putStream(deps: ContentDeps, body: Readable): Promise<StoredContent> {
  const objectKey = newObjectKey(deps);
  const { stream, result } = hashing(body);
  await deps.objects.putIfAbsent(objectKey, stream);
  return record(deps, { objectKey, ...result() });
}

/** Bytes whose digest is known beforehand are not written again. */
async function putBytes(deps: ContentDeps, bytes: Uint8Array): Promise<StoredContent> {
  const digest = sha256(bytes);
  const now = deps.clock.now();
  const known = await deps.db.write((tx) => pinContent(tx, digest, now, now + PIN_MS));
  if (known) return known;
  const objectKey = newObjectKey(deps);
  await deps.objects.putIfAbsent(objectKey, bytes);
  return record(deps, { objectKey, digest, sizeBytes: bytes.byteLength });
}

async function stage(deps: ContentDeps, bytes: Uint8Array): Promise<StagedContent> {
  const objectKey = newObjectKey(deps);
  await deps.objects.putIfAbsent(objectKey, bytes);
  return { objectKey, digest: sha256(bytes), sizeBytes: bytes.byteLength };
}

/** Where the digest was known already its first object stands, and ours is left to the collector. */
async function adopt(tx: Tx, owners: readonly ContentOwner[], staged: StagedContent, now: number): Promise<void> {
  await upsertContent(tx, staged, now, now + PIN_MS);
  for (let at = 0; at < owners.length; at += REFERENCES_A_STATEMENT)
    await insertOwners(tx, owners.slice(at, at + REFERENCES_A_STATEMENT), staged.digest);
}

/** The object is durable by now. Where the digest was known already, ours is one too many. */
async function record(deps: ContentDeps, stored: StoredContent): Promise<StoredContent> {
  const now = deps.clock.now();
  const standing = await deps.db.write((tx) => upsertContent(tx, stored, now, now + PIN_MS));
  if (standing.objectKey !== stored.objectKey) await deps.objects.delete(stored.objectKey);
  return standing;
}

async function reference(tx: Tx, owner: ContentOwner, digests: readonly string[], now: number): Promise<void> {
  const wanted = [...new Set(digests)].sort();
  for (let at = 0; at < wanted.length; at += REFERENCES_A_STATEMENT) {
    const some = wanted.slice(at, at + REFERENCES_A_STATEMENT);
    const found = new Set(await touchContent(tx, some, now));
    const lost = some.find((digest) => !found.has(digest));
    if (lost) throw missing(lost);
    await insertReferences(tx, owner, some);
  }
}

async function readWhole(objects: ObjectStore, stored: StoredContent, maxBytes: number): Promise<Uint8Array> {
  if (stored.sizeBytes > maxBytes) {
    throw new AppError(
      'too_large',
      `Content ${stored.digest.slice(0, 12)} has ${stored.sizeBytes} bytes; at most ${maxBytes} are read at once`,
    );
  }
  const bytes = Buffer.concat(await (await objects.get(stored.objectKey)).toArray());
  if (sha256(bytes) !== stored.digest) {
    throw new AppError(
      'unavailable',
      `Content ${stored.digest.slice(0, 12)} is damaged in the object store; restore a backup`,
    );
  }
  return bytes;
}
