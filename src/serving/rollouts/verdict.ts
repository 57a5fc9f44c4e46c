import { rateInterval } from '../../stats/confidence-sequence.ts';
import type { EvidenceSummary } from './evidence.ts';
import {
  CONSTANT_CHAMPION_VALUES,
  CONSTANT_UNITS,
  HARM_ALPHA,
  HARM_TOLERANCE,
  MAX_FLIPS,
  MIN_BAKE_UNITS,
  MIN_CANARY_UNITS,
  MIN_SHADOW_UNITS,
  SLOWER_MS,
  SLOWER_TIMES,
} from './limits.ts';
import type { PlanStep } from './machine.ts';
import type { PairSummary, ScoreRange } from './pairs.ts';

/** What the evidence of a step says. `have` and `needed` are requests (or entities) at the endpoint. */
export type Verdict =
  | { readonly kind: 'abort'; readonly reason: string }
  | { readonly kind: 'advance'; readonly sentence: string }
  | { readonly kind: 'wait'; readonly have: number; readonly needed: number; readonly sentence: string };

export interface VerdictContext {
  /** `v8` and `v7`: what the sentences call them. */
  readonly challenger: string;
  readonly champion: string;
  /** Labels of a regression are its values, so they say nothing of flips. */
  readonly hasLabels: boolean;
}

/** What the logged requests, scored again, say. Few or none of them end the step too: the live steps ask for enough. */
export function judgeReplay(replay: PairSummary, context: VerdictContext): Verdict {
  const reason = faultOfPairs(replay, 'replayed', context);
  if (reason) return { kind: 'abort', reason };
  return { kind: 'advance', sentence: tellPairs(replay, 'replayed', context) };
}

/**
 * Judges a live step, `index` in its plan: abort on harm, else go on once harm is bounded and enough units were seen in this step, else wait. Units of the step before do not
 * count again: they saw less of the traffic.
 */
export function judgeStep(step: PlanStep, evidence: EvidenceSummary, context: VerdictContext, index: number): Verdict {
  if (step.kind === 'replay') return evidence.replay ? judgeReplay(evidence.replay, context) : waitFor(0, 1);
  const reason = faultOfPairs(evidence.shadow, 'shadowed', context) ?? faultOfCanary(evidence, context);
  if (reason) return { kind: 'abort', reason };
  const weight = step.kind === 'canary' ? step.weight : 1;
  const units = evidence.canary.step === index ? evidence.canary.units : NO_UNITS;
  const seen = step.kind === 'canary' ? units.challenger : evidence.shadow.units;
  const least = step.kind === 'canary' ? MIN_CANARY_UNITS : MIN_SHADOW_UNITS;
  const missing = Math.max(least - seen, unitsMissingForHarm(evidence));
  const have = step.kind === 'canary' ? units.champion + seen : seen;
  if (missing > 0) return waitFor(have, have + Math.ceil(missing / weight));
  const told = step.kind === 'canary' ? tellCanary(evidence, context) : tellPairs(evidence.shadow, 'shadowed', context);
  return { kind: 'advance', sentence: told };
}

/** Judges the time after the promotion, when all traffic is the new version's: undefined while nothing speaks against it. */
export function judgeBake(evidence: EvidenceSummary, context: VerdictContext): string | undefined {
  const { units, failedUnits, scores } = evidence.baking;
  if (units < MIN_BAKE_UNITS) return undefined;
  const before = evidence.harm.championRate;
  const { low } = rateInterval(failedUnits, units, HARM_ALPHA);
  if (low > before + HARM_TOLERANCE)
    return `${context.challenger} failed for ${failedUnits} of ${count(units, 'request')} since it took all traffic (${context.champion}: ${percent(before)} before)`;
  return constantOf(scores, evidence.canary.champion.scores, units, 'since it took all traffic', context);
}

const NO_UNITS = { champion: 0, challenger: 0 } as const;

