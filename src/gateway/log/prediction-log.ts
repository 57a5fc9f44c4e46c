import { messageOf } from '../../kernel/errors.ts';
import type { Frame } from '../../kernel/frame.ts';
import type { Clock, Log } from '../../ports/system.ts';
import { type BlockDraft, encodeSegment } from '../../serving/segment.ts';
import { LIMITS } from '../limits.ts';
import { Batch, type LoggedAnswers, type LoggedRequest, type LogSchema } from './batch.ts';
import { blockOf } from './block.ts';
import { Tallies } from './counting.ts';
import type { Spool } from './spool.ts';

export interface PredictionLogDeps {
  readonly spool: Spool;
  readonly clock: Clock;
  readonly log: Log;
  readonly gatewayId: string;
  readonly incarnation: string;
  /** A segment is in the spool. */
  readonly onSegment: () => void;
}

const RETRY_MS = 1_000;

/**
 * The prediction log. `append` copies a request's rows into the batch of its endpoint and returns; batches are counted, encoded and made durable
 * later, at the latest `LIMITS.segmentMs` after their first row. Nothing here ever waits in a request.
 */
export class PredictionLog {
  readonly #deps: PredictionLogDeps;
  readonly #tallies = new Tallies();
  readonly #open = new Set<LogSchema>();
  readonly #waiting: Batch[] = [];
  #timer: NodeJS.Timeout | undefined;
  #pumping: Promise<void> | undefined;
  #writingSince: number | undefined;
  #seq = 0;
  #rowsDropped = 0;
  #unreportedDrops = 0;
  bytesWritten = 0;

  constructor(deps: PredictionLogDeps) {
    this.#deps = deps;
  }

  /** `frame` holds the checked raw columns in the version's order; null, as `answers`, where the request was refused: then it makes one row. */
  append(request: LoggedRequest, frame: Frame | null, answers: LoggedAnswers | null): void {
    const { schema } = request.version;
    const rows = frame === null ? 1 : frame.rowCount;
    for (let row = 0; row < rows; row++) {
      let batch = schema.batch;
      if (!batch) {
        batch = schema.spare.pop() ?? new Batch(schema);
        schema.batch = batch;
        this.#open.add(schema);
        this.#timer ??= setTimeout(this.#onTimer, LIMITS.segmentMs);
      }
      batch.add(request, row, frame, answers);
      if (batch.isFull) this.#seal(schema);
    }
  }

  /** Everything appended so far is durable when it resolves. */
  async flush(): Promise<void> {
    this.#sealAll();
    while (this.#pumping) await this.#pumping;
  }

  /** Everything answered before this time is durable. */
  durableUntil(): number {
    let until = this.#writingSince ?? this.#deps.clock.now();
    for (const batch of this.#waiting) until = Math.min(until, batch.receivedAt[0]!);
    for (const schema of this.#open) if (schema.batch) until = Math.min(until, schema.batch.receivedAt[0]!);
    return until;
  }

  get rowsDropped(): number {
    return this.#rowsDropped + this.#deps.spool.rowsDropped;
  }

  readonly #onTimer = (): void => this.#sealAll();

  #sealAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const schema of this.#open) this.#seal(schema);
  }

  #seal(schema: LogSchema): void {
    const batch = schema.batch;
    schema.batch = undefined;
    this.#open.delete(schema);
    if (!batch || batch.rows === 0) return;
    this.#waiting.push(batch);
    if (this.#waiting.length > LIMITS.waitingBatches) this.#dropOldest();
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined;
    });
  }

  #dropOldest(): void {
    const batch = this.#waiting.shift()!;
    this.#tallies.count(batch);
    this.#rowsDropped += batch.rows;
    this.#unreportedDrops += batch.rows;
    recycle(batch);
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      const { bytes, since } = this.#encodeNext();
      this.#writingSince = since;
      await this.#write(bytes);
      this.#writingSince = undefined;
      this.#deps.onSegment();
    }
  }

  /** One segment: batches that wait, up to `LIMITS.segmentRows` rows in all. */
  #encodeNext(): { readonly bytes: Uint8Array; readonly since: number } {
    const batches: Batch[] = [];
    let rows = 0;
    let from = Number.POSITIVE_INFINITY;
    let to = 0;
    while (this.#waiting.length > 0 && (rows === 0 || rows + this.#waiting[0]!.rows <= LIMITS.segmentRows)) {
      const batch = this.#waiting.shift()!;
      rows += batch.rows;
      from = Math.min(from, batch.receivedAt[0]!);
      to = Math.max(to, batch.receivedAt[batch.rows - 1]!);
      this.#tallies.count(batch);
      batches.push(batch);
    }
    const bytes = this.#encode(batches.map(blockOf), from, to);
    batches.forEach(recycle);
    return { bytes, since: from };
  }

  #encode(blocks: readonly BlockDraft[], from: number, to: number): Uint8Array {
    const { gatewayId, incarnation } = this.#deps;
    const { deltas, release } = this.#tallies.take();
    this.#seq += 1;
    const rowsDropped = this.#unreportedDrops;
    this.#unreportedDrops = 0;
    const bytes = encodeSegment({
      gatewayId,
      incarnation,
      seq: this.#seq,
      from,
      to,
      blocks,
      counters: deltas,
      rowsDropped,
    });
    release();
    return bytes;
  }

  /** A full disk is waited out; meanwhile batches queue up, and beyond the bound their rows go. */
  async #write(bytes: Uint8Array): Promise<void> {
    const { spool, incarnation, log, clock } = this.#deps;
    for (let attempt = 0; ; attempt++) {
      try {
        await spool.write(incarnation, this.#seq, bytes);
        this.bytesWritten += bytes.length;
        return;
      } catch (error) {
        if (attempt % 60 === 0)
          log.error('The prediction log cannot be written; it is tried again', { error: messageOf(error) });
        await clock.sleep(RETRY_MS);
      }
    }
  }
}

function recycle(batch: Batch): void {
  batch.clear();
  if (batch.schema.spare.length < 2) batch.schema.spare.push(batch);
}
