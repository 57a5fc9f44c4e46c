import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireDetail, WireStep } from '../pipelines/index.ts';
import { endText, nextOf, stepLine } from './run-view.ts';

const failure = {
  kind: 'cell',
  message: 'no such column.\nKnown are:\n- a',
  exitCode: 1,
  logTail: [],
  cell: null,
  hint: null,
};
const step: WireStep = {
  name: 'train',
  kind: 'notebook',
  needs: [],
  state: 'failed',
  attempt: 1,
  reason: null,
  cachedFrom: null,
  failure,
  outputs: null,
  envDigest: null,
  startedAt: null,
  finishedAt: null,
  progress: null,
  says: null,
  keyParts: [],
};
const detailOf = (run: object): WireDetail => {
  const whole = { id: 'a'.repeat(36), pipeline: 'churn', state: 'succeeded', draft: false, model: null, failure: null };
  return { run: { ...whole, ...run } as unknown as WireDetail['run'], steps: [], stamp: '' };
};

test('a message of several lines takes one line of the list', () => {
  assert.equal(stepLine(step), '✗ train            no such column. Known are: - a  0.0 s');
});

test('the last sentence ends with one full stop, whatever the code said', () => {
  const text = endText(detailOf({ state: 'failed', summary: 'failed at train: it asks for input..', failure }));
  assert.match(text, /^Run aaaaaaa: failed at train: it asks for input\.$/m);
});

test('after a draft the next thing is to apply it', () => {
  const draft = detailOf({ draft: true, model: 'churn', version: 3 });
  assert.deepEqual(nextOf(draft), ['levain apply', 'levain models show churn@v3']);
});
