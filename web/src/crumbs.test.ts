import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crumbsOf, titleOf } from './crumbs.ts';

const words = (path: string): readonly string[] => crumbsOf(path).map(({ word }) => word);

test('a breadcrumb leads from a place of the rail to the page', () => {
  assert.deepEqual(words('/'), ['Home']);
  assert.deepEqual(words('/m/churn/monitor'), ['Models', 'churn', 'Monitor']);
  assert.deepEqual(words('/i/14'), ['Incidents', 'Incident 14']);
  assert.deepEqual(words('/runs/01a20dc633777bbc9f569162838e5898'), ['Runs', '38e5898']);
  assert.deepEqual(words('/compare'), ['Runs', 'Compare']);
  assert.deepEqual(crumbsOf('/data/a%2Fb').at(-1), { to: '/data/a%2Fb', word: 'a/b' });
});

test('an address that cannot be decoded is shown as it is', () => {
  assert.deepEqual(words('/data/%E0%A4%A'), ['Data', '%E0%A4%A']);
});

test('a tab says its page first', () => {
  assert.equal(titleOf('/m/churn/monitor'), 'Monitor · churn · Models · Levain');
  assert.equal(titleOf('/'), 'Home · Levain');
});
