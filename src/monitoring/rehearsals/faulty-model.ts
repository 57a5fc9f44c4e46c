import type { Fault } from '../../engines/types.ts';
import { AppError } from '../../kernel/errors.ts';
import { takeRows } from '../../kernel/frame.ts';
import { faultWords, findHold, registerRehearsal } from '../../registry/index.ts';
import { controlRollout, deploy, getEndpoint, getRollout, isCleanEnd, type Rollout } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import { type Judged, judgedBy } from '../evaluation/versions.ts';
import { findByRehearsal } from '../incidents/incidents.store.ts';
import { grouped } from '../labels/labels.ts';
import type { RehearsalReport } from './rehearsals.ts';
import { inferBody, rowsToReplay, sendAll } from './replay.ts';
import type { Rehearsing } from './start.ts';

/** Milliseconds that a slow version takes longer: so many, or so many times what the champion takes for nine of ten requests. */
const SLOW_MS = 100;
const SLOW_TIMES = 6;
const MAX_SLOW_MS = 10_000;
/** Requests that say how fast the champion is. */
const TIMED_REQUESTS = 40;
const ERROR_SHARE = 0.3;
const REQUESTS_A_LOOK = 50;
/** A slow version scores one shadowed request after another: more would only be dropped. */
const SHADOWED_A_LOOK = 10;
/** A rollout that does not decide in so many requests is aborted. */
const MAX_REQUESTS = 20_000;
const MAX_MS = 15 * 60_000;
const LOOK_MS = 150;
const DECIDED: readonly string[] = ['done', 'aborted', 'paused'];

/** A version with a fault, rolled out to tagged requests only: what the rollout makes of it. */
export async function rehearseModel(rehearsing: Rehearsing): Promise<Partial<RehearsalReport>> {
  const { deps, row, input, note } = rehearsing;
  // As a person: a rollout that began meanwhile is not pushed aside.
  const actor: Actor = { projectId: row.project_id, user: row.started_by, kind: 'user' };
  const endpoint = await getEndpoint(deps.serving, { projectId: row.project_id }, row.endpoint);
  const judged = await judgedBy(deps, endpoint.championId!);
  if (!judged?.version.spec)
    throw new AppError('precondition_failed', `v${endpoint.champion} has no servable form to rehearse with`);
  const fault = input.kind === 'slow-model' ? await slowFault(rehearsing, judged) : faultOf(input, judged);
  const version = await registerRehearsal(deps.registry as never, actor, {
    model: row.model,
    rehearsal: row.id,
    fault,
  });
  await note({
    version: version.version,
    sentence: `v${version.version} ${faultWords(fault)}; it is rolled out to tagged requests`,
  });
  const { rollout } = await deploy(deps.serving, actor, {
    model: row.model,
    version: version.version,
    endpoint: row.endpoint,
    rehearsal: row.id,
  });
  if (!rollout) throw new AppError('unavailable', 'The rollout of the rehearsal did not start');
  await note({}, { rollout_id: rollout.id });
  const { last, requests, words } = await drive(rehearsing, rollout, judged, fault.kind === 'slow');
  const isRolledBack = last.state === 'aborted' && !isCleanEnd(last);
  if (last.state !== 'aborted' && last.state !== 'done')
    await controlRollout(
      deps.serving,
      { ...actor, kind: 'system' },
      { name: row.endpoint, action: 'abort', reason: 'the rehearsal is over' },
    );
  return conclude(rehearsing, { version: version.version, fault, last, requests, words, isRolledBack });
}

interface Driven {
  readonly version: number;
  readonly fault: Fault;
  readonly last: Rollout;
  readonly requests: number;
  readonly words: string;
  readonly isRolledBack: boolean;
}

async function conclude(
  rehearsing: Rehearsing,
  { version, fault, last, requests, words, isRolledBack }: Driven,
): Promise<Partial<RehearsalReport>> {
  const { deps, row } = rehearsing;
  const hold = await findHold(deps.registry, row.project_id, row.model);
  const incident = isRolledBack ? await waitForIncident(rehearsing) : null;
  return {
    requests,
    rows: requests,
    alarmAfterRequests: isRolledBack ? requests : null,
    alarmAfterRows: isRolledBack ? requests : null,
    alarm: isRolledBack ? (last.reason ?? last.sentence) : null,
    rollbackReason: isRolledBack ? (last.reason ?? last.sentence) : null,
    sentence: isRolledBack
      ? `v${version} (${faultWords(fault)}) was rolled back by itself after ${grouped(requests)} requests: ${last.reason ?? last.sentence}`
      : `v${version} (${faultWords(fault)}) was not rolled back in ${grouped(requests)} requests: ${whyNot(last, fault)}`,
    acted: [
      ...(isRolledBack ? [`v${version} was rolled back`] : []),
      ...(hold ? [`${row.model} is HELD: ${hold.reason}; levain resume ${row.model} lifts it`] : []),
      ...(incident === null ? [] : [`incident ${incident} opened, marked REHEARSAL`]),
    ],
    cost: `${grouped(requests)} tagged requests (${words.replace(/,$/, '')}); no real request reached v${version}`,
  };
}

