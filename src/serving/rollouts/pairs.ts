import type { Cell } from '../../kernel/frame.ts';
import { type Interval, meanInterval } from '../../stats/confidence-sequence.ts';
import { addRateEvent, createRateRatio, eValue, isRejected, type RateRatio } from '../../stats/e-process.ts';
import { LATENCY_BINS, latencyBin, latencyQuantileUs } from '../../stats/profile.ts';
import { ALPHA, MAX_UNITS } from './limits.ts';

/** One answer as evidence looks at it. A NaN score without an error is a failure too. */
export interface Answer {
  readonly failed: boolean;
  readonly score: number;
  readonly label: Cell;
  readonly latencyUs: number;
}

/** What is known of a set of scores. `distinct` counts up to `MAX_DISTINCT`. */
export interface ScoreRange {
  readonly rows: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly distinct: number;
}

/** The same rows answered by both versions, told in units (entities, or requests where there are none). */
export interface PairSummary {
  readonly rows: number;
  readonly units: number;
  readonly failedUnits: { readonly champion: number; readonly challenger: number };
  /** Evidence that the challenger fails more often, over the units in which just one of the two failed. */
  readonly eValue: number;
  readonly worse: boolean;
  /** Share of answers whose label differs; the interval holds at all sample sizes. */
  readonly flips: Interval & { readonly share: number };
  /** Challenger's score less the champion's. */
  readonly difference: Interval & { readonly mean: number };
  readonly scores: { readonly champion: ScoreRange; readonly challenger: ScoreRange };
  readonly latencyMsP50: { readonly champion: number | null; readonly challenger: number | null };
}

export const MAX_DISTINCT = 32;

interface PairUnit {
  rows: number;
  scored: number;
  difference: number;
  flips: number;
  championFailed: boolean;
  challengerFailed: boolean;
}

/** Collects pairs; O(1) a pair, bounded by `MAX_UNITS` units. */
export class PairEvidence {
  rows = 0;
  readonly champion = new ScoreCollector();
  readonly challenger = new ScoreCollector();
  readonly #units = new Map<string, PairUnit>();
  readonly #rate: RateRatio = createRateRatio();
  readonly #decided = new Set<string>();

  add(unit: string, champion: Answer, challenger: Answer): void {
    const known = this.#units.get(unit) ?? this.#create(unit);
    if (!known) return;
    this.rows += 1;
    known.rows += 1;
    known.championFailed ||= champion.failed;
    known.challengerFailed ||= challenger.failed;
    this.champion.add(champion);
    this.challenger.add(challenger);
    this.#countFailure(unit, champion, challenger);
    if (champion.failed || challenger.failed) return;
    known.scored += 1;
    known.difference += challenger.score - champion.score;
    if (challenger.label !== champion.label) known.flips += 1;
  }

  get units(): number {
    return this.#units.size;
  }

  get failedUnits(): { readonly champion: number; readonly challenger: number } {
    let champion = 0;
    let challenger = 0;
    for (const unit of this.#units.values()) {
      if (unit.championFailed) champion += 1;
      if (unit.challengerFailed) challenger += 1;
    }
    return { champion, challenger };
  }

  summary(): PairSummary {
    const flips = unitMeans(this.#units.values(), (unit) => unit.flips / unit.scored);
    const difference = unitMeans(this.#units.values(), (unit) => unit.difference / unit.scored);
    return {
      rows: this.rows,
      units: this.units,
      failedUnits: this.failedUnits,
      eValue: eValue(this.#rate),
      worse: isRejected(this.#rate, ALPHA.shadowErrors),
      flips: { share: flips.mean, ...flips.interval },
      difference: { mean: difference.mean, ...difference.interval },
      scores: { champion: this.champion.range(), challenger: this.challenger.range() },
      latencyMsP50: { champion: this.champion.latencyMs(0.5), challenger: this.challenger.latencyMs(0.5) },
    };
  }

  #create(unit: string): PairUnit | undefined {
    if (this.#units.size >= MAX_UNITS) return undefined;
    const created = { rows: 0, scored: 0, difference: 0, flips: 0, championFailed: false, challengerFailed: false };
    this.#units.set(unit, created);
    return created;
  }

  /** Where just one failed, it was as likely to be either of them if the challenger is no worse; each unit counts once. */
  #countFailure(unit: string, champion: Answer, challenger: Answer): void {
    if (champion.failed === challenger.failed || this.#decided.has(unit)) return;
    this.#decided.add(unit);
    addRateEvent(this.#rate, challenger.failed, 0.5);
  }
}

/** Scores and latencies of one arm. */
export class ScoreCollector {
  rows = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  readonly #distinct = new Set<number>();
  readonly latency = new Array<number>(LATENCY_BINS).fill(0);

  add(answer: Answer): void {
    this.latency[latencyBin(answer.latencyUs)]! += 1;
    if (answer.failed) return;
    this.rows += 1;
    this.#min = Math.min(this.#min, answer.score);
    this.#max = Math.max(this.#max, answer.score);
    if (this.#distinct.size < MAX_DISTINCT) this.#distinct.add(answer.score);
  }

  range(): ScoreRange {
    if (this.rows === 0) return { rows: 0, min: null, max: null, distinct: 0 };
    return { rows: this.rows, min: this.#min, max: this.#max, distinct: this.#distinct.size };
  }

  latencyMs(quantile: number): number | null {
    const us = latencyQuantileUs(this.latency, quantile);
    return us === null ? null : us / 1000;
  }
}

function unitMeans(
  units: Iterable<PairUnit>,
  meanOf: (unit: PairUnit) => number,
): { readonly mean: number; readonly interval: Interval } {
  let n = 0;
  let sum = 0;
  let squares = 0;
  for (const unit of units) {
    if (unit.scored === 0) continue;
    const value = meanOf(unit);
    n += 1;
    sum += value;
    squares += value * value;
  }
  if (n < 2) return { mean: n === 0 ? 0 : sum, interval: { low: -1e9, high: 1e9 } };
  return { mean: sum / n, interval: meanInterval(n, sum, squares, ALPHA.flips) };
}
