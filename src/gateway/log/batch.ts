import type { ServableSpec } from '../../engines/types.ts';
import type { Cell, Column, ColumnValues, Frame } from '../../kernel/frame.ts';
import type { SegmentBlock } from '../../serving/segment.ts';
import type { MonitorProfile } from '../../stats/profile.ts';
import { LIMITS } from '../limits.ts';
import type { Role } from '../serve/arm-stats.ts';

/** Rows that share a batch: of one endpoint, with the same raw columns. */
export interface LogSchema {
  readonly projectId: string;
  readonly endpoint: string;
  readonly features: readonly LoggedFeature[];
  /** The batch that is being filled; the log's own. */
  batch: Batch | undefined;
  /** Batches to fill again. */
  readonly spare: Batch[];
}

interface LoggedFeature {
  readonly name: string;
  readonly isNumeric: boolean;
}

/** A version as the log needs to know it. */
export interface LoggedVersion {
  readonly spec: Pick<ServableSpec, 'versionId' | 'signature'>;
  readonly profile: MonitorProfile;
  readonly schema: LogSchema;
}

/** What all rows of a request share. */
export interface LoggedRequest {
  readonly version: LoggedVersion;
  readonly role: Role;
  readonly requestId: string;
  readonly ids: readonly string[];
  readonly callerId: string | null;
  readonly rolloutId: string | null;
  readonly revision: number | null;
  readonly eventTime: number;
  readonly receivedAt: number;
  readonly entity: string | null;
  /** Where each row names its own. */
  readonly entities: ColumnValues | null;
  readonly latencyUs: number;
  readonly fallback: boolean;
  readonly rehearsal: string | null;
  readonly caller: string | null;
  readonly status: 0 | 1 | 2;
  readonly error: string | null;
}

export interface LoggedAnswers {
  readonly labels: readonly Cell[];
  readonly scores: Float64Array;
  readonly errors?: readonly { readonly row: number; readonly message: string }[];
}

const NUMERIC: ReadonlySet<string> = new Set(['double', 'float', 'long', 'integer', 'datetime']);

export const logSchemaOf = (projectId: string, endpoint: string, spec: Pick<ServableSpec, 'signature'>): LogSchema => ({
  projectId,
  endpoint,
  features: spec.signature.inputs.map(({ name, type }) => ({ name, isNumeric: NUMERIC.has(type) })),
  batch: undefined,
  spare: [],
});

/** Up to `LIMITS.segmentRows` rows in columns that are allocated once; a batch is filled, counted, encoded and used again. */
export class Batch {
  readonly schema: LogSchema;
  /** The request of each row: the texts that it shares with its neighbours are written out only when the segment is. */
  readonly requests: LoggedRequest[] = new Array(LIMITS.segmentRows);
  readonly rowOfRequest = new Float64Array(LIMITS.segmentRows);
  readonly eventTimes = new Float64Array(LIMITS.segmentRows);
  readonly receivedAt = new Float64Array(LIMITS.segmentRows);
  readonly latencyUs = new Float64Array(LIMITS.segmentRows);
  readonly status = new Float64Array(LIMITS.segmentRows);
  readonly scores = new Float64Array(LIMITS.segmentRows);
  readonly errors: (string | null)[] = new Array(LIMITS.segmentRows).fill(null);
  readonly labels: Cell[] = new Array(LIMITS.segmentRows).fill(null);
  readonly features: (Float64Array | Cell[])[];
  rows = 0;
  /** Every row was answered by its model. */
  isPlain = true;

  constructor(schema: LogSchema) {
    this.schema = schema;
    this.features = schema.features.map(({ isNumeric }) =>
      isNumeric ? new Float64Array(LIMITS.segmentRows) : new Array<Cell>(LIMITS.segmentRows).fill(null),
    );
  }

  get isFull(): boolean {
    return this.rows === LIMITS.segmentRows;
  }