/** Much slower than the champion is now, under the same requests: a version in Python takes its time anyway. */
async function slowFault(rehearsing: Rehearsing, judged: Judged): Promise<Fault> {
  const { deps, row, input } = rehearsing;
  if (input.amount !== undefined) return { kind: 'slow', ms: Math.max(1, Math.round(input.amount)) };
  const { inputs } = judged.version.spec!.signature;
  const { frame } = await rowsToReplay({ ...rehearsing, input: { ...input, rows: TIMED_REQUESTS } }, judged.version);
  const times: number[] = [];
  for (let i = 0; i < TIMED_REQUESTS; i++) {
    const start = deps.clock.now();
    await sendAll(rehearsing, [inferBody(takeRows(frame, [i % frame.rowCount]), inputs, null)]);
    times.push(deps.clock.now() - start);
  }
  times.sort((a, b) => a - b);
  const usual = times[Math.floor(times.length * 0.9)]!;
  await rehearsing.note({
    requests: TIMED_REQUESTS,
    rows: TIMED_REQUESTS,
    sentence: `the champion of ${row.endpoint} takes ${usual} ms`,
  });
  return { kind: 'slow', ms: Math.min(MAX_SLOW_MS, Math.max(SLOW_MS, Math.round(usual * SLOW_TIMES))) };
}

/** A constant that most answers differ from, where the answers are classes. */
export function faultOf(input: Rehearsing['input'], { task, profile, threshold }: Judged): Fault {
  if (input.fault === 'errors') return { kind: 'errors', share: input.share ?? ERROR_SHARE };
  if (input.share !== undefined) return { kind: 'constant', value: input.share };
  const rate = profile?.labelRate ?? null;
  if (task === 'regression') return { kind: 'constant', value: rate ?? 0.5 };
  const isMostlyPositive = task === 'binary' && rate !== null && rate > 0.5;
  return { kind: 'constant', value: isMostlyPositive ? threshold / 2 : (1 + threshold) / 2 };
}

/** What stood against an alarm. */
function whyNot(last: Rollout, fault: Fault): string {
  if (last.state === 'done' || last.state === 'aborted')
    return fault.kind === 'slow'
      ? `it went through every step; a version is too slow from five times the median and 20 ms on`
      : `it went through every step; its answers differ from the champion's too little to be called a fault (${last.sentence})`;
  return `the rollout was ${last.state} when the time or the requests were used up: ${last.sentence}`;
}

async function drive(
  rehearsing: Rehearsing,
  rollout: Rollout,
  judged: Judged,
  isSlow: boolean,
): Promise<{ readonly last: Rollout; readonly requests: number; readonly words: string }> {
  const { deps, row, signal, note } = rehearsing;
  const endpoint = await getEndpoint(deps.serving, { projectId: row.project_id }, row.endpoint);
  const { inputs } = judged.version.spec!.signature;
  const { frame, times, words } = await rowsToReplay(rehearsing, judged.version);
  const until = deps.clock.now() + MAX_MS;
  let last = rollout;
  let requests = 0;
  while (!DECIDED.includes(last.state) && requests < MAX_REQUESTS && deps.clock.now() < until) {
    signal.throwIfAborted();
    if (last.state === 'shadow' || last.state === 'canary') {
      const some = isSlow && last.state === 'shadow' ? SHADOWED_A_LOOK : REQUESTS_A_LOOK;
      const bodies = Array.from({ length: some }, (_, i) => {
        const at = (requests + i) % frame.rowCount;
        return inferBody(takeRows(frame, [at]), inputs, endpoint.eventTime === 'client' ? times[at]! : null);
      });
      await sendAll(rehearsing, bodies);
      requests += bodies.length;
      await note({ requests, rows: requests, sentence: `v${rollout.version} ${last.state}: ${last.sentence}` });
    }
    await deps.clock.sleep(LOOK_MS, signal);
    const actor: Actor = { projectId: row.project_id, user: row.started_by, kind: 'system' };
    last = (await getRollout(deps.serving, actor, { name: row.endpoint, id: rollout.id })).rollout;
  }
  return { last, requests, words };
}

/** The incident comes by the outbox, a moment after the rollback. */
async function waitForIncident({ deps, row, signal, note }: Rehearsing): Promise<number | null> {
  for (let i = 0; i < 30; i++) {
    const found = await deps.db.read((tx) => findByRehearsal(tx, row.project_id, row.id));
    if (found) {
      await note({}, { incident: found.number });
      return found.number;
    }
    await deps.clock.sleep(LOOK_MS, signal);
  }
  return null;
}
