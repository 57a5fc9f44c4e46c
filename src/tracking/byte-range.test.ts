import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRange } from './byte-range.ts';

test('ranges are read as RFC 9110 says', () => {
  assert.deepEqual(parseRange('bytes=0-4', 20), { start: 0, end: 5 });
  assert.deepEqual(parseRange('bytes=5-', 20), { start: 5, end: 20 });
  assert.deepEqual(parseRange('bytes=-5', 20), { start: 15, end: 20 });
  assert.deepEqual(parseRange('bytes=15-99', 20), { start: 15, end: 20 });
});

test('a range beyond the end cannot be satisfied, and what is no range sends the whole', () => {
  assert.equal(parseRange('bytes=20-', 20), 'unsatisfiable');
  assert.equal(parseRange('bytes=-0', 20), 'unsatisfiable');
  for (const header of [undefined, 'bytes=', 'bytes=4-2', 'bytes=0-1,3-4', 'items=0-1', 'bytes=a-b']) {
    assert.equal(parseRange(header, 20), null);
  }
});
