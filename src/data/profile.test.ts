import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { dataDeps, sectionOf } from '../../test/support/data.ts';
import { testDb } from '../../test/support/db.ts';
import { tempDir } from '../../test/support/temp.ts';
import { createAnalytics } from '../adapters/duckdb/index.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import { syncDataset } from './index.ts';

const analytics = createAnalytics({ tempDir: join(tempDir(), 'spill') });
after(() => analytics.close());

test('numbers that cannot be squared leave a column without a standard deviation, and infinities without a part in it', async () => {
  const db = await testDb();
  const deps = await dataDeps(db, analytics);
  await analytics.run(
    `copy (select * from (values (1e300, 1.0, 'nan'::double), (-1e300, 'inf'::double, null), (2e300, 3.0, null)) t(huge, few, nothing)) to '${join(deps.folder, 'd.parquet')}' (format parquet)`,
  );
  const actor = { projectId: DEFAULT_PROJECT_ID, user: 'ann', kind: 'user' as const };
  const section = sectionOf('{ from: d.parquet }');
  const { version } = await syncDataset(deps, actor, { name: 'd', section, folder: deps.folder });
  const [huge, some, none] = version.profile.columns;
  assert.deepEqual([huge!.number!.min, huge!.number!.max, huge!.number!.sd], [-1e300, 2e300, null]);
  assert.deepEqual([some!.number!.max, some!.number!.mean, some!.nulls], [3, 2, 0]);
  assert.deepEqual([none!.number, none!.nulls], [null, 3]);
  await db.close();
});

test('rows that break a promise may hold NaN, which is missing, and infinities, which are told as text', async () => {
  const db = await testDb();
  const deps = await dataDeps(db, analytics);
  await analytics.run(
    `copy (select * from (values (1, 'nan'::double), (2, 'inf'::double)) t(id, x)) to '${join(deps.folder, 'd.parquet')}' (format parquet)`,
  );
  const actor = { projectId: DEFAULT_PROJECT_ID, user: 'ann', kind: 'user' as const };
  const section = sectionOf('{ from: d.parquet, expect: { id: { between: [5, 9] } } }');
  const { version } = await syncDataset(deps, actor, { name: 'd', section, folder: deps.folder });
  const broken = version.contract.checks.find(({ success }) => !success);
  assert.deepEqual(
    broken?.rows.map(({ values }) => values['x']),
    [null, 'Infinity'],
  );
  await db.close();
});
