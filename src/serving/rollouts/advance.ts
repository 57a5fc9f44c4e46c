import { canonicalJson } from '../../kernel/canonical-json.ts';
import { isAppError } from '../../kernel/errors.ts';
import { findHold, findVersionById } from '../../registry/index.ts';
import { selectEndpoint } from '../endpoints.store.ts';
import { type Gateway, listGateways } from '../gateways.ts';
import { eventClockOf } from '../log/event-clock.ts';
import type { RolloutTable } from '../tables.ts';
import type { Rollout, ServingDeps } from '../types.ts';
import type { EvidenceSummary } from './evidence.ts';
import { evidenceOf } from './evidence-log.ts';
import { PARITY_TOLERANCE } from './limits.ts';
import { eventOfStep, REPLAY_ROWS, type RolloutState } from './machine.ts';
import { replay } from './replay.ts';
import { selectRollout, updateRollout } from './rollouts.store.ts';
import { applyIn, type Change, planOfRow } from './transitions.ts';
import { judgeBake, judgeStep, type VerdictContext } from './verdict.ts';

const CLEAN_END = 'ended its rehearsal';

/** Whether a rehearsed rollout went through all its steps: it is taken away then, and nothing was found. */
export const isCleanEnd = ({ rehearsal, reason }: Pick<Rollout, 'rehearsal' | 'reason'>): boolean =>
  rehearsal !== null && (reason?.startsWith(CLEAN_END) ?? false);

interface Look {
  readonly rollout: RolloutTable;
  readonly gateways: readonly Gateway[];
  readonly clock: number | null;
  /** When rows had last come in before this look. */
  readonly ingestedAt: number;
}

/**
 * Looks once at a rollout and does what its evidence asks for. Answers the row after it, so that the caller may look again while
 * it moves. A rollout that somebody else moved meanwhile is left as it is.
 */
export async function advanceRollout(deps: ServingDeps, rollout: RolloutTable): Promise<RolloutTable> {
  const gateways = (await listGateways(deps)).filter(({ alive }) => alive);
  const look: Look = { rollout, gateways, ...(await clockOf(deps, rollout)) };
  const change = latched(look) ?? (await LOOKS[rollout.state as RolloutState](deps, look));
  return change ? apply(deps, rollout, change) : current(deps, rollout);
}

const LOOKS: Readonly<Record<RolloutState, (deps: ServingDeps, look: Look) => Promise<Change | undefined>>> = {
  preflight,
  shadow: lookAtStep,
  canary: lookAtStep,
  paused: lookAtStep,
  promoting: async (_deps, look) => (isApplied(look) ? afterPromotion(look) : undefined),
  baking: lookAtBake,
  aborting: async (_deps, look) => (isApplied(look) ? { event: 'close', sentence: abortedSentence(look) } : undefined),
  done: async () => undefined,
  aborted: async () => undefined,
};

async function apply(deps: ServingDeps, rollout: RolloutTable, change: Change): Promise<RolloutTable> {
  try {
    return await deps.db.write((tx) => applyIn(tx, deps, rollout, change));
  } catch (error) {
    if (!isAppError(error, 'conflict')) throw error;
    return current(deps, rollout);
  }
}

async function current(deps: ServingDeps, rollout: RolloutTable): Promise<RolloutTable> {
  return (await deps.db.read((tx) => selectRollout(tx, rollout.project_id, rollout.id))) ?? rollout;
}

/** The clock that the rollout's durations run on, and how far the log is. */
async function clockOf(deps: ServingDeps, rollout: RolloutTable): Promise<Pick<Look, 'clock' | 'ingestedAt'>> {
  const endpoint = await deps.db.read((tx) => selectEndpoint(tx, rollout.project_id, rollout.endpoint));
  if (!endpoint) return { clock: null, ingestedAt: 0 };
  return { clock: eventClockOf(endpoint, deps.clock.now()), ingestedAt: endpoint.ingested_at };
}

