import type { Readable } from 'node:stream';

export interface ByteRange {
  readonly start: number;
  /** Exclusive. */
  readonly end?: number;
}

export interface ObjectInfo {
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * Bytes under opaque keys (`[a-z0-9/_.-]`, at most 200 characters). Objects are immutable once put.
 *
 * - `putIfAbsent` streams, is atomic (a reader sees all or nothing, also after a crash) and durable when it resolves;
 *   answers false and changes nothing where the key exists.
 * - `get` and `head` throw `not_found`; `get` of a range beyond the end throws `invalid`.
 * - `list` is complete, in key order; `delete` of a missing key is fine.
 */
export interface ObjectStore {
  putIfAbsent(key: string, body: Readable | Uint8Array, sizeBytes?: number): Promise<boolean>;
  get(key: string, range?: ByteRange): Promise<Readable>;
  head(key: string): Promise<ObjectInfo>;
  list(prefix: string): AsyncIterable<ObjectInfo>;
  delete(key: string): Promise<void>;
  /** Files only: where the object lies, so that nothing need be copied to read it. Nobody may write there. */
  localPath?(key: string): string;
}

const KEY = /^(?!\.)[a-z0-9_.-]+(?:\/(?!\.)[a-z0-9_.-]+)*$/;
const MAX_KEY_LENGTH = 200;

/** For adapters: refuses keys outside the closed alphabet, so that none can leave the store's folder. */
export function assertObjectKey(key: string): void {
  if (key.length > MAX_KEY_LENGTH || !KEY.test(key)) {
    throw new Error(`"${key.slice(0, 80)}" is not an object key: [a-z0-9/_.-], at most ${MAX_KEY_LENGTH} characters`);
  }
}
