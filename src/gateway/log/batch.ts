import { isNumberType, NumberRow } from '../../engines/number-row.ts';
import type { RowError, ServableSpec } from '../../engines/types.ts';
import type { Cell, Column, ColumnValues, Frame } from '../../kernel/frame.ts';
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

/** What a request shares with most of its neighbours in the log. */
export interface LoggedContext {
  readonly version: LoggedVersion;
  readonly role: Role;
  readonly rolloutId: string | null;
  readonly revision: number | null;
  readonly fallback: boolean;
  readonly rehearsal: string | null;
  readonly caller: string | null;
}

/** What all rows of a request share. */
export interface LoggedRequest extends LoggedContext {
  readonly requestId: string;
  readonly ids: readonly string[];
  readonly callerId: string | null;
  readonly eventTime: number;
  readonly receivedAt: number;
  readonly entity: string | null;
  /** Where each row names its own. */
  readonly entities: ColumnValues | null;
  readonly latencyUs: number;
  readonly status: 0 | 1 | 2;
  readonly error: string | null;
}

export interface LoggedAnswers {
  readonly labels: readonly Cell[];
  readonly scores: Float64Array;
  readonly errors?: readonly RowError[];
}

export const logSchemaOf = (projectId: string, endpoint: string, spec: Pick<ServableSpec, 'signature'>): LogSchema => ({
  projectId,
  endpoint,
  features: spec.signature.inputs.map(({ name, type }) => ({ name, isNumeric: isNumberType(type) })),
  batch: undefined,
  spare: [],
});

const ROWS = LIMITS.segmentRows;
/** Contexts that are compared before a new one is opened. */
const COMPARED_CONTEXTS = 8;

/**
 * Up to `LIMITS.segmentRows` rows in columns that are allocated once; a batch is filled, counted, encoded and used again. Of a request it keeps values,
 * never the request: what lives until the segment is written has to be moved by the garbage collector.
 */
export class Batch {
  readonly schema: LogSchema;
  readonly predictionIds: string[] = new Array(ROWS).fill('');
  readonly requestIds: string[] = new Array(ROWS).fill('');
  readonly rowOfRequest = new Float64Array(ROWS);
  readonly eventTimes = new Float64Array(ROWS);
  readonly receivedAt = new Float64Array(ROWS);
  readonly latencyUs = new Float64Array(ROWS);
  readonly status = new Float64Array(ROWS);
  readonly scores = new Float64Array(ROWS);
  readonly labels: Cell[] = new Array(ROWS).fill(null);
  readonly errors = new RareTexts();
  readonly callerIds = new RareTexts();
  readonly entities = new RareTexts();
  readonly features: readonly (Float64Array | Cell[])[];
  /** What the numeric ones among the features are views of. */
  readonly #numbers: Float64Array;
  readonly #contexts: LoggedContext[] = [];
  readonly #contextOf = new Uint16Array(ROWS);
  rows = 0;
  /** Every row was answered by its model. */
  isPlain = true;
  /** Every row's id is its request's. */
  isOneRowEach = true;

  constructor(schema: LogSchema) {
    this.schema = schema;
    this.#numbers = new Float64Array(schema.features.length * ROWS);
    this.features = schema.features.map(({ isNumeric }, f) =>
      isNumeric ? this.#numbers.subarray(f * ROWS, (f + 1) * ROWS) : new Array<Cell>(ROWS).fill(null),
    );
  }

  get isFull(): boolean {
    return this.rows === ROWS;
  }

  get contexts(): readonly LoggedContext[] {
    return this.#contexts;
  }

  contextOf(row: number): LoggedContext {
    return this.#contexts[this.#contextOf[row]!]!;
  }