/** A gateway that stopped the canary by itself has the last word. */
function latched({ rollout, gateways }: Look): Change | undefined {
  if (!['shadow', 'canary', 'paused', 'preflight'].includes(rollout.state)) return undefined;
  const latch = gateways.flatMap(({ report }) => report.latched).find(({ rolloutId }) => rolloutId === rollout.id);
  return (
    latch && {
      event: 'abort',
      sentence: `rolled back by the gateway: ${latch.reason}`,
      reason: latch.reason,
      hold: true,
    }
  );
}

/** Every living gateway has loaded the version and its golden predictions agree; one that cannot load it ends the rollout. */
async function preflight(deps: ServingDeps, { rollout, gateways }: Look): Promise<Change | undefined> {
  const reports = gateways.map(({ report }) =>
    report.versions.find((v) => v.endpoint === rollout.endpoint && v.versionId === rollout.version_id),
  );
  const failed = reports.find((report) => report?.state === 'failed');
  if (failed) return { event: 'abort', sentence: `aborted: it did not load (${failed.error ?? 'no reason given'})` };
  if (reports.length === 0 || !reports.every((report) => report?.state === 'ready')) return undefined;
  const differing = reports.find((report) => (report?.parity?.maxDifference ?? 0) > PARITY_TOLERANCE);
  if (differing?.parity)
    return {
      event: 'abort',
      sentence: `aborted: its golden predictions differ by ${differing.parity.maxDifference} in the gateway (at most ${PARITY_TOLERANCE})`,
    };
  const parity = reports[0]?.parity;
  const golden = parity
    ? `; ${parity.rows} golden predictions agree within ${parity.maxDifference.toExponential(0)}`
    : '';
  return enter(deps, rollout, 0, `is loaded${golden}`, null);
}

/** Enters step `index` of the plan; past its end the promotion, or the end of the rehearsal. */
async function enter(
  deps: ServingDeps,
  rollout: RolloutTable,
  index: number,
  why: string,
  evidence: EvidenceSummary | null,
): Promise<Change> {
  const plan = planOfRow(rollout);
  const event = eventOfStep(plan, index);
  const step = plan.steps[index];
  if (step?.kind === 'canary')
    return {
      event,
      step: index,
      evidence,
      sentence: `takes ${Math.round(step.weight * 100)} % of the traffic: ${why}`,
    };
  if (step) {
    const what = step.kind === 'replay' ? 'is replayed on the last logged requests' : 'scores all traffic in shadow';
    return { event, step: index, evidence, sentence: `${what}: ${why}` };
  }
  if (rollout.rehearsal !== null)
    return {
      event: 'abort',
      evidence,
      sentence: `${CLEAN_END} ${rollout.rehearsal}: nothing spoke against it (${why})`,
    };
  const hold = await findHold(deps.registry, rollout.project_id, rollout.model);
  if (hold && rollout.state !== 'paused')
    return rollout.state === 'preflight'
      ? { event: 'abort', evidence, sentence: `aborted: ${rollout.model} is HELD (${hold.reason})` }
      : {
          event: 'pause',
          evidence,
          sentence: `paused before 100 %: ${rollout.model} is HELD (${hold.reason}). continue | wait | abort`,
        };
  return { event, step: index, evidence, sentence: `is promoted to all traffic: ${why}` };
}

async function lookAtStep(deps: ServingDeps, look: Look): Promise<Change | undefined> {
  const rollout = await replayed(deps, look.rollout);
  const step = planOfRow(rollout).steps[rollout.step];
  if (!step) return undefined;
  const evidence = await evidenceOf(deps, rollout);
  const verdict = judgeStep(step, evidence, await contextOf(deps, rollout), rollout.step);
  if (verdict.kind === 'abort')
    return {
      event: 'abort',
      sentence: `rolled back by itself: ${verdict.reason}`,
      reason: verdict.reason,
      hold: true,
      evidence,
    };
  if (rollout.state === 'paused') return keep(deps, look, rollout, evidence, rollout.sentence);
  if (verdict.kind === 'advance') return enter(deps, rollout, rollout.step + 1, verdict.sentence, evidence);
  if (look.clock !== null && rollout.deadline_event !== null && look.clock >= rollout.deadline_event)
    return {
      event: 'pause',
      sentence: `paused at ${step.kind === 'canary' ? `${Math.round(step.weight * 100)} %` : step.kind}: ${verdict.sentence}. continue | wait | abort`,
      evidence,
    };
  return keep(deps, look, rollout, evidence, tellWait(step.kind === 'canary' ? step.weight : null, verdict.sentence));
}

