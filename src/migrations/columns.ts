import { type ColumnDefinitionBuilder, type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import type { Dialect } from './migration.ts';

/** The closed set of column types. `text` compares by code point on both databases. */
export interface ColumnTypes {
  readonly text: RawBuilder<unknown>;
  /** Whole numbers and times (epoch ms); read back as numbers up to 2^53-1. */
  readonly bigint: RawBuilder<unknown>;
  /** Small numbers and booleans (0, 1). */
  readonly smallint: RawBuilder<unknown>;
  readonly double: RawBuilder<unknown>;
  readonly bytes: RawBuilder<unknown>;
}

const TYPES: Readonly<Record<Dialect, ColumnTypes>> = {
  sqlite: {
    text: sql`text`,
    bigint: sql`integer`,
    smallint: sql`integer`,
    double: sql`real`,
    bytes: sql`blob`,
  },
  postgres: {
    text: sql`text collate "C"`,
    bigint: sql`bigint`,
    smallint: sql`smallint`,
    double: sql`double precision`,
    bytes: sql`bytea`,
  },
};

export const columnTypes = (dialect: Dialect): ColumnTypes => TYPES[dialect];

/**
 * Starts a table. On SQLite it is STRICT, so that a text in a number's column fails there as it does on PostgreSQL.
 * @example
 * const t = columnTypes(dialect);
 * await createTable(k, dialect, 'model').addColumn('id', t.text, primaryKey).addColumn('name', t.text, notNull).execute();
 */
export function createTable(k: Kysely<unknown>, dialect: Dialect, name: string): CreateTableBuilder<string, never> {
  const builder = k.schema.createTable(name);
  return (dialect === 'sqlite' ? builder.modifyEnd(sql`strict`) : builder) as CreateTableBuilder<string, never>;
}

export const notNull = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.notNull();

/** `not null` is said because SQLite's primary keys would take nulls. */
export const primaryKey = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder => column.primaryKey().notNull();

/** A whole-number key that the database counts up; its type is `bigint`. */
export const serialKey =
  (dialect: Dialect) =>
  (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder =>
    dialect === 'sqlite'
      ? column.primaryKey().autoIncrement()
      : column.primaryKey().notNull().generatedByDefaultAsIdentity();

/** The `project_id` column: the one foreign key that may cross pillars. */
export const projectId = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder =>
  column.notNull().references('project.id');

/** A number column that starts at `value`. */
export const defaultsTo =
  (value: number | string) =>
  (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder =>
    column.notNull().defaultTo(value);

/** The database's own clock in epoch ms, for rows that a migration writes. */
export const nowMs = (dialect: Dialect): RawBuilder<number> =>
  dialect === 'sqlite'
    ? sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
    : sql<number>`cast(extract(epoch from now()) * 1000 as bigint)`;
