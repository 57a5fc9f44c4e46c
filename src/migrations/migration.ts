import type { Kysely } from 'kysely';
import type { Db } from '../ports/db.ts';

export type Dialect = Db['dialect'];

/**
 * One step forward of the schema, applied once and recorded by `id` (`NNNN-what`, which is also the order).
 *
 * `up` runs in one write transaction with its record, on both databases, through the helpers of `columns.ts`. Expand only: what
 * the release before still reads or writes is dropped one release later.
 */
export interface Migration {
  readonly id: string;
  up(k: Kysely<unknown>, dialect: Dialect): Promise<void>;
}
