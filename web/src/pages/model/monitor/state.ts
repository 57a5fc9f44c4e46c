import type { AnswerOf } from '../../../api/routes.ts';
import type { Mark } from '../../../ui/chart.tsx';
import { useView } from '../../../ui/view-state.ts';

export type Monitor = AnswerOf<'GET /models/:model/monitor'>;
export type MonitorMark = AnswerOf<'GET /models/:model/monitor/marks'>['items'][number];
export type Finding = Monitor['windows'][number]['findings'][number];

const DAY_MS = 86_400_000;
export const DEFAULT_DAYS = '90';
/** Crosshair and zoom are shared by all charts of the tab. */
export const SYNC = 'monitor';

const isDay = (text: string | undefined): text is string =>
  text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));

export function useDays(): number {
  const [{ days = DEFAULT_DAYS }] = useView();
  const n = Number(days);
  return Number.isInteger(n) && n >= 1 && n <= 400 ? n : Number(DEFAULT_DAYS);
}

/** Days of event time, both included. */
export interface DaySpan {
  readonly from: string;
  readonly to: string;
}

export const dayOf = (at: string | number): string => new Date(at).toISOString().slice(0, 10);
export const addDays = (day: string, n: number): string => dayOf(Date.parse(day) + n * DAY_MS);
export const daysIn = ({ from, to }: DaySpan): number => (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
export const inSeconds = (day: string): number => Date.parse(day) / 1_000;

export const spanWords = (span: DaySpan): string =>
  span.from === span.to ? span.from : `${span.from} to ${span.to}, ${daysIn(span)} days`;

/** The span that the address names; undefined where it names none. `then` is the one that it is compared with. */
export function useChosenSpan(name: 'from' | 'thenFrom' = 'from'): DaySpan | undefined {
  const [view] = useView();
  const [from, to] = [view[name], view[name === 'from' ? 'to' : 'thenTo']];
  if (!isDay(from)) return undefined;
  return isDay(to) && to >= from ? { from, to } : { from, to: from };
}

const WEEK = 7;

/** The last seven days that have ended; `labelled` those that end with the newest day that can be judged. */
export function usualSpan(monitor: Monitor, labelled = false): DaySpan | undefined {
  const days = labelled
    ? monitor.performance.filter((day) => day.labelled > 0).map(({ day }) => day)
    : monitor.windows.map(({ start }) => dayOf(start));
  const to = days.at(-1);
  return to === undefined ? undefined : { from: addDays(to, 1 - WEEK), to };
}

const MARK_COLOURS = { deploy: '--text-2', incident: '--bad', data: '--reference' } as const;

/** What happened, for charts over time; on request only of some kinds, so that flags stay readable. */
export const toMarks = (marks: readonly MonitorMark[], kinds: readonly MonitorMark['kind'][]): readonly Mark[] =>
  marks
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ at, kind, label }) => ({ x: Date.parse(at) / 1_000, label, colour: MARK_COLOURS[kind] }));
