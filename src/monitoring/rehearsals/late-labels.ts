import { AppError } from '../../kernel/errors.ts';
import { takeRows } from '../../kernel/frame.ts';
import { getEndpoint } from '../../serving/index.ts';
import { coverageFinding, coverageOf, days, GRACE_DAYS, usualLag } from '../evaluation/coverage.ts';
import { storeFindings } from '../evaluation/evaluate.ts';
import { selectEvaluations } from '../evaluation/evaluations.store.ts';
import { type Judged, judgedBy } from '../evaluation/versions.ts';
import { findIncident } from '../incidents/incidents.store.ts';
import { judgeRows } from '../incidents/judge.ts';
import { clockOf, grouped, startOfWindow } from '../labels/labels.ts';
import { WINDOW_MS } from '../types.ts';
import type { RehearsalReport } from './rehearsals.ts';
import { inferBody, type Replayed, rowsToReplay, sendAll } from './replay.ts';
import type { Rehearsing } from './start.ts';
import { realRows, resolveItsIncidents } from './watching.ts';

/** Rows of each day that goes by without labels. */
const ROWS_A_DAY = 50;
/** How late labels are where none has come yet, in days. */
const ASSUMED_LAG = 1;

interface Known {
  readonly usual: number;
  /** Where that is from. */
  readonly words: string;
  readonly reaches: number;
}

/**
 * Days of predictions to which no label comes, one after another until the performance light says so. Real answers of the living endpoint, tagged; the days go by in event
 * time only, so that nobody waits for them.
 */
export async function rehearseLabels(rehearsing: Rehearsing): Promise<Partial<RehearsalReport>> {
  const { deps, row, input, note } = rehearsing;
  const endpoint = await getEndpoint(deps.serving, { projectId: row.project_id }, row.endpoint);
  const judged = await judgedBy(deps, endpoint.championId!);
  if (!judged?.version.spec)
    throw new AppError('precondition_failed', `v${endpoint.champion} has no servable form to rehearse with`);
  const before = await realRows(deps, row.project_id, row.endpoint);
  const clock = clockOf(endpoint) ?? deps.clock.now();
  const known = await knownLag(rehearsing, startOfWindow(clock));
  const needed = known.usual + GRACE_DAYS + 1;
  const perDay = Math.max(1, Math.floor((input.rows ?? ROWS_A_DAY * needed) / needed));
  const replayed = await rowsToReplay(
    { ...rehearsing, input: { ...input, rows: Math.max(perDay, input.rows ?? perDay) } },
    judged.version,
  );
  await note({ sentence: `sends ${grouped(perDay)} rows a day, to which no label comes (${known.words})` });
  const seen = await goByDays(rehearsing, judged, { known, perDay, replayed, clock });
  const moved = (await realRows(deps, row.project_id, row.endpoint)) - before;
  await resolveItsIncidents(deps, row, 'the rehearsal is over');
  const cost =
    `${grouped(seen.rows)} tagged requests` +
    (moved === 0
      ? '; real windows and labels are untouched'
      : `; ${grouped(moved)} real rows came in meanwhile, counted apart`);
  if (seen.incident === null)
    return { sentence: `no alarm in ${days(seen.day)} without labels: ${seen.sentence}; ${known.words}`, cost };
  return {
    sentence: `alarm after ${days(seen.day)} of event time without labels (${grouped(seen.rows)} predictions; ${known.words}): ${seen.alarm}`,
    acted: [
      `the performance light turned amber: ${seen.sentence}`,
      `incident ${seen.incident} opened, marked REHEARSAL, and resolved at the end`,
      'performance is not judged without labels, so nothing asks for retraining and nothing is rolled back because of it',
    ],
    cost,
  };
}

async function knownLag({ deps, row }: Rehearsing, end: number): Promise<Known> {
  const at = { projectId: row.project_id, endpoint: row.endpoint, end };
  const usual = await usualLag(deps, at);
  const { reaches } = await coverageOf(deps, at);
  if (usual !== null && reaches !== null)
    return {
      usual,
      reaches,
      words: `labels are usually ${usual === 0 ? 'on time' : `at most ${days(usual)} behind`} here`,
    };
  const why = reaches === null ? 'no label came here yet' : 'how late labels are here is still being learned';
  return {
    usual: ASSUMED_LAG,
    reaches: reaches ?? end - WINDOW_MS,
    words: `${why}, so a delay of ${days(ASSUMED_LAG)} is assumed`,
  };
}

interface Days {
  readonly known: Known;
  readonly perDay: number;
  readonly replayed: Replayed;
  readonly clock: number;
}

interface SeenDays {
  readonly day: number;
  readonly rows: number;
  readonly sentence: string;
  readonly incident: number | null;
  readonly alarm: string | null;
}

async function goByDays(
  rehearsing: Rehearsing,
  judged: Judged,
  { known, perDay, replayed, clock }: Days,
): Promise<SeenDays> {
  const { deps, row, note } = rehearsing;
  const endpoint = await getEndpoint(deps.serving, { projectId: row.project_id }, row.endpoint);
  const { inputs } = judged.version.spec!.signature;
  let seen: SeenDays = { day: 0, rows: 0, sentence: '', incident: null, alarm: null };
  for (let day = 1; day <= known.usual + GRACE_DAYS + 1 && seen.incident === null; day++) {
    const now = clock + day * WINDOW_MS;
    const bodies = Array.from({ length: perDay }, (_, i) => {
      const at = (seen.rows + i) % replayed.frame.rowCount;
      return inferBody(takeRows(replayed.frame, [at]), inputs, endpoint.eventTime === 'client' ? now : null);
    });
    await sendAll(rehearsing, bodies);
    const rows = seen.rows + perDay;
    const finding = coverageFinding({ lag: day, reaches: known.reaches, waiting: rows }, known.usual);
    const start = startOfWindow(now);
    const window = { start, end: start + WINDOW_MS };
    const scope = { projectId: row.project_id, endpoint };
    await storeFindings(deps, scope, judged, window, [finding], String(rows), row.id);
    const opened = await judge(rehearsing, judged, { start, now });
    seen = { day, rows, sentence: finding.sentence, incident: opened?.number ?? null, alarm: opened?.alarm ?? null };
    await note(
      {
        requests: rows,
        rows,
        sentence: `${days(day)} without labels: ${finding.sentence}`,
        ...(opened && {
          alarm: opened.alarm,
          alarmAfterRequests: rows,
          alarmAfterRows: rows,
          alarmAfterEventMs: day * WINDOW_MS,
        }),
      },
      { incident: seen.incident },
    );
  }
  return seen;
}

async function judge(
  { deps, row }: Rehearsing,
  judged: Judged,
  { start, now }: { readonly start: number; readonly now: number },
) {
  const projectId = row.project_id;
  const endpoint = await getEndpoint(deps.serving, { projectId }, row.endpoint);
  const range = { projectId, endpoint: row.endpoint, rehearsal: row.id, from: start, to: start + WINDOW_MS };
  const rows = await deps.db.read((tx) => selectEvaluations(tx, range, judged.version.id));
  const file = (await deps.serving.appliedFile(projectId, row.model))?.file;
  const [number] = await judgeRows(deps, { projectId, endpoint, clock: now, file }, start, rows, row.id);
  if (number === undefined) return undefined;
  const incident = await deps.db.read((tx) => findIncident(tx, projectId, number));
  return { number, alarm: incident?.verdict.split('\n').slice(0, 2).join(' ') ?? null };
}
