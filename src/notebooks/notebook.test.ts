import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, type Notebook, parseNotebook } from './notebook.ts';
import { collectOutputs, MAX_CELL_OUTPUT_BYTES } from './outputs.ts';
import { injectParameters, toAssignments } from './parameters.ts';

const code = (source: string | string[], tags?: string[]) => ({
  cell_type: 'code',
  source,
  metadata: tags ? { tags } : {},
  outputs: [{ output_type: 'stream', name: 'stdout', text: 'old' }],
  execution_count: 9,
});
const text = (cells: unknown[], more: object = {}) =>
  JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells, ...more });
const parse = (cells: unknown[]): Notebook => parseNotebook(text(cells), 'a.ipynb');

test('sources written as lists of lines are one text', () => {
  assert.equal(parse([code(['a = 1\n', 'b = 2'])]).cells[0]?.source, 'a = 1\nb = 2');
});

test('what is no notebook of version 3 or 4 is refused with what to do', () => {
  assert.throws(() => parseNotebook('{', 'a.ipynb'), { code: 'invalid', message: /a\.ipynb is not a notebook/ });
  assert.throws(() => parseNotebook(text([], { nbformat: 2 }), 'a.ipynb'), {
    message: /nbformat 2; open it in a current Jupyter/,
  });
  assert.throws(() => parse([{ cell_type: 'sql', source: '' }]), { message: /cell 1 has the type "sql"/ });
  assert.throws(() => parse([{ cell_type: 'code', source: 7 }]), { message: /cell 1 has no source/ });
  const julia = text([], { metadata: { kernelspec: { language: 'julia' } } });
  assert.throws(() => parseNotebook(julia, 'a.ipynb'), { message: /written in julia/ });
});

test('outputs, prose and counts do not change the code of a notebook; code and tags do', () => {
  const first = codeOf(parse([code('a = 1'), { cell_type: 'markdown', source: 'hello' }]));
  assert.deepEqual(codeOf(parse([{ ...code('a = 1'), outputs: [], execution_count: 1 }])), first);
  assert.notDeepEqual(codeOf(parse([code('a = 2')])), first);
  assert.notDeepEqual(codeOf(parse([code('a = 1', ['parameters'])])), first);
});

test('parameters come after the parameters cell, in place of an earlier injection, else on top', () => {
  const sources = (notebook: Notebook) => notebook.cells.map((cell) => cell.source);
  const injected = '# Parameters\nrate = 0.1\n';
  const params = { rate: 0.1 };
  assert.deepEqual(sources(injectParameters(parse([code('x'), code('rate = 1', ['parameters']), code('y')]), params)), [
    'x',
    'rate = 1',
    injected,
    'y',
  ]);
  assert.deepEqual(sources(injectParameters(parse([code('x'), code('rate = 7', ['injected-parameters'])]), params)), [
    'x',
    injected,
  ]);
  assert.deepEqual(sources(injectParameters(parse([code('x')]), params)), [injected, 'x']);
  assert.deepEqual(sources(injectParameters(parse([code('x')]), {})), ['x']);
});

test('parameters are Python literals, and names that are none are refused', () => {
  const line = toAssignments({ a: null, b: [true, 'x"\n'], c: { d: -1.5 } });
  assert.equal(line, 'a = None\nb = [True, "x\\"\\n"]\nc = {"d": -1.5}\n');
  assert.throws(() => toAssignments({ 'a; import os': 1 }), { message: /not a Python name/ });
});

test('stream outputs grow together, clear_output empties, and the size is bounded', () => {
  const outputs = collectOutputs();
  const stream = (words: string) =>
    outputs.add({ type: 'output', output: { output_type: 'stream', name: 'stdout', text: words } });
  stream('a');
  stream('b');
  assert.deepEqual(
    outputs.list().map((output) => output['text']),
    ['ab'],
  );
  outputs.add({ type: 'clear', wait: true });
  assert.equal(outputs.list().length, 1);
  stream('c');
  assert.deepEqual(
    outputs.list().map((output) => output['text']),
    ['c'],
  );
  stream('x'.repeat(MAX_CELL_OUTPUT_BYTES));
  assert.match(String(outputs.list().at(-1)?.['text']), /were not kept/);
});
