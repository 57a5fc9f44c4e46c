import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { type EvidenceRow, RolloutEvidence } from './evidence.ts';
import { planOf, type RolloutPlan } from './machine.ts';
import { judgeStep } from './verdict.ts';

const AUTO = planOf({ kind: 'auto', atMostMs: 1 }, { first: false });
const CONTEXT = { challenger: 'v8', champion: 'v7', hasLabels: true };

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface World {
  readonly seed: number;
  /** Requests an entity sends on average; 1 means that requests are the units. */
  readonly entities: number | null;
  /** Share of entities whose requests fail on the champion, and on the challenger. */
  readonly failing: { readonly champion: number; readonly challenger: number };
  readonly constant?: boolean;
  readonly different?: number;
  readonly inverted?: boolean;
  readonly slow?: boolean;
  readonly look?: number;
  readonly requests?: number;
  /** Stay in the steps for the whole time, to see false alarms at their worst. */
  readonly dwell?: boolean;
}

interface Outcome {
  readonly end: 'promoted' | 'aborted' | 'waiting';
  readonly requests: number;
  readonly reason?: string;
}

/** Plays a rollout over simulated traffic, with the router's own rule for arms. */
function play(world: World, plan: RolloutPlan = AUTO): Outcome {
  const random = seeded(world.seed);
  const evidence = new RolloutEvidence(null);
  let step = plan.steps.findIndex(({ kind }) => kind !== 'replay');
  const total = world.requests ?? 4_000;
  const dwell = Math.floor(total / (plan.steps.length - step));
  let entered = 0;
  for (let i = 0; i < total; i++) {
    const unit = world.entities ? `e${Math.floor(random() * world.entities)}` : `r${i}`;
    const current = plan.steps[step]!;
    const weight = current.kind === 'canary' ? current.weight : 0;
    const inCanary = weight > 0 && hash(`rollout-${world.seed}\0${unit}`) < weight;
    for (const row of rowsOf(world, i, unit, weight, step, inCanary, random)) evidence.add(row);
    if ((i + 1) % (world.look ?? 25) !== 0) continue;
    const verdict = judgeStep(current, evidence.summary(), CONTEXT, step);
    if (verdict.kind === 'abort') return { end: 'aborted', requests: i + 1, reason: verdict.reason };
    if (verdict.kind !== 'advance' || (world.dwell && i - entered < dwell)) continue;
    entered = i;
    step += 1;
    if (step === plan.steps.length) return { end: 'promoted', requests: i + 1 };
  }
  return { end: 'waiting', requests: total };
}

function rowsOf(
  world: World,
  i: number,
  unit: string,
  weight: number,
  step: number,
  inCanary: boolean,
  random: () => number,
): EvidenceRow[] {
  const base = Math.round(random() * 1000) / 1000;
  const answer = (arm: EvidenceRow['arm'], version: 'champion' | 'challenger'): EvidenceRow => {
    const better = version === 'challenger';
    const shifted = better ? Math.min(1, Math.max(0, base + (world.different ?? 0) * (random() - 0.3))) : base;
    const score = better && world.constant ? 0.27 : better && world.inverted ? 1 - shifted : shifted;
    const failed = hash(`${unit} fails on ${version}`) < world.failing[version];
    const latencyUs = (better && world.slow ? 50_000 : 1_000) * (0.8 + random() * 0.4);
    return { arm, key: `${i}`, request: `${i}`, unit, step, weight, failed, score, label: score >= 0.5, latencyUs };
  };
  if (weight === 0) return [answer('champion', 'champion'), answer('shadow', 'challenger')];
  return [inCanary ? answer('challenger', 'challenger') : answer('champion', 'champion')];
}

const hash = (text: string): number => createHash('sha256').update(text).digest().readUInt32LE(0) / 2 ** 32;

const runs = (n: number, world: Omit<World, 'seed'>): Outcome[] =>
  Array.from({ length: n }, (_, i) => play({ ...world, seed: i + 1 }));

test('an honest version without failures is promoted in every run, within a thousand requests', () => {
  const outcomes = runs(30, { entities: null, failing: { champion: 0, challenger: 0 }, different: 0.1 });
  assert.ok(
    outcomes.every(({ end, requests }) => end === 'promoted' && requests <= 1_500),
    JSON.stringify(outcomes),
  );
  const median = outcomes.map(({ requests }) => requests).sort((a, b) => a - b)[15]!;
  assert.ok(median <= 1_000, `${median}`);
});

