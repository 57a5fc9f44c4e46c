import { type FileHandle, mkdir, open, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { damageOf, decodeSegment, encodeSegment, withoutRows } from '../../serving/segment.ts';

export interface SpooledSegment {
  /** `<incarnation>.<seq>`, in the order they were written. */
  readonly name: string;
  sizeBytes: number;
  stripped: boolean;
}

const SUFFIX = '.seg';
const MAX_REJECTED = 100;
/** Bytes of the newest segments that are kept to be sent without being read again. */
const KEPT_BYTES = 8 * 2 ** 20;

/**
 * Segments that wait for the server, a file each: written once, made durable, deleted after the acknowledgement. Above `limitBytes`
 * the oldest lose their rows, never their counters.
 */
export class Spool {
  readonly #dir: string;
  readonly #limitBytes: number;
  readonly #segments: SpooledSegment[] = [];
  readonly #kept = new Map<string, Uint8Array>();
  #keptBytes = 0;
  #sizeBytes = 0;
  /** What is under way is not cut: the server may have it whole. */
  #shipping: ReadonlySet<string> = new Set();
  rowsDropped = 0;
  rejected = 0;

  constructor(dir: string, limitBytes: number) {
    this.#dir = dir;
    this.#limitBytes = limitBytes;
  }

  /** Takes over what an earlier process left; torn segments, which no answer waits for, go. Answers the last time that they hold. */
  async recover(): Promise<{
    readonly lastTime: number | null;
    readonly torn: number;
    readonly newestEvents: ReadonlyMap<string, number>;
  }> {
    await mkdir(join(this.#dir, 'rejected'), { recursive: true });
    let lastTime: number | null = null;
    let torn = 0;
    const newestEvents = new Map<string, number>();
    for (const file of (await readdir(this.#dir)).sort()) {
      if (!file.endsWith(SUFFIX)) {
        if (file.endsWith('.tmp')) await unlink(join(this.#dir, file));
        continue;
      }
      const bytes = await readFile(join(this.#dir, file));
      if (damageOf(bytes)) {
        torn += 1;
        await unlink(join(this.#dir, file));
        continue;
      }
      const segment = decodeSegment(bytes);
      lastTime = Math.max(lastTime ?? 0, segment.to);
      for (const block of segment.blocks)
        noteNewest(newestEvents, block.endpoint, block.rows.columns.find((c) => c.name === 'event_time')?.values);
      this.#add(file.slice(0, -SUFFIX.length), bytes.length, segment.blocks.length === 0);
    }
    return { lastTime, torn, newestEvents };
  }

  /** Durable when it resolves. */
  async write(incarnation: string, seq: number, bytes: Uint8Array): Promise<void> {
    const name = `${incarnation}.${String(seq).padStart(10, '0')}`;
    await writeDurably(join(this.#dir, name + SUFFIX), bytes);
    this.#add(name, bytes.length, false);
    if (this.#keptBytes + bytes.length <= KEPT_BYTES) {
      this.#kept.set(name, bytes);
      this.#keptBytes += bytes.length;
    }
    if (this.#sizeBytes > this.#limitBytes) await this.#trim();
  }

  oldest(): SpooledSegment | undefined {
    return this.#segments[0];
  }

  /** The oldest segments, one after the other: one at least, at most `limit`, and no further one beyond `limitBytes`. */
  async readOldest(
    limit: number,
    limitBytes: number,
  ): Promise<{ readonly names: readonly string[]; readonly bytes: Uint8Array }> {
    const names: string[] = [];
    let size = 0;
    for (const segment of this.#segments.slice(0, limit)) {
      size += segment.sizeBytes;
      if (names.length > 0 && size > limitBytes) break;
      names.push(segment.name);
    }
    this.#shipping = new Set(names);
    const parts = await Promise.all(names.map((name) => this.read(name)));
    return { names, bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts) };
  }

  async read(name: string): Promise<Uint8Array> {
    return this.#kept.get(name) ?? readFile(this.#path(name));
  }

  /** The server has it. */
  async remove(name: string): Promise<void> {
    await unlink(this.#path(name));
    this.#forget(name);
  }

  /** The server will never take it: kept aside for a person, the newest `MAX_REJECTED`. */
  async reject(name: string): Promise<void> {
    const dir = join(this.#dir, 'rejected');
    await rename(this.#path(name), join(dir, name + SUFFIX));
    this.#forget(name);
    this.rejected += 1;
    const kept = (await readdir(dir)).sort();
    for (const file of kept.slice(0, -MAX_REJECTED)) await unlink(join(dir, file));
  }

  get size(): { readonly segments: number; readonly sizeBytes: number } {
    return { segments: this.#segments.length, sizeBytes: this.#sizeBytes };
  }

  async #trim(): Promise<void> {
    for (const segment of this.#segments) {
      if (this.#sizeBytes <= this.#limitBytes) return;
      if (segment.stripped || this.#shipping.has(segment.name)) continue;
      const cut = withoutRows(decodeSegment(await readFile(this.#path(segment.name))));
      const bytes = encodeSegment(cut);
      await writeDurably(`${this.#path(segment.name)}.tmp`, bytes);
      await rename(`${this.#path(segment.name)}.tmp`, this.#path(segment.name));
      this.rowsDropped += cut.rowsDropped;
      this.#sizeBytes += bytes.length - segment.sizeBytes;
      segment.sizeBytes = bytes.length;
      segment.stripped = true;
      this.#keptBytes -= this.#kept.get(segment.name)?.length ?? 0;
      this.#kept.delete(segment.name);
    }
  }

  #add(name: string, sizeBytes: number, stripped: boolean): void {
    this.#segments.push({ name, sizeBytes, stripped });
    this.#sizeBytes += sizeBytes;
  }

  #forget(name: string): void {
    this.#keptBytes -= this.#kept.get(name)?.length ?? 0;
    this.#kept.delete(name);
    const at = this.#segments.findIndex((segment) => segment.name === name);
    if (at >= 0) this.#sizeBytes -= this.#segments.splice(at, 1)[0]!.sizeBytes;
  }

  #path(name: string): string {
    return join(this.#dir, name + SUFFIX);
  }
}

function noteNewest(newest: Map<string, number>, endpoint: string, times: ArrayLike<unknown> | undefined): void {
  for (let i = 0; i < (times?.length ?? 0); i++) {
    const time = times![i];
    if (typeof time === 'number' && time > (newest.get(endpoint) ?? Number.NEGATIVE_INFINITY))
      newest.set(endpoint, time);
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file: FileHandle = await open(path, 'w', 0o600);
  try {
    await file.write(bytes, 0, bytes.length, 0);
    await file.datasync();
  } finally {
    await file.close();
  }
}

export interface Heartbeat {
  /** Everything answered before this is in the spool, or was. */
  readonly durableUntil: number;
  /** The process ended in order. */
  readonly isClean: boolean;
}

/** How a restart knows what a crash may have cost; undefined the first time. A file that cannot be understood is no end in order. */
export async function readHeartbeat(path: string): Promise<Heartbeat | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
  const [time, state] = text.split(' ');
  const durableUntil = Number(time);
  if (!Number.isFinite(durableUntil) || durableUntil <= 0) return { durableUntil: 0, isClean: false };
  return { durableUntil, isClean: state === 'clean' };
}

/** Replaced whole: a kill in the middle leaves the one before. */
export async function writeHeartbeat(path: string, { durableUntil, isClean }: Heartbeat): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, `${durableUntil} ${isClean ? 'clean' : 'alive'}`, { mode: 0o600 });
  await rename(temporary, path);
}
