import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coverageFinding, usualOf } from './coverage.ts';

const DAY = 86_400_000;
const at = (lag: number, usual: number | null) =>
  coverageFinding({ lag, reaches: Date.UTC(2026, 0, 12), waiting: lag * 100 }, usual);

test('how late labels usually are is the most that they were behind before they came', () => {
  assert.equal(usualOf([1, 1, 1, 1, 1, 1]), 1);
  assert.equal(usualOf([0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0]), 6);
  assert.equal(usualOf([1, 1]), null);
});

test('a silence that grows by a day each day does not become usual', () => {
  const lags = [1, 1, 1, 1, 1, 1];
  const states = [];
  for (let lag = 2; lag < 7; lag++) {
    states.push(at(lag, usualOf(lags)).state);
    lags.push(lag);
  }
  assert.deepEqual(states, ['green', 'green', 'amber', 'amber', 'amber']);
});

test('labels that come once a week, or have not begun, alarm nobody', () => {
  const lags: number[] = [];
  for (let day = 0; day < 60; day++) {
    const lag = day % 7;
    if (lags.length > 13) assert.equal(at(lag, usualOf(lags)).state, 'green', String(day));
    lags.push(lag);
  }
  assert.equal(coverageFinding({ lag: 9, reaches: null, waiting: 900 }, null).state, 'grey');
  assert.equal(at(9, null).state, 'green');
});

test('the sentence says how far labels reach and what waits for them', () => {
  const { sentence, details } = at(4, 1);
  assert.equal(
    sentence,
    'labels stopped: labels reach to 2026-01-12, 4 days behind, usually at most 1 day; 400 predictions since then have none, so performance is not judged',
  );
  assert.equal(details['since'], Date.UTC(2026, 0, 12) + DAY);
});
