import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Contributions } from '../engines/contributions.ts';
import { curlOf, matteredText } from './prediction.ts';
import { toInfer } from './tensors.ts';

test('an empty cell of a column of numbers is sent as a number that is missing', () => {
  const signature = {
    inputs: [
      { name: 'age', type: 'double', required: true },
      { name: 'name', type: 'string', required: true },
    ],
    outputs: [],
  } as const;
  assert.deepEqual(toInfer([{ age: null, name: null, id: 7, seen: true }], { entity: 'a' }, signature), {
    inputs: [
      { name: 'age', shape: [1], datatype: 'FP64', data: [null] },
      { name: 'name', shape: [1], datatype: 'BYTES', data: [null] },
      { name: 'id', shape: [1], datatype: 'FP64', data: [7] },
      { name: 'seen', shape: [1], datatype: 'BOOL', data: [true] },
    ],
    parameters: { entity: 'a' },
  });
});

test('the curl command survives quotes in a value', () => {
  assert.equal(
    curlOf('http://h/infer', `{"a":"it's"}`),
    `curl -s http://h/infer -H 'content-type: application/json' -d '{"a":"it'\\''s"}'`,
  );
});

test('the two columns that moved the answer most are named, in the scale of the answer', () => {
  const found = (scale: Contributions['scale']) =>
    ({
      scale,
      features: [
        { name: 'a', value: 'x', contribution: 0.01 },
        { name: 'b', value: null, contribution: -0.3 },
        { name: 'c', value: 4, contribution: 0.12 },
      ],
    }) as unknown as Contributions;
  assert.equal(
    matteredText({ contributions: found('probability'), reason: null }),
    'mattered most: b = missing (−30 points), c = 4 (+12 points)',
  );
  assert.match(matteredText({ contributions: found('logit'), reason: null }), /−0\.3 log-odds/);
  assert.equal(
    matteredText({ contributions: null, reason: 'no training rows were kept' }),
    'what mattered cannot be said: no training rows were kept',
  );
});
