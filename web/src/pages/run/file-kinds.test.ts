import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isText, kindOf, parseDelimited, parseNotebook } from './file-kinds.ts';

test('a file is what its name says', () => {
  assert.deepEqual(
    ['a/plot.PNG', 'x.html', 'd.tsv', 'd.parquet', 'n.ipynb', 'm.json', 'model/MLmodel', 'weights.pkl'].map(kindOf),
    ['image', 'html', 'csv', 'parquet', 'notebook', 'json', 'text', 'other'],
  );
});

test('delimited text keeps quoted separators, quotes and line ends, and leaves out a line that was cut off', () => {
  const text = 'a;b\r\n"x;y";"say ""hi""\nthere"\r\n1;2';
  assert.deepEqual(parseDelimited(text, { maxRows: 10, isCut: false }), {
    columns: ['a', 'b'],
    rows: [
      ['x;y', 'say "hi"\nthere'],
      ['1', '2'],
    ],
  });
  assert.equal(parseDelimited(text, { maxRows: 10, isCut: true }).rows.length, 1);
  assert.equal(parseDelimited('a\n1\n2\n3\n', { maxRows: 2, isCut: false }).rows.length, 2);
});

test('a notebook is its cells; HTML outputs are not taken', () => {
  const outputs = [{ data: { 'text/html': '<script>', 'text/plain': 'plain' } }, { ename: 'ValueError', evalue: 'no' }];
  const cells = parseNotebook(JSON.stringify({ cells: [{ cell_type: 'code', source: ['a\n', 'b'], outputs }] }));
  assert.deepEqual(cells, [{ kind: 'code', source: 'a\nb', outputs: [{ text: 'plain' }, { text: 'ValueError: no' }] }]);
  assert.equal(parseNotebook('no json'), undefined);
});

test('text has no NUL', () => {
  assert.deepEqual([isText(new TextEncoder().encode('héllo')), isText(Uint8Array.of(80, 0, 1))], [true, false]);
});
