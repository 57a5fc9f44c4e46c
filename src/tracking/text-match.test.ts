import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { eachDatabase } from '../../test/support/db.ts';
import { sqlOf } from '../ports/db.ts';
import { compareText } from './experiments.store.ts';
import type { SearchClause } from './search-fields.ts';
import { textMatches } from './text-match.ts';

const TEXTS = ['', 'a', 'abc', 'ABC', 'a%c', 'a_c', 'a\\c', 'xaxbxc', 'éÉ', 'aaaaab'];
const PATTERNS = ['', '%', 'a%', '%c', 'a_c', '%a%b%', 'A%', '\\', 'a\\c', '_', 'É%', '%aab', 'a%%c'];

eachDatabase((_name, open) => {
  test('matching in memory and in SQL agree', async () => {
    const db = await open();
    for (const comparator of ['LIKE', 'ILIKE'] as const) {
      for (const value of PATTERNS) {
        const clause: SearchClause = { entity: 'tag', key: 'k', comparator, value };
        for (const text of TEXTS) {
          const column = sql`cast(${text} as text)`;
          const { rows } = await db.read((tx) =>
            sql<{ hit: number }>`select case when ${compareText(column, clause)} then 1 else 0 end as hit`.execute(
              sqlOf(tx),
            ),
          );
          assert.equal(textMatches(clause, text), Number(rows[0]?.hit) === 1, `${text} ${comparator} ${value}`);
        }
      }
    }
  });
});
