import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DiffLine, lineDiff } from './line-diff.ts';

const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 });
const side = (script: readonly DiffLine[], dropped: DiffLine['kind']): string[] =>
  script.filter(({ kind }) => kind !== dropped).map(({ text }) => text);

test('with all lines around, both texts can be read off the difference', () => {
  fc.assert(
    fc.property(lines, lines, (from, to) => {
      const hunks = lineDiff(from, to, 100);
      if (from.join('\n') === to.join('\n') && from.length === to.length) assert.deepEqual(hunks, []);
      else {
        assert.equal(hunks.length, 1);
        assert.deepEqual(side(hunks[0]!.lines, 'added'), from);
        assert.deepEqual(side(hunks[0]!.lines, 'removed'), to);
      }
    }),
  );
});

test('a change in the middle is one hunk with its lines numbered in both texts', () => {
  const from = ['1', '2', '3', '4', '5', '6', '7'];
  const to = ['1', '2', 'three', '3b', '4', '5', '6', '7'];
  assert.deepEqual(lineDiff(from, to, 1), [
    {
      fromLine: 2,
      toLine: 2,
      lines: [
        { kind: 'same', text: '2' },
        { kind: 'removed', text: '3' },
        { kind: 'added', text: 'three' },
        { kind: 'added', text: '3b' },
        { kind: 'same', text: '4' },
      ],
    },
  ]);
});

test('changes far apart are hunks of their own', () => {
  const from = Array.from({ length: 40 }, (_, i) => String(i));
  const to = from.map((text, i) => (i === 3 || i === 33 ? `${text}!` : text));
  assert.deepEqual(
    lineDiff(from, to).map(({ fromLine, toLine, lines: { length } }) => [fromLine, toLine, length]),
    [
      [1, 1, 8],
      [31, 31, 8],
    ],
  );
});

test('texts without one line in common beyond the bound are told whole', () => {
  const from = Array.from({ length: 2_100 }, (_, i) => `a${i}`);
  const to = Array.from({ length: 2_100 }, (_, i) => `b${i}`);
  const [hunk, ...others] = lineDiff(from, to);
  assert.equal(others.length, 0);
  assert.deepEqual(side(hunk!.lines, 'added'), from);
  assert.deepEqual(side(hunk!.lines, 'removed'), to);
});
