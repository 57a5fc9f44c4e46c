import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseNotebook } from './notebook.ts';
import { readNotebook } from './reading.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'levain-reading-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const picture = { output_type: 'display_data', data: { 'image/png': 'x' }, metadata: {} };
const cell = (source: string, outputs: unknown[] = []) => ({
  cell_type: 'code',
  source,
  metadata: {},
  outputs,
  execution_count: 1,
});

test('of a notebook of 100 MB the code and the small outputs are read', async () => {
  const path = join(folder, 'large.ipynb');
  const file = await open(path, 'w');
  const large = (text: string) => JSON.stringify({ output_type: 'display_data', data: { 'image/png': text } });
  const points = JSON.stringify({ data: { plotly: { x: [[1, { y: 'outputs [{' }]] } }, pad: 'p'.repeat(300_000) });
  await file.write('{"nbformat": 4, "nbformat_minor": 2, "metadata": {"outputs": {"a": 1}}, "cells": [');
  for (let i = 0; i < 10; i++) {
    const tricky = JSON.stringify(`s = "outputs\\": [{ \\\\" # ${i}`);
    const small = JSON.stringify({ output_type: 'stream', name: 'stdout', text: `accuracy 0.${i}` });
    await file.write(
      `${i ? ',' : ''}{"cell_type":"code","metadata":{},"source":${tricky},"execution_count":1,"outputs":[`,
    );
    await file.write(`${large('x'.repeat(10_000_000))}, ${small}, ${points}]}`);
  }
  await file.write(']}');
  await file.close();
  const { cells } = await readNotebook(path, 'large.ipynb');
  assert.equal(cells.length, 10);
  assert.equal(cells[3]?.source, 's = "outputs\\": [{ \\\\" # 3');
  assert.deepEqual(
    cells[3]?.outputs?.map((output) => output['text'] ?? JSON.stringify(output['data'])),
    ['{}', 'accuracy 0.3', '{}'],
  );
});

test('UTF-16 and Windows files are read like UTF-8', async () => {
  const text = JSON.stringify({ nbformat: 4, metadata: {}, cells: [cell("ort = 'Köln'", [picture])] });
  const forms = [Buffer.from(text), Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from(text, 'latin1')];
  for (const [index, bytes] of forms.entries()) {
    const path = join(folder, `${index}.ipynb`);
    await writeFile(path, bytes);
    assert.equal((await readNotebook(path, 'a.ipynb')).cells[0]?.source, "ort = 'Köln'");
  }
});

test('a notebook of version 3 becomes one of version 4, outputs included', () => {
  const old = {
    nbformat: 3,
    nbformat_minor: 0,
    metadata: { name: '' },
    worksheets: [
      {
        cells: [
          { cell_type: 'heading', level: 2, source: ['Titanic'], metadata: {} },
          {
            cell_type: 'code',
            input: ['a = 1\n', 'a'],
            language: 'python',
            prompt_number: 3,
            outputs: [
              { output_type: 'pyout', prompt_number: 3, text: ['1'], metadata: {} },
              { output_type: 'stream', stream: 'stderr', text: 'w' },
              { output_type: 'display_data', png: 'abc' },
              { output_type: 'pyerr', ename: 'E', evalue: 'e', traceback: [] },
            ],
          },
        ],
      },
    ],
  };
  const { cells, nbformat } = parseNotebook(JSON.stringify(old), 'old.ipynb');
  assert.equal(nbformat, 4);
  assert.deepEqual([cells[0]?.cell_type, cells[0]?.source], ['markdown', '## Titanic']);
  assert.deepEqual([cells[1]?.source, cells[1]?.execution_count], ['a = 1\na', 3]);
  assert.deepEqual(cells[1]?.outputs, [
    { output_type: 'execute_result', execution_count: 3, data: { 'text/plain': '1' }, metadata: {} },
    { output_type: 'stream', name: 'stderr', text: 'w' },
    { output_type: 'display_data', data: { 'image/png': 'abc' }, metadata: {} },
    { output_type: 'error', ename: 'E', evalue: 'e', traceback: [] },
  ]);
});
