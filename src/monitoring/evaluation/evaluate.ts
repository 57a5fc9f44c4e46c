import { canonicalJson } from '../../kernel/canonical-json.ts';
import { digestOf } from '../../kernel/hash.ts';
import type { ProjectFile } from '../../project-file/index.ts';
import { countersOf, type Endpoint, getEndpoint } from '../../serving/index.ts';
import { emptyWindow, type MonitorProfile, mergeWindow, type WindowCounters } from '../../stats/profile.ts';
import { markDay, selectChangedDays } from '../labels/labels.store.ts';
import { clockOf, placePending, startOfWindow } from '../labels/labels.ts';
import type { EvaluationTable } from '../tables.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { lastCoverage } from './coverage.ts';
import { dataFindings } from './data-rules.ts';
import * as store from './evaluations.store.ts';
import { type DayPerformance, dayPerformance } from './performance.ts';
import { type Day, isCounted, type PerformanceReference, performanceFindings } from './performance-rules.ts';
import { predictionFindings } from './prediction-rules.ts';
import { budgetOf, DEFAULT_BUDGET, type Finding, PERSISTENT, TREND_WINDOWS, type WindowFacts } from './rules.ts';
import { DEFAULT_LIMITS, serviceFindings } from './service-rules.ts';
import { type Judged, judgedBy } from './versions.ts';

/** Windows that were evaluated are looked at once more for rows that came late. */
const LATE_MS = 2 * WINDOW_MS;
/** How often, in wall time, finished windows are looked at for rows that came late. */
const LATE_EVERY_MS = 15_000;
const HISTORY_MS = 60 * WINDOW_MS;

export interface Evaluated {
  readonly endpoint: Endpoint;
  readonly clock: number;
  readonly file: ProjectFile | undefined;
  /** Windows to judge, by start: the new ones, and those that may have changed. */
  readonly windows: readonly number[];
  /** Says that the windows are done with: called once they were judged too, so that a crash between costs nothing. */
  commit(): Promise<void>;
}

interface Scope {
  readonly projectId: string;
  readonly endpoint: Endpoint;
  readonly clock: number;
  readonly file: ProjectFile | undefined;
}

/**
 * Evaluates every window of an endpoint that has ended by its event clock, with the rows and labels that are there. The same data
 * give the same rows however often it is called. null before the endpoint's first dated request.
 */
export async function evaluateEndpoint(
  deps: MonitoringDeps,
  input: { readonly projectId: string; readonly endpoint: string },
): Promise<Evaluated | null> {
  const endpoint = await getEndpoint(deps.serving, input, input.endpoint);
  const clock = clockOf(endpoint);
  if (clock === null) return null;
  const applied = await deps.serving.appliedFile(input.projectId, endpoint.model);
  const scope: Scope = { projectId: input.projectId, endpoint, clock, file: applied?.file };
  await placePending(deps, { projectId: input.projectId, endpoint: endpoint.name, clock });
  const counted = await evaluateCounters(deps, scope);
  const labelled = await evaluateLabels(deps, scope);
  const covered = counted.windows.length + labelled.windows.length > 0 ? await evaluateCoverage(deps, scope) : [];
  return {
    endpoint,
    clock,
    file: scope.file,
    windows: [...new Set([...counted.windows, ...labelled.windows, ...covered])].sort((a, b) => a - b),
    async commit() {
      await counted.commit();
      await labelled.commit();
    },
  };
}

interface Part {
  readonly windows: readonly number[];
  commit(): Promise<void>;
}

const NOTHING: Part = { windows: [], commit: async () => {} };

