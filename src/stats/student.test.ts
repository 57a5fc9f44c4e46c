import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalTail } from './special.ts';
import { studentTail } from './student.ts';

const near = (actual: number, expected: number, relative = 1e-9): void =>
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual} is not ${expected}`);

// Values of scipy.stats.t.sf, scipy 1.17.
test("tails of Student's t are scipy's", () => {
  near(studentTail(2.2281388519649385, 10), 0.025, 1e-9);
  near(studentTail(1, 1), 0.25, 1e-12);
  near(studentTail(2, 2), 0.09175170953613697, 1e-9);
  near(studentTail(-2, 2), 1 - 0.09175170953613697, 1e-9);
});

test('many degrees of freedom are the normal distribution', () => {
  near(studentTail(2.5, 1e7), normalTail(2.5), 1e-5);
});

test('what is infinite has the tail 0 or 1', () => {
  assert.equal(studentTail(Number.POSITIVE_INFINITY, 4), 0);
  assert.equal(studentTail(Number.NEGATIVE_INFINITY, 4), 1);
});
