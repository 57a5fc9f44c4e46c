import type { ServableSpec } from '../../engines/types.ts';
import { AppError } from '../../kernel/errors.ts';
import { type Cell, cellAt, type Frame, takeRows } from '../../kernel/frame.ts';
import { countersOf, getEndpoint } from '../../serving/index.ts';
import type { FeatureProfile, MonitorProfile } from '../../stats/profile.ts';
import { factsOf, findingsOf, hoursBefore, storeFindings } from '../evaluation/evaluate.ts';
import { selectEvaluations } from '../evaluation/evaluations.store.ts';
import { TREND_WINDOWS } from '../evaluation/rules.ts';
import { type Judged, judgedBy } from '../evaluation/versions.ts';
import { actOnIncidents, heldBackBy } from '../incidents/actions.ts';
import { findIncident, selectOpen } from '../incidents/incidents.store.ts';
import { resolveIn } from '../incidents/incidents.ts';
import { judgeRows } from '../incidents/judge.ts';
import { grouped, startOfWindow } from '../labels/labels.ts';
import { type MonitoringDeps, type RehearsalKind, WINDOW_MS } from '../types.ts';
import type { RehearsalReport } from './rehearsals.ts';
import { inferBody, lastDay, sendAll } from './replay.ts';
import type { Rehearsing } from './start.ts';

const DEFAULT_ROWS = 2_000;
const ROWS_A_REQUEST = 10;
const REQUESTS_A_LOOK = 20;
/** How long the log may take to bring in what was sent. */
const INGEST_MS = 20_000;
const LOOK_MS = 100;
const MILES_TO_KILOMETRES = 1.609344;

/** The last day's real rows again, with one column spoiled, through the living endpoint and apart from real windows. */
export async function rehearseData(rehearsing: Rehearsing): Promise<Partial<RehearsalReport>> {
  const { deps, row, input, note } = rehearsing;
  const endpoint = await getEndpoint(deps.serving, { projectId: row.project_id }, row.endpoint);
  const judged = await judgedBy(deps, endpoint.championId!);
  if (!judged?.profile || !judged.version.spec)
    throw new AppError('precondition_failed', `v${endpoint.champion} has no profile to judge data by`);
  const { inputs } = judged.version.spec.signature;
  const { frame, times } = await lastDay(rehearsing, inputs, input.rows ?? DEFAULT_ROWS);
  if (frame.rowCount < 50)
    throw new AppError(
      'precondition_failed',
      `Only ${frame.rowCount} rows were logged; 50 are needed to rehearse with`,
    );
  const spoil = spoilerOf(rehearsing, judged.profile, inputs);
  await note({
    sentence: `replays ${grouped(frame.rowCount)} rows with ${spoil.words}`,
    column: spoil.column,
    ...spoil.facts,
  });
  const before = await realRows(deps, row.project_id, row.endpoint);
  const bodies = bodiesOf(spoil.apply(frame), inputs, endpoint.eventTime === 'client' ? times : null);
  const seen = await sendAndWatch(rehearsing, judged, bodies, frame.rowCount);
  const after = await realRows(deps, row.project_id, row.endpoint);
  return conclude(rehearsing, seen, {
    rows: frame.rowCount,
    requests: bodies.length,
    words: spoil.words,
    moved: after - before,
  });
}

function bodiesOf(
  frame: Frame,
  inputs: ServableSpec['signature']['inputs'],
  times: readonly number[] | null,
): unknown[] {
  const bodies: unknown[] = [];
  for (let start = 0; start < frame.rowCount; start += ROWS_A_REQUEST) {
    const rows = Array.from({ length: Math.min(ROWS_A_REQUEST, frame.rowCount - start) }, (_, i) => start + i);
    bodies.push(inferBody(takeRows(frame, rows), inputs, times?.[rows.at(-1)!] ?? null));
  }
  return bodies;
}

interface Seen {
  readonly incident: number | null;
  readonly afterRequests: number | null;
  readonly afterRows: number | null;
  readonly alarm: string | null;
  readonly heldBack: string | null;
  /** What its windows say by the end. */
  readonly found: string | null;
}

const NOTHING_SEEN: Seen = {
  incident: null,
  afterRequests: null,
  afterRows: null,
  alarm: null,
  heldBack: null,
  found: null,
};