const tellWait = (weight: number | null, sentence: string): string =>
  `${weight === null ? 'in shadow' : `at ${Math.round(weight * 100)} %`}: ${sentence}`;

/** Runs the replay of a replay step once; its summary is kept, since the log goes on meanwhile. */
async function replayed(deps: ServingDeps, rollout: RolloutTable): Promise<RolloutTable> {
  const isReplay = planOfRow(rollout).steps[rollout.step]?.kind === 'replay';
  if (!isReplay || rollout.replay !== null || rollout.from_version_id === null) return rollout;
  const summary = await replay(deps, {
    projectId: rollout.project_id,
    endpoint: rollout.endpoint,
    championId: rollout.from_version_id,
    challengerId: rollout.version_id,
    rows: REPLAY_ROWS,
  });
  const change = { replay: canonicalJson(summary) };
  await deps.db.write((tx) => updateRollout(tx, rollout, change));
  return { ...rollout, ...change };
}

/** Keeps the evidence for those who look at it, under the same revision; sets a deadline that had no clock yet. */
async function keep(
  deps: ServingDeps,
  { clock, ingestedAt }: Look,
  rollout: RolloutTable,
  evidence: EvidenceSummary,
  sentence: string,
): Promise<undefined> {
  const text = canonicalJson(evidence);
  const { atMostMs } = planOfRow(rollout);
  const deadline = rollout.deadline_event ?? (atMostMs !== null && clock !== null ? clock + atMostMs : null);
  const isSame = text === rollout.evidence && sentence === rollout.sentence && deadline === rollout.deadline_event;
  if (isSame && ingestedAt === rollout.evaluated_ingest) return undefined;
  const change = { evidence: text, sentence, evaluated_ingest: ingestedAt, deadline_event: deadline };
  await deps.db.write((tx) => updateRollout(tx, rollout, change));
  return undefined;
}

async function lookAtBake(deps: ServingDeps, look: Look): Promise<Change | undefined> {
  const { rollout, clock } = look;
  const evidence = await evidenceOf(deps, rollout);
  const reason = judgeBake(evidence, await contextOf(deps, rollout));
  if (reason) return { event: 'abort', sentence: `rolled back by itself: ${reason}`, reason, hold: true, evidence };
  const since = rollout.step_started_event;
  const isOver = clock !== null && since !== null && clock - since >= planOfRow(rollout).bakeMs;
  if (isOver)
    return { event: 'finish', sentence: `is done: v${rollout.from_version} stays warm for a rollback`, evidence };
  return keep(deps, look, rollout, evidence, rollout.sentence);
}

/** Decided and in force: every living gateway runs the generation that this revision made. */
const isApplied = ({ rollout, gateways }: Look): boolean =>
  gateways.every(({ generation }) => generation >= rollout.generation);

function afterPromotion({ rollout }: Look): Change {
  const { bakeMs } = planOfRow(rollout);
  if (bakeMs === 0 || rollout.from_version === null)
    return { event: 'finish', sentence: `answers all traffic of "${rollout.endpoint}"` };
  return {
    event: 'bake',
    sentence: `answers all traffic of "${rollout.endpoint}"; v${rollout.from_version} stands by`,
  };
}

const abortedSentence = ({ rollout }: Look): string =>
  rollout.from_version === null
    ? `gets no traffic any more: ${rollout.reason ?? rollout.sentence}`
    : `gets no traffic any more; v${rollout.from_version} answers "${rollout.endpoint}"`;

async function contextOf(deps: ServingDeps, rollout: RolloutTable): Promise<VerdictContext> {
  const task = (await findVersionById(deps.registry, rollout.version_id))?.spec?.task;
  const champion = rollout.from_version === null ? 'no version' : `v${rollout.from_version}`;
  return { challenger: `v${rollout.version}`, champion, hasLabels: task !== 'regression' };
}
