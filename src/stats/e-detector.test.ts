import assert from 'node:assert/strict';
import { test } from 'node:test';
import { detect, newEDetector } from './e-detector.ts';

function mulberry32(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

test('stream A: errors rise from 0.2 to 0.5 at 1,000, found at 1,031 and not before', () => {
  const random = mulberry32(1);
  const stream = Array.from({ length: 2000 }, (_, i) => Number(random() < (i < 1000 ? 0.2 : 0.5)));
  assert.equal(detect(newEDetector(), stream, { baseline: 0.2, threshold: 1e4 }).alarmAt, 1032);
});

test('fed in pieces it ends where one run ends', () => {
  const random = mulberry32(4);
  const stream = Array.from({ length: 600 }, () => Number(random() < 0.3));
  const options = { baseline: 0.25, threshold: 1e9 };
  const whole = detect(newEDetector(), stream, options).state;
  const first = detect(newEDetector(), stream.slice(0, 250), options).state;
  assert.deepEqual(detect(first, stream.slice(250), options).state, whole);
});

test('under the baseline the time to a false alarm is at least the threshold, on average', () => {
  let alarms = 0;
  const [streams, length, threshold] = [200, 2000, 1e4];
  for (let seed = 0; seed < streams; seed++) {
    const random = mulberry32(seed);
    const stream = Array.from({ length }, () => Number(random() < 0.1));
    alarms += Number(detect(newEDetector(), stream, { baseline: 0.1, threshold }).alarmAt !== null);
  }
  assert.ok(alarms <= ((streams * length) / threshold) * 1.3, `${alarms} alarms`);
});