async function evaluateCounters(deps: MonitoringDeps, scope: Scope): Promise<Part> {
  const { projectId, endpoint, clock } = scope;
  const end = startOfWindow(clock);
  const progress = await deps.db.read((tx) => store.findProgress(tx, projectId, endpoint.name));
  const lateKey = `late/${projectId}/${endpoint.name}`;
  const lookedAt = Number(deps.runtime.seen.get(lateKey) ?? Number.NEGATIVE_INFINITY);
  if (progress?.evaluated_to === end && deps.clock.now() - lookedAt < LATE_EVERY_MS) return NOTHING;
  const from = Math.max(0, (progress?.evaluated_to ?? 0) - LATE_MS);
  const week = Math.max(0, from - (TREND_WINDOWS - 1) * WINDOW_MS);
  const hours = await countersOf(deps.serving, { projectId, endpoint: endpoint.name, from: week, to: end });
  const groups = Map.groupBy(hours, (hour) => `${startOfWindow(hour.windowStart)}/${hour.versionId}`);
  const windows: number[] = [];
  for (const parts of groups.values()) {
    const { versionId } = parts[0]!;
    const start = startOfWindow(parts[0]!.windowStart);
    const judged = await judgedBy(deps, versionId);
    if (start < from || !judged?.profile || judged.version.rehearsal !== null) continue;
    const before = hours.filter(
      (hour) =>
        hour.versionId === versionId &&
        hour.windowStart < start + WINDOW_MS &&
        hour.windowStart >= start - (TREND_WINDOWS - 1) * WINDOW_MS,
    );
    const earlier = hoursBefore(hours, start);
    const facts = { ...factsOf(scope, judged.profile, start, parts), earlier, trend: trendOf(judged.profile, before) };
    await storeFindings(deps, scope, judged, facts, findingsOf(facts), revisionOf(facts.counters));
    windows.push(start);
  }
  const row = { project_id: projectId, endpoint: endpoint.name, evaluated_to: end, updated_at: deps.clock.now() };
  return {
    windows,
    async commit() {
      deps.runtime.seen.set(lateKey, String(deps.clock.now()));
      if (progress?.evaluated_to !== end) await deps.db.write((tx) => store.upsertProgress(tx, row));
    },
  };
}

export const findingsOf = (facts: WindowFacts): Finding[] => [
  ...serviceFindings(facts),
  ...dataFindings(facts),
  ...predictionFindings(facts),
];

const revisionOf = (counters: WindowCounters): string =>
  `${counters.requests}.${counters.rows}.${counters.errors}.${counters.refused}`;

function trendOf(
  profile: MonitorProfile,
  parts: readonly { readonly windowStart: number; readonly counters: WindowCounters }[],
): WindowFacts['trend'] {
  const counters = parts.reduce((sum, part) => mergeWindow(sum, part.counters), emptyWindow(profile));
  return { counters, windows: new Set(parts.map((part) => startOfWindow(part.windowStart))).size };
}

type HourParts = readonly { readonly windowStart: number; readonly counters: WindowCounters }[];

/** The hours of the week before a window, whatever version answered: raw columns are the same to all. */
export const hoursBefore = (hours: HourParts, start: number): WindowFacts['earlier'] =>
  hours
    .filter(({ windowStart }) => windowStart < start && windowStart >= start - TREND_WINDOWS * WINDOW_MS)
    .map(({ windowStart, counters }) => ({ start: windowStart, counters }));

/** The counters of one window and version, as a whole and by hour; without a trend. */
export function factsOf(
  { file, endpoint }: Pick<Scope, 'file' | 'endpoint'>,
  profile: MonitorProfile,
  start: number,
  parts: readonly { readonly windowStart: number; readonly counters: WindowCounters }[],
): WindowFacts {
  const hours = [...parts]
    .sort((a, b) => a.windowStart - b.windowStart)
    .map((part) => ({ start: part.windowStart, counters: part.counters }));
  const counters = hours.reduce((sum, hour) => mergeWindow(sum, hour.counters), emptyWindow(profile));
  const abortOn = file?.deploy[endpoint.name]?.abortOn ?? {};
  return {
    start,
    end: start + WINDOW_MS,
    counters,
    hours,
    earlier: [],
    profile,
    trend: null,
    budget: budgetOf(file?.monitor?.falseAlarms ?? DEFAULT_BUDGET),
    limits: { ...DEFAULT_LIMITS, ...abortOn },
  };
}

