import { identifier } from '../ports/analytics.ts';
import type { DataSection } from '../project-file/index.ts';
import { identityText, type Relation, rawRows, requireColumn } from './relation.ts';
import type { RowRules } from './split.ts';
import type { ReadPlan } from './types.ts';

const SEPARATOR = 'chr(31)';
const ABSENT = 'chr(30)';

/** What tells a row from the others of its version: its key (and time, where one is declared), else all its values. */
export interface Identity {
  readonly names: readonly string[];
  /** Without a key rows may be equal: the first has the hash of its values, the next also how many came before. */
  readonly counts: boolean;
}

export function identityOf({ plan }: Relation, section: DataSection): Identity {
  if (section.key.length === 0) return { names: plan.columns.map(({ name }) => name), counts: true };
  for (const name of section.key) requireColumn(plan, name, 'data.key');
  return { names: [...new Set([...section.key, ...(section.time === null ? [] : [section.time])])], counts: false };
}

/** The text of a row's columns, one for one: what hashes are taken of, the same on every machine and for every version of the engine. */
const textOf = (plan: ReadPlan, names: readonly string[]): string =>
  `concat_ws(${SEPARATOR}, ${names.map((name) => present(plan, name)).join(', ')})`;

const present = (plan: ReadPlan, name: string): string => `coalesce(${identityText(plan, name)}, ${ABSENT})`;

/** 128 bits of the columns' text. */
export const hashOf = ({ plan }: Relation, names: readonly string[]): string => `md5_number(${textOf(plan, names)})`;

/** Its last 64 bits; `md5_number_lower`, at half the price where both are wanted. */
export const shortHashOf = (relation: Relation, names: readonly string[]): string =>
  `cast(${hashOf(relation, names)} >> 64 as ubigint)`;

/**
 * A hash that costs a tenth of the identity's: equal where identities are, rarely otherwise, and good within one statement. It finds
 * the few rows whose identity is worth computing. `other` is the relation it is compared with: columns whose types differ there
 * are hashed as text.
 */
export function sketchOf(relation: Relation, { names }: Identity, other: Relation = relation): string {
  const plain = new Set<string>(
    relation.plan.columns
      .filter(({ kind }) => kind !== 'string' && kind !== 'other')
      .filter(({ name, type }) => other.plan.columns.some((column) => column.name === name && column.type === type))
      .map(({ name }) => name),
  );
  const isText = relation.plan.format === 'csv' || other.plan.format === 'csv';
  const values = names.map((name) => (!isText && plain.has(name) ? identifier(name) : present(relation.plan, name)));
  return `hash(${values.join(', ')})`;
}

export interface Identified {
  readonly rules: Pick<RowRules, 'time' | 'hash'>;
  readonly identity: Identity;
  readonly sketch: string;
  /** A table whose `__s` holds the sketches of the rows that are wanted. */
  readonly among: string;
  /** Columns of the data to keep. */
  readonly kept?: readonly string[];
}

/**
 * The rows of a whole version whose sketch is `among` others, as `__file, __row, __t, __h, __s, __id`: all that may be equal to a
 * wanted one, for how many come before is part of a row's identity.
 */
export function identifiedRows(relation: Relation, { rules, identity, sketch, among, kept = [] }: Identified): string {
  const columns = [...kept.map(identifier), '__file', '__row'].join(', ');
  const rows = `select ${columns}, ${rules.time} as __t, ${rules.hash} as __h, ${sketch} as __s, ${hashOf(relation, identity.names)} as __i from (${rawRows(relation, ['__file', '__row'])}) where ${sketch} in (select __s from ${among})`;
  if (!identity.counts) return `select *, __i as __id from (${rows})`;
  const counted = `select *, row_number() over (partition by __i order by __file, __row) as __o from (${rows})`;
  return `select *, case when __o = 1 then __i else md5_number(concat(hex(__i), '#', __o)) end as __id from (${counted})`;
}
