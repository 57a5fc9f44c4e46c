import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimalOf } from './decimal.ts';

test('a column of numbers with commas says how the file writes them; text with commas says nothing', () => {
  const head = '"id";"income";"note"\n1;148,924;1,5 rooms\n2;"-0,5";x\n3;7;\n';
  assert.equal(decimalOf(head, ['id', 'income']), ',');
  assert.equal(decimalOf(head, ['id']), null);
  assert.equal(decimalOf('id,income\n1,"148,924"\n', ['income']), null);
  assert.equal(decimalOf('id;income\n1;148.9\n', ['income']), null);
  assert.equal(decimalOf('', ['income']), null);
});
