import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { jsonSchema, parseProjectFile } from './index.ts';

const textOf = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the published schema is the one of the grammar (levain config schema > docs/levain.schema.json)', () => {
  assert.deepEqual(JSON.parse(textOf('docs/levain.schema.json')), JSON.parse(JSON.stringify(jsonSchema())));
});

test("the example's file is whole within forty lines", () => {
  const text = textOf('examples/flights/levain.yaml');
  assert.ok(text.split('\n').length <= 41);
  assert.equal(parseProjectFile(text, 'levain.yaml').model?.target?.column, 'delay');
});