/** False where this revision of the window is stored already. */
async function storeFindings(
  deps: MonitoringDeps,
  { projectId, endpoint }: Pick<Scope, 'projectId' | 'endpoint'>,
  judged: Judged,
  window: { readonly start: number; readonly end: number },
  findings: readonly Finding[],
  revision: string,
  rehearsal = '',
): Promise<boolean> {
  const range = { projectId, endpoint: endpoint.name, rehearsal, from: window.start - 2 * WINDOW_MS, to: window.end };
  const before = await deps.db.read((tx) => store.selectEvaluations(tx, range, judged.version.id));
  const same = before.filter((row) => row.window_start === window.start && row.revision === revision);
  if (findings.every((each) => same.some((row) => row.rule === each.rule))) return false;
  const rows = findings.map((each): EvaluationTable => {
    const previous = before.filter((row) => row.rule === each.rule && row.window_start < window.start);
    const needsTwo = PERSISTENT.has(each.rule) && rehearsal === '';
    const isAlarm = each.exceeds && (!needsTwo || previous.some((row) => row.exceeds === 1));
    return {
      project_id: projectId,
      endpoint: endpoint.name,
      rehearsal,
      version_id: judged.version.id,
      window_start: window.start,
      rule: each.rule,
      window_end: window.end,
      revision,
      light: each.light,
      state: each.exceeds && !isAlarm ? 'green' : each.state,
      exceeds: each.exceeds ? 1 : 0,
      value: each.value !== null && Number.isFinite(each.value) ? each.value : null,
      threshold: each.threshold !== null && Number.isFinite(each.threshold) ? each.threshold : null,
      sample_size: each.n,
      sentence: each.sentence,
      details: canonicalJson(finite(each.details)),
      evaluated_at: deps.clock.now(),
    };
  });
  rows.sort((a, b) => (a.rule < b.rule ? -1 : 1));
  await deps.db.write((tx) => store.upsertEvaluations(tx, rows));
  return true;
}

export { storeFindings };

/** JSON has no NaN and no infinity. */
const finite = (value: unknown): never =>
  JSON.parse(
    JSON.stringify(value, (_key, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? null : v)),
  ) as never;

async function evaluateLabels(deps: MonitoringDeps, scope: Scope): Promise<Part> {
  const { projectId, endpoint, clock } = scope;
  const end = startOfWindow(clock);
  const changed = await deps.db.read((tx) => selectChangedDays(tx, projectId, endpoint.name, end));
  const due = changed.filter((day) => deps.runtime.seen.get(keyOf(day)) !== `${day.revision}/${end}`);
  if (due.length === 0) return NOTHING;
  const touched = new Map<string, number>();
  const bounded = new Map<string, Float64Array>();
  for (const day of due) {
    const range = { projectId, endpoint: endpoint.name, from: day.window_start, to: day.window_start + WINDOW_MS };
    const versions = new Set((await countersOf(deps.serving, range)).map(({ versionId }) => versionId));
    for (const versionId of versions) {
      const judged = await judgedBy(deps, versionId);
      if (!judged || judged.version.rehearsal !== null) continue;
      const found = await dayPerformance(
        deps,
        { projectId, endpoint: endpoint.name, start: day.window_start, end: range.to, clock },
        judged,
        scope.file?.monitor?.metrics ?? [],
      );
      await storeDay(deps, scope, judged, day.window_start, day.revision, found);
      bounded.set(`${versionId}/${day.window_start}`, found.bounded);
      touched.set(versionId, Math.min(touched.get(versionId) ?? day.window_start, day.window_start));
    }
  }
  for (const [versionId, from] of touched) await judgeDays(deps, scope, versionId, from, bounded);
  return {
    windows: due.map((day) => day.window_start),
    async commit() {
      for (const day of due) {
        deps.runtime.seen.set(keyOf(day), `${day.revision}/${end}`);
        if (day.due_at <= clock) await deps.db.write((tx) => markDay(tx, day, day.revision));
      }
    },
  };
}