  /** Adds row `row` of a request. `frame` holds the checked columns in the schema's order; null for a refused request. */
  add(request: LoggedRequest, row: number, frame: Frame | null, answers: LoggedAnswers | null): void {
    const at = this.rows++;
    this.requests[at] = request;
    this.rowOfRequest[at] = row;
    this.eventTimes[at] = request.eventTime;
    this.receivedAt[at] = request.receivedAt;
    this.latencyUs[at] = request.latencyUs;
    this.status[at] = request.status;
    this.errors[at] = request.error;
    this.labels[at] = answers === null ? null : (answers.labels[row] ?? null);
    this.scores[at] = answers === null ? Number.NaN : answers.scores[row]!;
    if (answers?.errors) this.#markFailed(at, row, answers.errors);
    if (this.status[at] !== 0 || request.fallback) this.isPlain = false;
    const columns = frame?.columns;
    for (let f = 0; f < this.features.length; f++) {
      const column = this.features[f]!;
      const value = columns === undefined ? undefined : columns[f]!.values[row];
      if (column instanceof Float64Array) column[at] = value === undefined ? Number.NaN : (value as number);
      else column[at] = value ?? null;
    }
  }

  #markFailed(at: number, row: number, errors: NonNullable<LoggedAnswers['errors']>): void {
    const error = errors.find((candidate) => candidate.row === row);
    if (!error) return;
    this.status[at] = 1;
    this.errors[at] = error.message.slice(0, LIMITS.errorCharacters);
  }

  clear(): void {
    this.rows = 0;
    this.isPlain = true;
  }

  /** The raw columns, as views of this batch. */
  featureFrame(): Frame {
    const columns = this.schema.features.map(
      ({ name }, f): Column => ({ name, values: firstOf(this.features[f]!, this.rows) }),
    );
    return { rowCount: this.rows, columns };
  }

  /** The block of a segment; its columns are views or fresh, so encode it before `clear`. */
  toBlock(): SegmentBlock {
    const { projectId, endpoint } = this.schema;
    return { projectId, endpoint, rows: this.#rowFrame(), features: this.featureFrame() };
  }

  #rowFrame(): Frame {
    const { rows } = this;
    const columns: Column[] = [
      { name: 'prediction_id', values: this.#each((request, row) => request.ids[row] ?? request.requestId) },
      { name: 'request_id', values: this.#each((r) => r.requestId) },
      { name: 'request_row', values: firstOf(this.rowOfRequest, rows) },
      { name: 'caller_id', values: this.#each(callerIdOf) },
      { name: 'version_id', values: this.#each((r) => r.version.spec.versionId) },
      { name: 'role', values: this.#each((r) => r.role) },
      { name: 'rollout_id', values: this.#each((r) => r.rolloutId) },
      { name: 'revision', values: this.#each((r) => r.revision) },
      { name: 'event_time', values: firstOf(this.eventTimes, rows) },
      { name: 'received_at', values: firstOf(this.receivedAt, rows) },
      { name: 'entity', values: this.#each(entityOf) },
      { name: 'unit', values: this.#each((request, row) => entityOf(request, row) ?? request.requestId) },
      { name: 'latency_us', values: firstOf(this.latencyUs, rows) },
      { name: 'status', values: firstOf(this.status, rows) },
      { name: 'error', values: firstOf(this.errors, rows) },
      { name: 'label', values: firstOf(this.labels, rows) },
      { name: 'score', values: firstOf(this.scores, rows) },
      { name: 'fallback', values: this.#each((r) => r.fallback) },
      { name: 'rehearsal', values: this.#each((r) => r.rehearsal) },
      { name: 'caller', values: this.#each((r) => r.caller) },
    ];
    return { rowCount: rows, columns };
  }

  #each(read: (request: LoggedRequest, row: number) => Cell): Cell[] {
    const cells = new Array<Cell>(this.rows);
    for (let i = 0; i < this.rows; i++) cells[i] = read(this.requests[i]!, this.rowOfRequest[i]!);
    return cells;
  }
}

const firstOf = <T extends Float64Array | Cell[]>(values: T, rows: number): T =>
  (values instanceof Float64Array ? values.subarray(0, rows) : values.slice(0, rows)) as T;

/** The caller's OIP id names a request; with several rows, row n is `id.n`. */
const callerIdOf = ({ callerId, ids }: LoggedRequest, row: number): string | null =>
  callerId === null || ids.length <= 1 ? callerId : `${callerId}.${row}`;

export function entityOf({ entity, entities }: Pick<LoggedRequest, 'entity' | 'entities'>, row: number): string | null {
  if (entities === null) return entity;
  const value = entities[row];
  return value === null || value === undefined || Number.isNaN(value) ? null : String(value);
}
