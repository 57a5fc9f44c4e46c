import { AppError } from '../../kernel/errors.ts';
import { type Frame, takeRows } from '../../kernel/frame.ts';
import { getEndpoint } from '../../serving/index.ts';
import { DEFAULT_BUDGET } from '../evaluation/rules.ts';
import { judgedBy } from '../evaluation/versions.ts';
import { grouped } from '../labels/labels.ts';
import type { ColumnFault } from '../types.ts';
import { RULES_OF, whyQuiet } from './quiet.ts';
import type { RehearsalReport } from './rehearsals.ts';
import { type Inputs, inferBody, rowsToReplay } from './replay.ts';
import type { Spoiler } from './spoilers.ts';
import { type Rehearsing, spoilerFor } from './start.ts';
import { realRows, resolveItsIncidents, type Seen, sendAndWatch } from './watching.ts';

const ROWS_A_REQUEST = 10;
/** Rows with a fault that may be refused go one by one, so that none takes others along, unless they are very many. */
const REFUSED_ALONE: ReadonlySet<string> = new Set(['nulls', 'new-category']);
const MAX_ALONE = 1_000;

/** Real rows again, with one column spoiled, through the living endpoint and apart from real windows. */
export async function rehearseData(rehearsing: Rehearsing): Promise<Partial<RehearsalReport>> {
  const { deps, row, input, note } = rehearsing;
  const endpoint = await getEndpoint(deps.serving, { projectId: row.project_id }, row.endpoint);
  const judged = await judgedBy(deps, endpoint.championId!);
  if (!judged?.profile || !judged.version.spec)
    throw new AppError('precondition_failed', `v${endpoint.champion} has no profile to judge data by`);
  const { inputs } = judged.version.spec.signature;
  const spoil = spoilerFor(deps, judged, input);
  const { frame, times, words } = await rowsToReplay(rehearsing, judged.version);
  await note({ sentence: `sends ${words} with ${spoil.words}`, column: spoil.column, ...spoil.facts });
  const before = await realRows(deps, row.project_id, row.endpoint);
  const isAlone = REFUSED_ALONE.has(input.kind) && frame.rowCount <= MAX_ALONE;
  const rowsPerRequest = isAlone ? 1 : ROWS_A_REQUEST;
  const dates = endpoint.eventTime === 'client' ? times : null;
  const bodies = bodiesOf(spoil.apply(frame), { inputs, dates, rowsPerRequest });
  const seen = await sendAndWatch(rehearsing, judged, { bodies, rowsPerRequest, rows: frame.rowCount });
  const moved = (await realRows(deps, row.project_id, row.endpoint)) - before;
  await resolveItsIncidents(deps, row, 'the rehearsal is over');
  return conclude(rehearsing, seen, { rows: frame.rowCount, requests: bodies.length, words, spoil, moved, dates });
}

function bodiesOf(
  frame: Frame,
  {
    inputs,
    dates,
    rowsPerRequest,
  }: { readonly inputs: Inputs; readonly dates: readonly number[] | null; readonly rowsPerRequest: number },
): unknown[] {
  const bodies: unknown[] = [];
  for (let start = 0; start < frame.rowCount; start += rowsPerRequest) {
    const rows = Array.from({ length: Math.min(rowsPerRequest, frame.rowCount - start) }, (_, i) => start + i);
    bodies.push(inferBody(takeRows(frame, rows), inputs, dates?.[rows.at(-1)!] ?? null));
  }
  return bodies;
}

interface Sent {
  readonly rows: number;
  readonly requests: number;
  readonly words: string;
  readonly spoil: Spoiler;
  readonly moved: number;
  /** Event times of the rows, where callers date them. */
  readonly dates: readonly number[] | null;
}

/** Event time from the first row to the one that raised the alarm. */
function eventTimeOf({ dates }: Sent, afterRows: number): number | null {
  if (dates === null) return null;
  const ms = dates[afterRows - 1]! - dates[0]!;
  return ms > 0 ? ms : null;
}

function spanWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes >= 2 * 24 * 60) return `${Math.round(minutes / 60 / 24)} days`;
  return minutes >= 120 ? `${Math.round(minutes / 60)} hours` : `${minutes} minutes`;
}

async function conclude(rehearsing: Rehearsing, seen: Seen, sent: Sent): Promise<Partial<RehearsalReport>> {
  const { deps, row, input } = rehearsing;
  const cost =
    `${grouped(sent.requests)} tagged requests (${sent.words.replace(/,$/, '')})` +
    (seen.unanswered > 0 ? `, ${grouped(seen.unanswered)} of them refused` : '') +
    (sent.moved === 0
      ? '; real windows are untouched'
      : `; ${grouped(sent.moved)} real rows came in meanwhile, counted apart`);
  if (seen.incident === null) {
    const file = (await deps.serving.appliedFile(row.project_id, row.model))?.file;
    const budget = file?.monitor?.falseAlarms ?? DEFAULT_BUDGET;
    const quiet = whyQuiet({ ...seen, kind: input.kind as ColumnFault, rows: sent.rows, budget });
    return { sentence: `no alarm in ${grouped(sent.rows)} rows with ${sent.spoil.words}: ${quiet}`, cost };
  }
  const found = foundByTheEnd(seen, input.kind as ColumnFault);
  const eventMs = eventTimeOf(sent, seen.afterRows!);
  const span = eventMs === null ? '' : ` (${spanWords(eventMs)} of event time)`;
  return {
    alarmAfterEventMs: eventMs,
    sentence: `alarm after ${grouped(seen.afterRows!)} of ${grouped(sent.rows)} rows${span} with ${sent.spoil.words}: ${seen.alarm}`,
    acted: [
      ...(found === null || seen.alarm?.includes(found) ? [] : [`by the end: ${found}`]),
      `incident ${seen.incident} opened, marked REHEARSAL, and resolved at the end`,
      ...(seen.heldBack === null ? [] : [`retraining was held back while it lasted: ${seen.heldBack}`]),
    ],
    cost,
  };
}

/** The rule that names the fault best of those that are red. */
function foundByTheEnd({ findings }: Seen, kind: ColumnFault): string | null {
  const red = findings.filter((row) => row.state === 'red');
  const best = RULES_OF[kind].map((rule) => red.find((row) => row.rule === rule)).find((row) => row !== undefined);
  return best?.sentence ?? red.find((row) => row.light === 'data')?.sentence ?? null;
}