function faultOfPairs(pairs: PairSummary, how: string, context: VerdictContext): string | undefined {
  const { challenger, champion } = context;
  if (pairs.worse)
    return `${challenger} failed for ${pairs.failedUnits.challenger} of ${count(pairs.units, `${how} request`)}, ${champion} for ${pairs.failedUnits.champion} of the same (e = ${evidenceValue(pairs.eValue)})`;
  if (context.hasLabels && pairs.units >= CONSTANT_UNITS && pairs.flips.low > MAX_FLIPS)
    return `${percent(pairs.flips.share)} of ${count(pairs.rows, `${how} answer`)} differ from ${champion}'s, surely more than ${percent(MAX_FLIPS)}`;
  return constantOf(pairs.scores.challenger, pairs.scores.champion, pairs.units, how, context);
}

function faultOfCanary(evidence: EvidenceSummary, context: VerdictContext): string | undefined {
  const { canary } = evidence;
  if (canary.worse)
    return `${context.challenger} failed for ${canary.challenger.failedUnits} of ${count(canary.challenger.units, 'request')}, ${context.champion} beside it for ${canary.champion.failedUnits} of ${canary.champion.units.toLocaleString('en')} (e = ${evidenceValue(canary.eValue)})`;
  const slower = canary.slower;
  if (slower && slower.timesAtLeast >= SLOWER_TIMES && slower.msAtLeast >= SLOWER_MS)
    return `${context.challenger} takes ${milliseconds(canary.challenger.latencyMsP50)} at the median, ${context.champion} ${milliseconds(canary.champion.latencyMsP50)}`;
  return constantOf(canary.challenger.scores, canary.champion.scores, canary.challenger.units, 'live', context);
}

function constantOf(
  challenger: ScoreRange,
  champion: ScoreRange,
  units: number,
  how: string,
  context: VerdictContext,
): string | undefined {
  const isConstant = challenger.rows > 0 && challenger.min === challenger.max;
  if (!isConstant || units < CONSTANT_UNITS || champion.distinct < CONSTANT_CHAMPION_VALUES) return undefined;
  return `${context.challenger} answers ${decimals(challenger.min)} to all ${count(challenger.rows, how === 'since it took all traffic' ? 'request' : `${how} request`)}; ${context.champion}'s scores range from ${decimals(champion.min)} to ${decimals(champion.max)}`;
}

/** How many more units without a failure would bound the harm; 0 where it is bounded. */
function unitsMissingForHarm(evidence: EvidenceSummary): number {
  const { units, failedUnits, championRate, above } = evidence.harm;
  if (above < HARM_TOLERANCE) return 0;
  let missing = 1;
  while (missing < 1e6 && rateInterval(failedUnits, units + missing, HARM_ALPHA).high - championRate >= HARM_TOLERANCE)
    missing *= 2;
  let low = missing / 2;
  let high = missing;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (rateInterval(failedUnits, units + middle, HARM_ALPHA).high - championRate < HARM_TOLERANCE) high = middle;
    else low = middle;
  }
  return Math.ceil(high);
}

const waitFor = (have: number, needed: number): Verdict => ({
  kind: 'wait',
  have,
  needed,
  sentence: `${have.toLocaleString('en')} of about ${needed.toLocaleString('en')} requests needed`,
});

function tellPairs(pairs: PairSummary, how: string, context: VerdictContext): string {
  if (pairs.rows === 0) return 'No request was logged yet, so none was replayed';
  const flips = context.hasLabels ? `${percent(pairs.flips.share)} of the labels differ, ` : '';
  return `${count(pairs.rows, `${how} request`)}: ${flips}scores ${signed(pairs.difference.mean)} on average, ${count(pairs.failedUnits.challenger, 'failure')}`;
}

function tellCanary({ canary, harm }: EvidenceSummary, context: VerdictContext): string {
  return `${context.challenger} answered ${count(canary.units.challenger, 'request')} in this step with ${count(canary.challenger.failedUnits, 'failure')}; harm is at most ${percent(Math.max(0, harm.above))}`;
}

const count = (n: number, what: string): string => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;
const percent = (share: number): string =>
  `${(share * 100).toLocaleString('en', { maximumFractionDigits: share < 0.01 ? 2 : 1 })} %`;
const decimals = (value: number | null): string => (value === null ? '-' : String(Number(value.toPrecision(3))));
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(3)}`;
const milliseconds = (value: number | null): string => (value === null ? '-' : `${Number(value.toPrecision(3))} ms`);
const evidenceValue = (e: number): string => (e >= 1e6 ? e.toExponential(0) : Math.round(e).toLocaleString('en'));