/** Sends a few requests, lets the log bring them in, and looks; after the alarm it goes on to the day's end. */
async function sendAndWatch(
  rehearsing: Rehearsing,
  judged: Judged,
  bodies: readonly unknown[],
  rows: number,
): Promise<Seen> {
  const { note } = rehearsing;
  let seen = NOTHING_SEEN;
  let sent = 0;
  // Requests that the log should hold by now; those that it never got are not waited for twice.
  let expected = 0;
  while (sent < bodies.length) {
    const part = bodies.slice(sent, sent + REQUESTS_A_LOOK);
    const answers = await sendAll(rehearsing, part);
    sent += part.length;
    const { hours, arrived } = await waitForRows(rehearsing, expected + answers.filter(({ ok }) => ok).length);
    expected = arrived;
    const looked = await look(rehearsing, judged, hours, seen.incident !== null);
    const sentRows = Math.min(rows, sent * ROWS_A_REQUEST);
    seen =
      seen.incident === null && looked.incident !== null
        ? { ...looked, afterRequests: sent, afterRows: sentRows }
        : { ...seen, found: looked.found };
    await note(
      {
        requests: sent,
        rows: sentRows,
        ...(seen.incident !== null && {
          alarm: seen.alarm,
          alarmAfterRequests: seen.afterRequests,
          alarmAfterRows: seen.afterRows,
        }),
      },
      { incident: seen.incident },
    );
  }
  return seen;
}

/** Judges the rehearsal's own windows as they are now. */
async function look(
  { deps, row }: Rehearsing,
  judged: Judged,
  hours: Awaited<ReturnType<typeof countersOf>>,
  isKnown: boolean,
): Promise<Seen> {
  const projectId = row.project_id;
  const mine = hours.filter(({ versionId }) => versionId === judged.version.id);
  if (mine.length === 0) return NOTHING_SEEN;
  const endpoint = await getEndpoint(deps.serving, { projectId }, row.endpoint);
  const file = (await deps.serving.appliedFile(projectId, row.model))?.file;
  const start = startOfWindow(Math.min(...mine.map(({ windowStart }) => windowStart)));
  const real = { projectId, endpoint: row.endpoint, from: start - TREND_WINDOWS * WINDOW_MS, to: start };
  const earlier = hoursBefore(await countersOf(deps.serving, real), start);
  const facts = { ...factsOf({ file, endpoint }, judged.profile!, start, mine), earlier };
  await storeFindings(
    deps,
    { projectId, endpoint },
    judged,
    facts,
    findingsOf(facts),
    String(facts.counters.rows),
    row.id,
  );
  const range = { projectId, endpoint: row.endpoint, rehearsal: row.id, from: start, to: start + WINDOW_MS };
  const rows = await deps.db.read((tx) => selectEvaluations(tx, range, judged.version.id));
  const found = rows.find((each) => each.rule.startsWith('data.') && each.state === 'red')?.sentence ?? null;
  if (isKnown)
    return {
      ...NOTHING_SEEN,
      found: rows.find((each) => each.rule === 'data.units' && each.state === 'red')?.sentence ?? found,
    };
  const clock = endpoint.eventClock === null ? deps.clock.now() : Date.parse(endpoint.eventClock);
  const judging = { projectId, endpoint, clock, file };
  const [number] = await judgeRows(deps, judging, start, rows, row.id);
  if (number === undefined) return { ...NOTHING_SEEN, found };
  await actOnIncidents(deps, judging);
  const incident = await deps.db.read((tx) => findIncident(tx, projectId, number));
  const heldBack = await heldBackBy(deps, judging, number);
  return {
    ...NOTHING_SEEN,
    found,
    incident: number,
    alarm: incident?.verdict.split('\n').slice(0, 2).join(' ') ?? null,
    heldBack,
  };
}

async function waitForRows({ deps, row, signal }: Rehearsing, requests: number) {
  const until = deps.clock.now() + INGEST_MS;
  for (;;) {
    signal.throwIfAborted();
    const hours = await countersOf(deps.serving, {
      projectId: row.project_id,
      endpoint: row.endpoint,
      from: 0,
      to: Number.MAX_SAFE_INTEGER,
      rehearsal: row.id,
    });
    const arrived = hours.reduce((sum, { counters: c }) => sum + c.requests + c.refused, 0);
    if (arrived >= requests || deps.clock.now() >= until) return { hours, arrived };
    await deps.clock.sleep(LOOK_MS, signal);
  }
}

/** Rows of real traffic in all windows: what a rehearsal must not move. */
async function realRows(deps: MonitoringDeps, projectId: string, endpoint: string): Promise<number> {
  const hours = await countersOf(deps.serving, { projectId, endpoint, from: 0, to: Number.MAX_SAFE_INTEGER });
  return hours.reduce((sum, { counters }) => sum + counters.rows, 0);
}

