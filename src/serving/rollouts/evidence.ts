import { dkwHalfWidth, rateInterval } from '../../stats/confidence-sequence.ts';
import { addRateEvent, createRateRatio, eValue, isRejected } from '../../stats/e-process.ts';
import { latencyQuantileUs } from '../../stats/profile.ts';
import { ALPHA, HARM_ALPHA, HARM_TOLERANCE, MAX_UNITS, MAX_WAITING } from './limits.ts';
import { type Answer, PairEvidence, type PairSummary, ScoreCollector, type ScoreRange } from './pairs.ts';

/** A logged row of one of the arms. `weight` and `step` are those of the revision that routed it. */
export interface EvidenceRow extends Answer {
  readonly arm: 'champion' | 'challenger' | 'shadow' | 'baking';
  /** Request and row: joins a shadow's answer to the champion's. */
  readonly key: string;
  readonly request: string;
  readonly unit: string;
  readonly step: number;
  readonly weight: number;
}

export interface ArmSummary {
  readonly units: number;
  readonly failedUnits: number;
  readonly scores: ScoreRange;
  readonly latencyMsP50: number | null;
  readonly latencyMsP99: number | null;
}

/** The evidence of a rollout as it is stored, shown and decided on. Every number is a function of the log. */
export interface EvidenceSummary {
  readonly replay: PairSummary | null;
  readonly shadow: PairSummary;
  readonly canary: {
    /** Of the present step. */
    readonly step: number;
    readonly requests: number;
    readonly units: { readonly champion: number; readonly challenger: number };
    /** Of all steps. */
    readonly champion: ArmSummary;
    readonly challenger: ArmSummary;
    readonly eValue: number;
    readonly worse: boolean;
    readonly slower: { readonly timesAtLeast: number; readonly msAtLeast: number } | null;
  };
  /** The new version's failures, over all units that it answered or scored; `above` bounds what it adds to the champion's. */
  readonly harm: {
    readonly units: number;
    readonly failedUnits: number;
    readonly upper: number;
    readonly championRate: number;
    readonly above: number;
    readonly tolerance: number;
  };
  readonly baking: ArmSummary;
}

/**
 * Folds the rows of a rollout. The entity (or else the request) is the unit: under sticky routing all requests of an entity
 * share an arm and often a fate, so that counting requests calls identical versions different in every fifth rollout.
 */
export class RolloutEvidence {
  readonly #replay: PairSummary | null;
  readonly #shadow = new PairEvidence();
  readonly #waiting = new Map<string, Answer>();
  readonly #champion = new ArmEvidence();
  readonly #challenger = new ArmEvidence();
  readonly #baking = new ArmEvidence();
  readonly #scored = new ArmEvidence();
  readonly #rate = createRateRatio();
  /** Where each failing unit was when it last failed. */
  readonly #lastFailure = new Map<string, { readonly inCanary: boolean; readonly weight: number }>();
  #step = new StepEvidence(-1);

  constructor(replay: PairSummary | null) {
    this.#replay = replay;
  }

  add(row: EvidenceRow): void {
    if (row.arm === 'shadow') this.#addShadow(row);
    else if (row.arm === 'baking') this.#baking.add(row);
    else this.#addAnswer(row);
  }