/** Whether labels still come: of the version that answers, in the window that ended last. */
async function evaluateCoverage(deps: MonitoringDeps, scope: Scope): Promise<readonly number[]> {
  const judged = scope.endpoint.championId === null ? undefined : await judgedBy(deps, scope.endpoint.championId);
  if (!judged) return [];
  const { start, finding, revision } = await lastCoverage(deps, scope);
  const window = { start, end: start + WINDOW_MS };
  return (await storeFindings(deps, scope, judged, window, [finding], revision)) ? [start] : [];
}

const keyOf = (day: {
  readonly project_id: string;
  readonly endpoint: string;
  readonly window_start: number;
}): string => `${day.project_id}/${day.endpoint}/${day.window_start}`;

/** The day's numbers alone; what they mean beside other days is judged afterwards. */
async function storeDay(
  deps: MonitoringDeps,
  scope: Scope,
  judged: Judged,
  start: number,
  revision: number,
  { bounded: _, ...day }: DayPerformance,
): Promise<void> {
  const summary = performanceFindings(
    [{ ...day, start }],
    null,
    { loss: judged.version.gate?.challenger ?? null, source: 'gate' },
    budgetOf(scope.file?.monitor?.falseAlarms ?? DEFAULT_BUDGET),
  )[0]!;
  const window = { start, end: start + WINDOW_MS };
  await storeFindings(deps, scope, judged, window, [summary], `${revision}.${day.labelled}.${day.predictions}`);
}

/** Moving means and sudden breaks of a version's days from `from` on. */
async function judgeDays(
  deps: MonitoringDeps,
  scope: Scope,
  versionId: string,
  from: number,
  bounded: ReadonlyMap<string, Float64Array>,
): Promise<void> {
  const { projectId, endpoint } = scope;
  const judged = (await judgedBy(deps, versionId))!;
  const range = { projectId, endpoint: endpoint.name, from: from - HISTORY_MS, to: Number.MAX_SAFE_INTEGER };
  const rows = await deps.db.read((tx) => store.selectEvaluations(tx, range, versionId, 'performance.day'));
  const days = rows.map((row) => JSON.parse(row.details) as Day);
  const reference = referenceOf(judged, days);
  const budget = budgetOf(scope.file?.monitor?.falseAlarms ?? DEFAULT_BUDGET);
  for (let i = 0; i < days.length; i++) {
    const day = days[i]!;
    if (day.start < from) continue;
    const losses = bounded.get(`${versionId}/${day.start}`) ?? null;
    const findings = performanceFindings(days.slice(0, i + 1), losses, reference, budget).slice(1);
    if (findings.length === 0) continue;
    const window = { start: day.start, end: day.start + WINDOW_MS };
    const revision = digestOf(rows.slice(Math.max(0, i - 13), i + 1).map((row) => row.revision)).slice(0, 16);
    await storeFindings(deps, scope, judged, window, findings, revision);
  }
}

/** The gate's number where it is of the same kind, else the first five days of the version. */
function referenceOf(judged: Judged, days: readonly Day[]): PerformanceReference {
  const { gate } = judged.version;
  const name = days[0]?.lossName;
  if (gate?.challenger !== null && gate?.challenger !== undefined) {
    if (gate.metric === name || (gate.metric === 'mse' && name === 'mse'))
      return { loss: gate.challenger, source: 'gate' };
    if (gate.metric === 'rmse' && name === 'mse') return { loss: gate.challenger ** 2, source: 'gate' };
    if (gate.metric === 'accuracy' && name === 'error') return { loss: 1 - gate.challenger, source: 'gate' };
  }
  const first = days.filter(isCounted).slice(0, 5);
  if (first.length < 5) return { loss: null, source: null };
  return { loss: first.reduce((sum, day) => sum + day.loss!, 0) / first.length, source: 'first days' };
}
