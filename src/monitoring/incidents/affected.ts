import { Readable } from 'node:stream';
import { type Cell, cellAt, type Frame, findColumn } from '../../kernel/frame.ts';
import { findVersionById } from '../../registry/index.ts';
import { countersOf, listPredictions, type Prediction, readPredictions } from '../../serving/index.ts';
import type { Actor, RawResponse } from '../../wire/route.ts';
import { selectLabels, selectLabelsInRange } from '../labels/labels.store.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { getRow } from './incidents.ts';
import { type IncidentSpan, spanOf } from './span.ts';

const HOUR_MS = 3_600_000;
/** Rows of one day that an export reads at once. */
const MAX_DAY_ROWS = 1_000_000;

export interface AffectedPredictions {
  /** Event time: from inclusive, to exclusive. */
  readonly from: string;
  readonly to: string;
  /** All of them, counted by whole hours of event time. */
  readonly total: number;
  /** The newest of them; `truth` is the label that has come, in the terms of the target column. */
  readonly items: readonly (Prediction & { readonly truth: Cell })[];
}

/** Predictions that an incident is about, the newest first, with what came true. */
export async function listAffected(
  deps: MonitoringDeps,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly number: number; readonly limit: number },
): Promise<AffectedPredictions> {
  const span = await spanOf(deps, await deps.db.read((tx) => getRow(tx, actor.projectId, input.number)));
  const found = await listPredictions(deps.serving, { ...span, limit: input.limit });
  const ids = found.map(({ id }) => id);
  const labels =
    ids.length === 0 ? [] : await deps.db.read((tx) => selectLabels(tx, span.projectId, span.endpoint, ids));
  const truths = new Map(labels.map((label) => [label.prediction_id, JSON.parse(label.value) as Cell]));
  return {
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    total: await countAffected(deps, span),
    items: found.map((prediction) => ({ ...prediction, truth: truths.get(prediction.id) ?? null })),
  };
}

export async function countAffected(deps: Pick<MonitoringDeps, 'serving'>, span: IncidentSpan): Promise<number> {
  const { versionId } = span;
  const range = { ...span, from: Math.floor(span.from / HOUR_MS) * HOUR_MS };
  const counted = await countersOf(deps.serving, range);
  return counted
    .filter((window) => versionId === undefined || window.versionId === versionId)
    .reduce((sum, { counters }) => sum + counters.rows, 0);
}

const LOGGED = [
  'prediction_id',
  'caller_id',
  'entity',
  'event_time',
  'received_at',
  'role',
  'status',
  'error',
  'label',
  'score',
  'fallback',
  'latency_us',
] as const;
const TIMES: ReadonlySet<string> = new Set(['event_time', 'received_at']);
const STATUS = ['ok', 'error', 'refused'];
const TYPES = { csv: 'text/csv; charset=utf-8', jsonl: 'application/x-ndjson' } as const;
export type ExportFormat = keyof typeof TYPES;

/** Every affected prediction as a file, day by day, so that its size does not matter. */
export async function exportAffected(
  deps: MonitoringDeps,
  actor: Pick<Actor, 'projectId'>,
  input: { readonly number: number; readonly format: ExportFormat },
): Promise<RawResponse> {
  const row = await deps.db.read((tx) => getRow(tx, actor.projectId, input.number));
  const span = await spanOf(deps, row);
  const version = span.versionId === undefined ? undefined : await findVersionById(deps.registry, span.versionId);
  const features = (version?.spec?.signature.inputs ?? []).map(({ name }) => name);
  return {
    raw: true,
    headers: {
      'content-type': TYPES[input.format],
      'content-disposition': `attachment; filename="incident-${row.number}.${input.format}"`,
      'cache-control': 'no-store',
    },
    body: Readable.from(linesOf(deps, span, { ...input, features, version: version?.version ?? null })),
  };
}

interface Asked {
  readonly format: ExportFormat;
  readonly features: readonly string[];
  readonly version: number | null;
}

async function* linesOf(deps: MonitoringDeps, span: IncidentSpan, asked: Asked): AsyncGenerator<string> {
  const names = ['version', ...LOGGED, 'truth', ...asked.features.map((name) => `input.${name}`)];
  if (asked.format === 'csv') yield `${names.map(toCsvCell).join(',')}\n`;
  for (const start of await daysOf(deps, span)) {
    const range = { ...span, from: Math.max(span.from, start), to: Math.min(span.to, start + WINDOW_MS) };
    const rows = await readPredictions(deps.serving, { ...range, limit: MAX_DAY_ROWS });
    const labels = await deps.db.read((tx) =>
      selectLabelsInRange(tx, { ...range, availableBy: Number.MAX_SAFE_INTEGER }),
    );
    const truths = new Map(labels.map((label) => [label.prediction_id, JSON.parse(label.value) as Cell]));
    const lines: string[] = [];
    for (let i = 0; i < rows.rowCount; i++) lines.push(toLine(rows, i, truths, asked));
    if (lines.length > 0) yield lines.join('');
  }
}

/** Days of the span that hold anything. */
async function daysOf(deps: MonitoringDeps, span: IncidentSpan): Promise<readonly number[]> {
  const day = (time: number): number => Math.floor(time / WINDOW_MS) * WINDOW_MS;
  const counted = await countersOf(deps.serving, { ...span, from: day(span.from) });
  return [...new Set(counted.map(({ windowStart }) => day(windowStart)))].sort((a, b) => a - b);
}

function toLine(
  rows: Frame,
  i: number,
  truths: ReadonlyMap<string, Cell>,
  { format, features, version }: Asked,
): string {
  const cell = (name: string): Cell => cellAt(findColumn(rows, name)?.values ?? [], i);
  const logged = LOGGED.map((name) => [name, toLogged(name, cell(name))] as const);
  const truth = truths.get(String(cell('prediction_id'))) ?? null;
  const inputs = features.map((name) => [name, cell(name)] as const);
  if (format === 'csv')
    return `${[version, ...logged.map(([, value]) => value), truth, ...inputs.map(([, value]) => value)].map(toCsvCell).join(',')}\n`;
  return `${JSON.stringify({ version, ...Object.fromEntries(logged), truth, inputs: Object.fromEntries(inputs) })}\n`;
}

function toLogged(name: (typeof LOGGED)[number], value: Cell): Cell {
  if (typeof value !== 'number') return value;
  if (Number.isNaN(value)) return null;
  if (TIMES.has(name)) return new Date(value).toISOString();
  return name === 'status' ? (STATUS[value] ?? value) : value;
}

/** RFC 4180: quoted where it has to be; missing is empty. */
function toCsvCell(value: Cell): string {
  if (value === null || Number.isNaN(value)) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
