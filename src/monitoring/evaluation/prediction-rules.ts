import { orderedDrift } from '../../stats/drift.ts';
import { basisOf, EFFECT, type Finding, finding, MIN_ROWS, SHARES, type WindowFacts } from './rules.ts';

/** The predictions light: scores against the scores of held-out rows, and answers that no longer vary. */
export function predictionFindings(facts: WindowFacts): Finding[] {
  const { counters, profile } = facts;
  const n = counters.scoreBins.reduce((a, b) => a + b, 0);
  const base = { rule: 'predictions.scores', light: 'predictions', n, threshold: EFFECT.noted } as const;
  if (n < MIN_ROWS) return [finding({ ...base, state: 'grey', sentence: `${n} scores: too few to judge` })];
  const mean = counters.scoreSum / n;
  const variance = Math.max(0, counters.scoreSumSquares / n - mean * mean);
  if (variance < 1e-12 && profile.score.edges.length > 3)
    return [
      finding({
        ...base,
        rule: 'predictions.constant',
        state: 'red',
        value: mean,
        sentence: `all ${n} answers are ${mean.toFixed(4)}; in training they varied`,
      }),
    ];
  return [scoreFinding(facts, n, mean)];
}

function scoreFinding(facts: WindowFacts, n: number, mean: number): Finding {
  const { counters, alpha, floor, words } = basisOf(facts, SHARES.scores);
  const test = orderedDrift(facts.profile.score.counts, counters.scoreBins);
  const exceeds = test.p < alpha && test.effect >= floor;
  const state = !exceeds ? 'green' : test.effect >= EFFECT.major ? 'red' : 'amber';
  return finding({
    rule: 'predictions.scores',
    light: 'predictions',
    n,
    threshold: floor,
    state,
    exceeds,
    value: test.effect,
    sentence: `scores average ${mean.toFixed(3)}, effect ${test.effect.toFixed(3)} against held-out rows${words} (noted from ${floor})`,
    details: { p: test.p, mean, labels: facts.counters.labels },
  });
}
