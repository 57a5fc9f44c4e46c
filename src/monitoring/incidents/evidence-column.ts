import { findColumn } from '../../kernel/frame.ts';
import { readPredictions } from '../../serving/index.ts';
import { judgedBy } from '../evaluation/versions.ts';
import type { EvaluationTable, IncidentTable } from '../tables.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import type { EvidenceChart } from './evidence-charts.ts';
import type { IncidentSpan } from './span.ts';

const HOUR_MS = 3_600_000;
const BEFORE_MS = 2 * WINDOW_MS;
const LONGEST_MS = 7 * WINDOW_MS;
const MAX_ROWS = 100_000;

/** The column that broke, as its mean by the hour beside what training held; undefined where no numeric column is named. */
export async function columnChart(
  deps: MonitoringDeps,
  row: IncidentTable,
  span: IncidentSpan,
  opened: readonly EvaluationTable[],
): Promise<EvidenceChart | undefined> {
  if (row.cause !== 'broken' || row.version_id === null) return undefined;
  const alarm = opened.find(({ state, rule }) => state === 'red' && rule !== 'data.refused');
  const { column } = JSON.parse(alarm?.details ?? '{}') as { column?: string | null };
  const known = (await judgedBy(deps, row.version_id))?.profile?.features.find(({ name }) => name === column);
  if (!column || known?.kind !== 'numeric') return undefined;
  const to = Math.min(span.to, row.since + LONGEST_MS);
  const range = { projectId: row.project_id, endpoint: row.endpoint, from: row.since - BEFORE_MS, to };
  const columns = ['event_time', column];
  const read = (rehearsal: string | null) =>
    readPredictions(deps.serving, { ...range, rehearsal, columns, limit: MAX_ROWS }).then((rows) =>
      hourlyMeans(findColumn(rows, 'event_time')?.values ?? [], findColumn(rows, column)?.values ?? []),
    );
  const live = await read(null);
  const tried = row.rehearsal === null ? undefined : await read(row.rehearsal);
  const counted = [...live.keys(), ...(tried?.keys() ?? [])];
  if (counted.length === 0) return undefined;
  const hours = hoursBetween(Math.min(...counted), Math.max(...counted));
  return {
    rule: alarm!.rule,
    title: `Mean of ${column} by the hour, against training`,
    unit: 'value',
    yLabel: column,
    at: hours.map((hour) => new Date(hour).toISOString()),
    series: [
      { label: 'live', kind: 'live', values: hours.map((hour) => live.get(hour) ?? null) },
      ...(tried
        ? [{ label: 'rehearsal', kind: 'rehearsal' as const, values: hours.map((hour) => tried.get(hour) ?? null) }]
        : []),
      { label: 'mean in training', kind: 'reference', values: hours.map(() => known.mean) },
    ],
  };
}

/** Every hour, so that one without rows is a gap. */
const hoursBetween = (first: number, last: number): readonly number[] =>
  Array.from({ length: (last - first) / HOUR_MS + 1 }, (_, i) => first + i * HOUR_MS);

function hourlyMeans(times: ArrayLike<unknown>, values: ArrayLike<unknown>): ReadonlyMap<number, number> {
  const sums = new Map<number, { sum: number; n: number }>();
  for (let i = 0; i < times.length; i++) {
    const value = values[i];
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    const hour = Math.floor((times[i] as number) / HOUR_MS) * HOUR_MS;
    const known = sums.get(hour) ?? { sum: 0, n: 0 };
    sums.set(hour, { sum: known.sum + value, n: known.n + 1 });
  }
  return new Map([...sums].map(([hour, { sum, n }]) => [hour, sum / n]));
}