  summary(): EvidenceSummary {
    return {
      replay: this.#replay,
      shadow: this.#shadow.summary(),
      canary: {
        step: this.#step.index,
        requests: this.#step.requests.size,
        units: { champion: this.#step.champion.size, challenger: this.#step.challenger.size },
        champion: this.#champion.summary(),
        challenger: this.#challenger.summary(),
        eValue: eValue(this.#rate),
        worse: isRejected(this.#rate, ALPHA.canaryErrors),
        slower: slowerBy(this.#champion.scores.latency, this.#challenger.scores.latency),
      },
      harm: this.#harm(),
      baking: this.#baking.summary(),
    };
  }

  #harm(): EvidenceSummary['harm'] {
    const replayed = this.#replay;
    const units = this.#scored.units + (replayed?.units ?? 0);
    const failedUnits = this.#scored.failed + (replayed?.failedUnits.challenger ?? 0);
    const championUnits = this.#champion.units + (replayed?.units ?? 0);
    const championFailed = this.#champion.failed + (replayed?.failedUnits.champion ?? 0);
    const upper = rateInterval(failedUnits, units, HARM_ALPHA).high;
    const championRate = championUnits === 0 ? 0 : championFailed / championUnits;
    return { units, failedUnits, upper, championRate, above: upper - championRate, tolerance: HARM_TOLERANCE };
  }

  #addAnswer(row: EvidenceRow): void {
    if (row.arm === 'challenger') {
      this.#challenger.add(row);
      this.#scored.add(row);
    } else {
      this.#champion.add(row);
      if (row.weight === 0) this.#await(row);
    }
    if (row.weight > 0) this.#addToStep(row);
  }

  #await(row: EvidenceRow): void {
    if (this.#waiting.size >= MAX_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
    this.#waiting.set(row.key, row);
  }

  #addShadow(row: EvidenceRow): void {
    this.#scored.add(row);
    const champion = this.#waiting.get(row.key);
    if (!champion) return;
    this.#waiting.delete(row.key);
    this.#shadow.add(row.unit, champion, row);
  }

  #addToStep(row: EvidenceRow): void {
    if (row.step < this.#step.index) return;
    if (row.step > this.#step.index) this.#step = new StepEvidence(row.step);
    if (this.#step.add(row)) this.#addFailure(row);
  }

  /**
   * The first failure of a unit in a step. Shares only grow and arms are nested, so a unit that failed in the canary before is
   * there for certain, and one that failed beside it moved in with probability (now - then) / (1 - then).
   */
  #addFailure(row: EvidenceRow): void {
    const inCanary = row.arm === 'challenger';
    const last = this.#lastFailure.get(row.unit);
    const share = !last ? row.weight : last.inCanary ? 1 : (row.weight - last.weight) / (1 - last.weight);
    addRateEvent(this.#rate, inCanary, share);
    this.#lastFailure.set(row.unit, { inCanary, weight: row.weight });
  }
}

/** The present canary step: who was seen, and who failed for the first time. */
class StepEvidence {
  readonly index: number;
  readonly requests = new Set<string>();
  readonly champion = new Set<string>();
  readonly challenger = new Set<string>();
  readonly #failed = new Set<string>();

  constructor(index: number) {
    this.index = index;
  }

  /** True where the row is its unit's first failure in this step. */
  add(row: EvidenceRow): boolean {
    const units = row.arm === 'challenger' ? this.challenger : this.champion;
    if (units.size < MAX_UNITS) units.add(row.unit);
    if (this.requests.size < MAX_UNITS) this.requests.add(row.request);
    if (!row.failed || this.#failed.has(row.unit) || this.#failed.size >= MAX_UNITS) return false;
    this.#failed.add(row.unit);
    return true;
  }
}

class ArmEvidence {
  readonly scores = new ScoreCollector();
  readonly #units = new Map<string, boolean>();
  failed = 0;

  get units(): number {
    return this.#units.size;
  }

  add(row: EvidenceRow): void {
    this.scores.add(row);
    const known = this.#units.get(row.unit);
    if (known === undefined && this.#units.size >= MAX_UNITS) return;
    if (row.failed && !known) this.failed += 1;
    this.#units.set(row.unit, known === true || row.failed);
  }

  summary(): ArmSummary {
    return {
      units: this.units,
      failedUnits: this.failed,
      scores: this.scores.range(),
      latencyMsP50: this.scores.latencyMs(0.5),
      latencyMsP99: this.scores.latencyMs(0.99),
    };
  }
}

/** What is sure of the medians, from bands around both distributions; null while a median is not bounded yet. */
function slowerBy(
  champion: readonly number[],
  challenger: readonly number[],
): { readonly timesAtLeast: number; readonly msAtLeast: number } | null {
  const low = quantileAt(challenger, 0.5 - dkwHalfWidth(sum(challenger), ALPHA.latency / 2));
  const high = quantileAt(champion, 0.5 + dkwHalfWidth(sum(champion), ALPHA.latency / 2));
  if (low === null || high === null) return null;
  return { timesAtLeast: low / high, msAtLeast: (low - high) / 1000 };
}

const quantileAt = (bins: readonly number[], q: number): number | null =>
  q <= 0 || q >= 1 ? null : latencyQuantileUs(bins, q);

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
