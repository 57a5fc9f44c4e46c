import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterRuns, isGrammar } from './filter.ts';
import { type Held, merge, type RunRow } from './table-data.ts';

const row = (id: string, more: Partial<RunRow> = {}): RunRow => ({
  id,
  name: `run ${id}`,
  user: 'ana',
  status: 'FINISHED',
  lifecycle: 'active',
  experiment: '0',
  pipeline: null,
  pipelineRun: null,
  step: null,
  startedAt: Number.parseInt(id, 36),
  endedAt: null,
  cells: [],
  ...more,
});
const held = (rows: readonly RunRow[], total = rows.length): Held => ({ rows, columns: [], total, at: 1, wholeAt: 1 });

test('what compares a field is the grammar, all else is words', () => {
  for (const text of [
    "params.depth = '5'",
    'metrics.loss<0.3',
    "attributes.run_name LIKE 'x%'",
    'tags.`my team` IS NOT NULL',
  ])
    assert.equal(isGrammar(text), true, text);
  for (const text of ['trial 7', 'in the morning', 'liked', '']) assert.equal(isGrammar(text), false, text);
});

test('every word must stand somewhere in the run, in any case, and states narrow it', () => {
  const rows = [row('a', { name: 'Trial one' }), row('b', { pipeline: 'churn', step: 'train', status: 'FAILED' })];
  const by = (words: string, states: readonly string[] = []) =>
    filterRuns(rows, { words, states, matches: undefined }).map(({ id }) => id);
  assert.deepEqual(
    [by('TRIAL ana'), by('churn train'), by('trial churn'), by('', ['FAILED'])],
    [['a'], ['b'], [], ['b']],
  );
});

test('newer rows take the place of older ones, new ones come where they belong, and the others stay the same objects', () => {
  const [a, b] = [row('a'), row('b')];
  const merged = merge(held([b, a]), held([row('c'), row('a', { status: 'FAILED' })], 3));
  assert.deepEqual(
    merged?.rows.map(({ id, status }) => [id, status]),
    [
      ['c', 'FINISHED'],
      ['b', 'FINISHED'],
      ['a', 'FAILED'],
    ],
  );
  assert.equal(merged?.rows[1], b);
});

test('where nothing changed the rows are the very same, and where one is gone all must be read again', () => {
  const before = held([row('a')]);
  assert.equal(merge(before, held([row('a')], 1))?.rows, before.rows);
  assert.equal(merge(held([row('b'), row('a')]), held([], 1)), undefined);
});
