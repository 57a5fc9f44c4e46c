import assert from 'node:assert/strict';
import { test } from 'node:test';
import { transition } from '../../kernel/state-machine.ts';
import { eventOfStep, planOf, ROLLOUT_EVENTS, ROLLOUT_STATES, ROLLOUT_TABLE, weightOfStep } from './machine.ts';

/** Every pair that moves; all others are refused. */
const MOVES: Readonly<Record<string, string>> = {
  'preflight shadow': 'shadow',
  'preflight canary': 'canary',
  'preflight promote': 'promoting',
  'preflight abort': 'aborting',
  'shadow shadow': 'shadow',
  'shadow canary': 'canary',
  'shadow promote': 'promoting',
  'shadow pause': 'paused',
  'shadow abort': 'aborting',
  'canary canary': 'canary',
  'canary promote': 'promoting',
  'canary pause': 'paused',
  'canary abort': 'aborting',
  'paused shadow': 'shadow',
  'paused canary': 'canary',
  'paused promote': 'promoting',
  'paused abort': 'aborting',
  'promoting bake': 'baking',
  'promoting abort': 'aborting',
  'promoting finish': 'done',
  'baking abort': 'aborting',
  'baking finish': 'done',
  'aborting close': 'aborted',
};

for (const state of ROLLOUT_STATES)
  for (const event of ROLLOUT_EVENTS) {
    const next = MOVES[`${state} ${event}`];
    test(next ? `${state} answers ${event} with ${next}` : `${state} refuses ${event}`, () => {
      if (next) assert.equal(transition(ROLLOUT_TABLE, 'rollout', state, event), next);
      else
        assert.throws(() => transition(ROLLOUT_TABLE, 'rollout', state, event), {
          code: 'conflict',
          message: `A rollout that is ${state} cannot ${event}`,
        });
    });
  }

test('auto goes replay, shadow, 5, 25 and 50 %, then all', () => {
  const plan = planOf({ kind: 'auto', atMostMs: 1_000 }, { first: false });
  const steps = plan.steps.map(({ kind }, i) => `${kind} ${weightOfStep(plan, i)} by ${eventOfStep(plan, i)}`);
  assert.deepEqual(steps, [
    'replay 0 by shadow',
    'shadow 0 by shadow',
    'canary 0.05 by canary',
    'canary 0.25 by canary',
    'canary 0.5 by canary',
  ]);
  assert.equal(eventOfStep(plan, plan.steps.length), 'promote');
  assert.equal(plan.atMostMs, 1_000);
});

test('the first version goes direct whatever the file says, and never bakes', () => {
  assert.deepEqual(planOf({ kind: 'auto', atMostMs: 1_000 }, { first: true }), {
    strategy: 'direct',
    steps: [],
    bakeMs: 0,
    atMostMs: null,
  });
});
