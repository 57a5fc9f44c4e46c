import { singleAlpha } from '../../stats/false-alarms.ts';
import { latencyQuantileUs } from '../../stats/profile.ts';
import { normalQuantileOfTail } from '../../stats/special.ts';
import { grouped } from '../labels/labels.ts';
import { type Finding, finding, percent, type WindowFacts } from './rules.ts';

export const DEFAULT_LIMITS = { errorRate: 0.01, latencyP99Ms: 1_000 } as const;
const MIN_REQUESTS = 20;

/** Errors and latency against their limits: what `abort_on` says, else 1 % and one second. */
export function serviceFindings(facts: WindowFacts): Finding[] {
  return [errors(facts), latency(facts)];
}

function errors({ counters, limits, budget }: WindowFacts): Finding {
  const all = counters.requests;
  const share = all === 0 ? 0 : counters.errors / all;
  const base = { rule: 'service.errors', light: 'service', value: share, threshold: limits.errorRate, n: all } as const;
  if (all < MIN_REQUESTS)
    return finding({ ...base, state: 'grey', sentence: `${grouped(all)} requests: too few to judge` });
  // The limit must be surely passed, or a single error of a quiet day would wake somebody.
  const z = normalQuantileOfTail(singleAlpha(budget, 0.1));
  const limit = limits.errorRate + z * Math.sqrt((limits.errorRate * (1 - limits.errorRate)) / all);
  const told = `${grouped(counters.errors)} of ${grouped(all)} requests failed (${percent(share)}, limit ${percent(limits.errorRate)})`;
  const state = share > limit ? 'red' : share > limits.errorRate ? 'amber' : 'green';
  return finding({ ...base, state, exceeds: state === 'red', sentence: told });
}

function latency({ counters, limits }: WindowFacts): Finding {
  const p50 = latencyQuantileUs(counters.latency, 0.5);
  const p99 = latencyQuantileUs(counters.latency, 0.99);
  const base = {
    rule: 'service.latency',
    light: 'service',
    threshold: limits.latencyP99Ms,
    n: counters.requests,
  } as const;
  if (p50 === null || p99 === null || counters.requests < MIN_REQUESTS)
    return finding({ ...base, state: 'grey', sentence: 'too few requests to judge latency' });
  const ms = (us: number): string => `${(us / 1_000).toFixed(us < 10_000 ? 1 : 0)} ms`;
  const state = p99 / 1_000 > limits.latencyP99Ms ? 'red' : 'green';
  return finding({
    ...base,
    state,
    value: p99 / 1_000,
    sentence: `latency p50 ${ms(p50)}, p99 ${ms(p99)} (limit ${limits.latencyP99Ms} ms)`,
    details: { p50Ms: p50 / 1_000, p99Ms: p99 / 1_000 },
  });
}
