import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CountedWindow } from '../serving/index.ts';
import { trafficOf } from './traffic.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 0, 20, 12);

const counted = (windowStart: number, requests: number): CountedWindow =>
  ({ windowStart, versionId: 'v', counters: { requests } }) as CountedWindow;

test('an endpoint of today is shown by the hour, and what came before it is missing, not zero', () => {
  const traffic = trafficOf([counted(NOON - 2 * HOUR, 5), counted(NOON, 7)], NOON + 60_000)!;
  assert.equal(traffic.stepMs, HOUR);
  assert.deepEqual(traffic.requests.slice(-4), [null, 5, 0, 7]);
  assert.equal(traffic.requests.length, 48);
  assert.equal(traffic.total, 12);
});

test('an older one is shown by the day over two weeks, versions added up', () => {
  const traffic = trafficOf([counted(NOON - 20 * DAY, 99), counted(NOON, 3), counted(NOON - HOUR, 4)], NOON)!;
  assert.equal(traffic.stepMs, DAY);
  assert.equal(traffic.requests.length, 14);
  assert.equal(traffic.requests.at(-1), 7);
  assert.equal(traffic.requests[0], 0);
  assert.equal(traffic.total, 7);
});

test('where nothing was asked there is nothing to show', () => assert.equal(trafficOf([], NOON), null));
