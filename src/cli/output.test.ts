import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPrinter, toTable } from './output.ts';

function printerWith(options: { json: boolean; jsonl?: boolean }) {
  const said = { stdout: '', stderr: '' };
  const streams = {
    stdout: writerTo(said, 'stdout'),
    stderr: writerTo(said, 'stderr'),
  };
  return { said, printer: createPrinter(streams, { json: options.json, jsonl: options.jsonl ?? false }) };
}

const writerTo = (said: Record<'stdout' | 'stderr', string>, stream: 'stdout' | 'stderr') => ({
  write(text: string): void {
    said[stream] += text;
  },
});

test('a table aligns words to the left and numbers to the right', () => {
  assert.equal(
    toTable(
      ['name', 'rows'],
      [
        ['january', 1_000],
        ['may', null],
      ],
    ),
    'NAME     ROWS\njanuary  1000\nmay         –',
  );
});

test('people get the text on stdout, warnings and the next command on stderr', () => {
  const { said, printer } = printerWith({ json: false });
  printer.result({ schema: 'x/1', data: {}, text: 'done', warnings: ['slow'], next: ['levain status'] });
  assert.equal(said.stdout, 'done\n');
  assert.equal(said.stderr, 'warning: slow\n\nnext: levain status\n');
});

test('under --json there is one object on stdout, whatever else was said', () => {
  const { said, printer } = printerWith({ json: true });
  printer.line('prose');
  printer.note('a note');
  printer.progress('half');
  printer.result({ schema: 'x/1', data: { a: 1 }, text: 'done' });
  assert.deepEqual(JSON.parse(said.stdout), { schema: 'x/1', ok: true, data: { a: 1 }, warnings: [], next: [] });
});

test('a failure is one object under --json, and two lines for people', () => {
  const failure = { code: 'not_found', message: 'There is no model "x"', hint: 'levain models' };
  const json = printerWith({ json: true });
  json.printer.failure(failure);
  assert.deepEqual(JSON.parse(json.said.stdout), { ok: false, error: failure });
  const people = printerWith({ json: false });
  people.printer.failure(failure);
  assert.equal(people.said.stderr, 'error: There is no model "x"\ntry:   levain models\n');
});