  /** Adds row `row` of a request. `frame` holds the checked columns in the schema's order; null for a refused request. */
  add(request: LoggedRequest, row: number, frame: Frame | null, answers: LoggedAnswers | null): void {
    const at = this.rows++;
    const { requestId, error } = request;
    const predictionId = request.ids[row] ?? requestId;
    this.predictionIds[at] = predictionId;
    this.requestIds[at] = requestId;
    if (predictionId !== requestId) this.isOneRowEach = false;
    this.#contextOf[at] = this.#findContext(request);
    this.rowOfRequest[at] = row;
    this.eventTimes[at] = request.eventTime;
    this.receivedAt[at] = request.receivedAt;
    this.latencyUs[at] = request.latencyUs;
    this.status[at] = request.status;
    if (error !== null) this.errors.set(at, error);
    if (request.callerId !== null) this.callerIds.set(at, callerIdOf(request.callerId, request.ids, row));
    const entity = entityOf(request, row);
    if (entity !== null) this.entities.set(at, entity);
    this.labels[at] = answers === null ? null : (answers.labels[row] ?? null);
    this.scores[at] = answers === null ? Number.NaN : answers.scores[row]!;
    if (answers?.errors) this.#markFailed(at, row, answers.errors);
    if (this.status[at] !== 0 || request.fallback) this.isPlain = false;
    if (frame instanceof NumberRow) this.#addNumbers(at, frame.cells);
    else this.#addFeatures(at, row, frame);
  }

  /** A row of numbers only: every feature is numeric. */
  #addNumbers(at: number, cells: Float64Array): void {
    const numbers = this.#numbers;
    for (let f = 0, to = at; f < cells.length; f++, to += ROWS) numbers[to] = cells[f]!;
  }

  #addFeatures(at: number, row: number, frame: Frame | null): void {
    const { features } = this;
    const columns = frame?.columns;
    for (let f = 0; f < features.length; f++) {
      const column = features[f]!;
      const value = columns === undefined ? undefined : columns[f]!.values[row];
      if (column instanceof Float64Array) column[at] = value === undefined ? Number.NaN : (value as number);
      else column[at] = value ?? null;
    }
  }

  #markFailed(at: number, row: number, errors: NonNullable<LoggedAnswers['errors']>): void {
    const error = errors.find((candidate) => candidate.row === row);
    if (!error) return;
    this.status[at] = error.refused ? 2 : 1;
    this.errors.set(at, error.message.slice(0, LIMITS.errorCharacters));
  }

  /** Among the newest ones; two that are equal do no harm. */
  #findContext(request: LoggedRequest): number {
    const contexts = this.#contexts;
    const oldest = Math.max(0, contexts.length - COMPARED_CONTEXTS);
    for (let i = contexts.length - 1; i >= oldest; i--) if (isSameContext(contexts[i]!, request)) return i;
    const { version, role, rolloutId, revision, fallback, rehearsal, caller } = request;
    return contexts.push({ version, role, rolloutId, revision, fallback, rehearsal, caller }) - 1;
  }

  clear(): void {
    this.rows = 0;
    this.isPlain = true;
    this.isOneRowEach = true;
    this.#contexts.length = 0;
    for (const texts of [this.errors, this.callerIds, this.entities]) texts.clear();
  }

  /** The raw columns, as views of this batch. */
  featureFrame(): Frame {
    const columns = this.schema.features.map(
      ({ name }, f): Column => ({ name, values: firstOf(this.features[f]!, this.rows) }),
    );
    return { rowCount: this.rows, columns };
  }
}

/** A column of texts that most rows do not have. */
export class RareTexts {
  readonly #values: (string | null)[] = new Array(ROWS).fill(null);
  isEmpty = true;

  set(at: number, text: string): void {
    this.#values[at] = text;
    this.isEmpty = false;
  }

  get(at: number): string | null {
    return this.#values[at]!;
  }

  clear(): void {
    if (!this.isEmpty) this.#values.fill(null);
    this.isEmpty = true;
  }
}

export const firstOf = <T extends Float64Array | Cell[]>(values: T, rows: number): T =>
  (values instanceof Float64Array ? values.subarray(0, rows) : values.slice(0, rows)) as T;

const isSameContext = (a: LoggedContext, b: LoggedContext): boolean =>
  a.version === b.version &&
  a.role === b.role &&
  a.rolloutId === b.rolloutId &&
  a.revision === b.revision &&
  a.fallback === b.fallback &&
  a.rehearsal === b.rehearsal &&
  a.caller === b.caller;

/** The caller's OIP id names a request; with several rows, row n is `id.n`. */
const callerIdOf = (callerId: string, ids: readonly string[], row: number): string =>
  ids.length <= 1 ? callerId : `${callerId}.${row}`;

export function entityOf({ entity, entities }: Pick<LoggedRequest, 'entity' | 'entities'>, row: number): string | null {
  if (entities === null) return entity;
  const value = entities[row];
  return value === null || value === undefined || Number.isNaN(value) ? null : String(value);
}