async function conclude(
  { deps, row }: Rehearsing,
  seen: Seen,
  sent: { readonly rows: number; readonly requests: number; readonly words: string; readonly moved: number },
): Promise<Partial<RehearsalReport>> {
  await deps.db.write(async (tx) => {
    for (const incident of await selectOpen(tx, row.project_id, row.endpoint)) {
      if (incident.rehearsal !== row.id) continue;
      const end = { by: 'levain', resolution: 'the rehearsal is over', eventAt: incident.opened_event };
      await resolveIn(tx, deps, incident, end);
    }
  });
  const cost =
    `${grouped(sent.requests)} tagged requests (${grouped(sent.rows)} rows)` +
    (sent.moved === 0
      ? '; real windows are untouched'
      : `; ${grouped(sent.moved)} real rows came in meanwhile, counted apart`);
  if (seen.incident === null) return { sentence: `no alarm in ${grouped(sent.rows)} rows with ${sent.words}`, cost };
  return {
    sentence: `alarm after ${grouped(seen.afterRows!)} of ${grouped(sent.rows)} rows with ${sent.words}: ${seen.alarm}`,
    acted: [
      ...(seen.found === null ? [] : [`by the end: ${seen.found}`]),
      `incident ${seen.incident} opened, marked REHEARSAL, and resolved at the end`,
      ...(seen.heldBack === null ? [] : [`retraining was held back while it lasted: ${seen.heldBack}`]),
    ],
    cost,
  };
}

interface Spoiler {
  readonly column: string;
  readonly words: string;
  readonly facts: { readonly factor?: number };
  apply(frame: Frame): Frame;
}

function spoilerOf(
  { input, deps }: Rehearsing,
  profile: MonitorProfile,
  inputs: ServableSpec['signature']['inputs'],
): Spoiler {
  const kind = input.kind as Exclude<RehearsalKind, 'broken-model'>;
  const feature = pickColumn(kind, input.column, profile);
  const type = inputs.find(({ name }) => name === feature.name)?.type;
  const whole = (x: number): number => (type === 'long' || type === 'integer' ? Math.round(x) : x);
  const share = input.amount ?? 0.3;
  const numeric = (change: (x: number) => number) => (cell: Cell) =>
    typeof cell === 'number' ? whole(change(cell)) : cell;
  const some = (change: (cell: Cell) => Cell) => (cell: Cell) => (deps.random.next() < share ? change(cell) : cell);
  const { name } = feature;
  if (kind === 'unit-change') {
    const factor = input.factor ?? MILES_TO_KILOMETRES;
    return toSpoiler(
      name,
      `${name} ×${factor}`,
      numeric((x) => x * factor),
      { factor },
    );
  }
  if (kind === 'shift') {
    const by = (input.amount ?? 1) * (feature.kind === 'numeric' ? feature.sd : 1);
    return toSpoiler(
      name,
      `${name} shifted by ${Number(by.toPrecision(3))}`,
      numeric((x) => x + by),
    );
  }
  if (kind === 'nulls')
    return toSpoiler(
      name,
      `${Math.round(share * 100)} % of ${name} missing`,
      some(() => null),
    );
  return toSpoiler(
    name,
    `${Math.round(share * 100)} % of ${name} never seen before`,
    some((cell) => `${String(cell)}-rehearsal`),
  );
}

const toSpoiler = (
  column: string,
  words: string,
  change: (cell: Cell) => Cell,
  facts: Spoiler['facts'] = {},
): Spoiler => ({
  column,
  words,
  facts,
  apply: (frame) => ({
    rowCount: frame.rowCount,
    columns: frame.columns.map(({ name, values }) =>
      name === column
        ? { name, values: Array.from({ length: frame.rowCount }, (_, i) => change(cellAt(values, i))) }
        : { name, values },
    ),
  }),
});

/** The named column, else the most important one that the fault can be done to. */
function pickColumn(kind: RehearsalKind, wanted: string | undefined, profile: MonitorProfile): FeatureProfile {
  const needs = kind === 'new-category' ? 'category' : kind === 'nulls' ? null : 'numeric';
  const fitting = profile.features.filter((feature) => needs === null || feature.kind === needs);
  if (wanted !== undefined) {
    const found = fitting.find(({ name }) => name === wanted);
    if (found) return found;
    throw new AppError(
      'invalid',
      `"${wanted}" is no ${needs ?? 'watched'} column; there are ${fitting.map(({ name }) => name).join(', ') || 'none'}`,
    );
  }
  const rank = (feature: FeatureProfile): number => profile.importance?.[feature.name] ?? 0;
  const best = fitting.reduce<FeatureProfile | undefined>(
    (a, b) => (a === undefined || rank(b) > rank(a) ? b : a),
    undefined,
  );
  if (best) return best;
  throw new AppError('precondition_failed', `The model has no ${needs ?? 'watched'} column to rehearse ${kind} with`);
}
