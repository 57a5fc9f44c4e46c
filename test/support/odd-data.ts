import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createAnalytics } from '../../src/adapters/duckdb/index.ts';
import { tempDir } from './temp.ts';

/** Three hundred characters of several scripts, right-to-left among them, with marks of HTML and of CSV. */
export const LONG_NAME = `<b>größe "кг", العربية, 重さ</b> ${'löng ☕ '.repeat(60)}`.slice(0, 300);

/** A folder whose data has all that tables may hold: a project of its own, called `odd`. */
export async function oddProject(): Promise<string> {
  const folder = tempDir();
  const analytics = createAnalytics({ tempDir: join(folder, '.spill') });
  const file = (name: string): string => `'${join(folder, name)}'`;
  const long = `"${LONG_NAME.replaceAll('"', '""')}"`;
  await analytics.run(
    `copy (select i as id, i % 7 as ${long}, cast(null as double) as nothing, 5 as always,
       case when i % 10 = 0 then 'nan'::double when i % 10 = 1 then 'inf'::double when i % 10 = 2 then '-inf'::double else i * 1e300 end as wild,
       case when i % 2 = 0 then '<img src=x onerror=alert(1)>' else 'عربى' end as words
     from range(1, 101) t(i)) to ${file('odd.parquet')} (format parquet)`,
  );
  await analytics.close();
  writeFileSync(join(folder, 'one.csv'), 'id,x\n1,2.5\n');
  writeFileSync(join(folder, 'none.csv'), 'id,x\n');
  writeFileSync(
    join(folder, 'levain.yaml'),
    [
      'name: odd',
      'data:',
      '  odd: { from: odd.parquet, key: id, expect: { always: { between: [0, 1] } } }',
      '  one: { from: one.csv }',
      '  none: { from: none.csv }',
      '  unseen: { from: one.csv }',
      'steps: { a: { run: "true" } }',
      '',
    ].join('\n'),
  );
  return folder;
}