test('identical versions whose failures come by entity are aborted in at most 5 % of runs', () => {
  const outcomes = runs(200, { entities: 300, failing: { champion: 0.04, challenger: 0.04 }, dwell: true, look: 100 });
  const aborted = outcomes.filter(({ end }) => end === 'aborted').length;
  assert.ok(aborted <= 10, `${aborted} of 200`);
});

test('identical versions without entities are aborted in at most 5 % of runs', () => {
  const outcomes = runs(100, { entities: null, failing: { champion: 0.02, challenger: 0.02 }, dwell: true, look: 100 });
  const aborted = outcomes.filter(({ end }) => end === 'aborted').length;
  assert.ok(aborted <= 5, `${aborted} of 100`);
});

test('a version that fails on a tenth of the rows is aborted in shadow within 200 requests', () => {
  const outcomes = runs(20, { entities: null, failing: { champion: 0, challenger: 0.1 } });
  assert.ok(
    outcomes.every(({ end, requests }) => end === 'aborted' && requests <= 200),
    JSON.stringify(outcomes),
  );
  assert.match(outcomes[0]!.reason!, /^v8 failed for \d+ of \d+ shadowed requests, v7 for 0 of the same/);
});

test('a version that fails only live is aborted in its first canary step', () => {
  const plan = { ...AUTO, steps: AUTO.steps.filter(({ kind }) => kind === 'canary') };
  for (let seed = 1; seed <= 10; seed++) {
    const outcome = play({ seed, entities: null, failing: { champion: 0.001, challenger: 0.2 }, look: 10 }, plan);
    assert.equal(outcome.end, 'aborted');
    assert.ok(outcome.requests <= 1_500, `${outcome.requests}`);
    assert.match(outcome.reason!, /beside it/);
  }
});

test('a constant answer is aborted within 75 requests', () => {
  const outcome = play({ seed: 3, entities: null, failing: { champion: 0, challenger: 0 }, constant: true });
  assert.equal(outcome.end, 'aborted');
  assert.ok(outcome.requests <= 75);
  assert.match(outcome.reason!, /^v8 answers 0.27 to all 50 shadowed requests; v7's scores range from/);
});

test('answers turned upside down are aborted for their flips', () => {
  const outcome = play({ seed: 3, entities: null, failing: { champion: 0, challenger: 0 }, inverted: true });
  assert.equal(outcome.end, 'aborted');
  assert.match(outcome.reason!, /differ from v7's, surely more than 33.3 %/);
});

test('a version that is fifty times slower live is aborted', () => {
  const outcome = play({ seed: 3, entities: null, failing: { champion: 0, challenger: 0 }, slow: true, look: 10 });
  assert.equal(outcome.end, 'aborted');
  assert.match(outcome.reason!, /at the median/);
});

test('scores that differ much, without flips beyond the bound, never abort', () => {
  const outcomes = runs(20, { entities: null, failing: { champion: 0, challenger: 0 }, different: 0.5 });
  assert.ok(outcomes.every(({ end }) => end === 'promoted'));
});

test('no data never advances, and says how much is needed', () => {
  const verdict = judgeStep({ kind: 'canary', weight: 0.05 }, new RolloutEvidence(null).summary(), CONTEXT, 2);
  assert.equal(verdict.kind, 'wait');
  assert.match(verdict.kind === 'wait' ? verdict.sentence : '', /^0 of about [\d,]+ requests needed$/);
});

test('units of the step before do not carry a canary through the next one', () => {
  const evidence = new RolloutEvidence(null);
  for (let i = 0; i < 6_000; i++) {
    const arm = i % 20 === 0 ? 'challenger' : 'champion';
    const score = (i % 97) / 97;
    const answer = { failed: false, score, label: score >= 0.5, latencyUs: 1_000 };
    evidence.add({ arm, key: `${i}`, request: `${i}`, unit: `${i}`, step: 2, weight: 0.05, ...answer });
  }
  assert.equal(judgeStep({ kind: 'canary', weight: 0.05 }, evidence.summary(), CONTEXT, 2).kind, 'advance');
  const next = judgeStep({ kind: 'canary', weight: 0.25 }, evidence.summary(), CONTEXT, 3);
  assert.deepEqual(
    [next.kind, next.kind === 'wait' && next.have, next.kind === 'wait' && next.needed],
    ['wait', 0, 80],
  );
});
