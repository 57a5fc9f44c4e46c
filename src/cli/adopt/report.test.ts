import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filesText, lockSummary } from './report.ts';

const LOCK =
  '# python: 3.11\njoblib==1.4.2\nnumpy==1.26.4\npandas==2.2.2\nscikit-learn==1.5.0\n    # via -r requirements.in\n';

test('a lock is told by its Python and the packages that people know', () => {
  assert.equal(lockSummary(LOCK), 'Python 3.11 and 4 packages: scikit-learn 1.5.0, pandas 2.2.2, numpy 1.26.4');
  assert.equal(lockSummary(''), 'Python ? and 0 packages');
});

test('files are shown with what stands there; a long features.py is cut', () => {
  const features = Array.from({ length: 30 }, (_, i) => `line ${i}`).join('\n');
  const files = [
    { path: 'levain.yaml', text: 'name: a\n', state: 'new', before: null },
    { path: 'features.py', text: features, state: 'other', before: 'x' },
    { path: 'requirements.lock', text: LOCK, state: 'same', before: LOCK },
  ] as const;
  const text = filesText(files, false);
  assert.match(text, /^levain\.yaml \(new\)\n {2}name: a\n\n/);
  assert.match(text, /features\.py \(stands there and is NOT what adopt wrote\)\n {2}line 0\n/);
  assert.match(
    text,
    / {2}line 23\n {2}… 6 more lines\n\nrequirements\.lock \(stands there already\)\n {2}Python 3\.11/,
  );
  assert.match(filesText(files, true), /line 29/);
});
