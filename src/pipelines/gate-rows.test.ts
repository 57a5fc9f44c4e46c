import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import { findGateRows, putGateRows } from './gate-rows.store.ts';

eachDatabase((_name, open) => {
  test('what a model keeps from its steps is remembered by model, and may be replaced', async () => {
    const db = await open();
    const { projectId } = LOCAL;
    const split = { kind: 'notebook' as const, base: 'version-1', rows: null, share: 0.2, key: ['id'] };
    const found = (model: string) => db.read((tx) => findGateRows(tx, projectId, model));
    assert.equal(await found('churn'), undefined);
    await db.write((tx) => putGateRows(tx, { projectId, model: 'churn', dataset: 'churn', split, at: 1 }));
    assert.deepEqual(await found('churn'), split);
    assert.equal(await found('other'), undefined);
    const better = { ...split, rows: 'a'.repeat(64) };
    await db.write((tx) => putGateRows(tx, { projectId, model: 'churn', dataset: 'churn', split: better, at: 2 }));
    assert.deepEqual(await found('churn'), better);
    await db.close();
  });
});
