import { AppError } from '../kernel/errors.ts';
import { fileList, identifier } from '../ports/analytics.ts';
import { suggestion } from '../project-file/index.ts';
import type { ColumnSchema, DatasetVersion, ReadPlan } from './types.ts';

/** The files of a version as one table in SQL. Columns beside the data's own: `__file` (index into the files) and `__row` (from 1). */
export interface Relation {
  readonly plan: ReadPlan;
  readonly paths: readonly string[];
  /** Original names, for compression by suffix and for messages. */
  readonly names: readonly string[];
}

/** What pandas reads as missing in a CSV file, so that a profile and a gate see what a notebook sees. */
export const MISSING_TEXTS: readonly string[] = [
  '',
  '#N/A',
  '#N/A N/A',
  '#NA',
  '-1.#IND',
  '-1.#QNAN',
  '-NaN',
  '-nan',
  '1.#IND',
  '1.#QNAN',
  '<NA>',
  'N/A',
  'NA',
  'NULL',
  'NaN',
  'None',
  'n/a',
  'nan',
  'null',
];
const LONGEST_MISSING = Math.max(...MISSING_TEXTS.map((text) => text.length));
const TRUE_TEXTS = ['True', 'TRUE', 'true'];

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const list = (texts: readonly string[]): string => texts.map(literal).join(', ');

/** Rows with typed columns, all or some. */
export const typedRows = (
  relation: Relation,
  extra: readonly ('__file' | '__row')[] = [],
  columns: readonly ColumnSchema[] = relation.plan.columns,
): string =>
  `select ${[...columns.map((column) => `${typed(relation.plan, column)} as ${identifier(column.name)}`), ...extra].join(', ')} from (${rawRows(relation, extra)})`;

/** One column as its type; in a CSV file everything is text first. */
export const typed = (plan: ReadPlan, column: ColumnSchema): string => {
  const name = identifier(column.name);
  if (plan.format !== 'csv') return name;
  const text = presentText(name);
  if (column.kind === 'string') return text;
  if (column.kind === 'boolean')
    return `(case when ${text} is null then null else ${name} in (${list(TRUE_TEXTS)}) end)`;
  // Text that the plan took for a number: commas stand for points.
  const plain = plan.decimal && column.kind === 'number' ? `replace(${text}, ',', '.')` : text;
  return `cast(${plain} as ${column.type})`;
};

/**
 * A CSV cell, null where pandas would say missing. Not `in (…)`: the engine makes a join of each such list, and a table of eighty
 * columns would need half a gigabyte for them.
 */
export const presentText = (name: string): string =>
  `(case when length(${name}) <= ${LONGEST_MISSING} and list_contains([${list(MISSING_TEXTS)}], ${name}) then null else ${name} end)`;

/** A column as the text that identifies it: a CSV cell as written, else the value's canonical text. */
export const identityText = (plan: ReadPlan, name: string): string =>
  plan.format === 'csv' ? identifier(name) : `cast(${identifier(name)} as varchar)`;

/** Rows as the files hold them: text for CSV, the file's types otherwise. Source order where `__row` is asked for. */
export function rawRows({ plan, paths, names }: Relation, extra: readonly ('__file' | '__row')[] = []): string {
  const columns = plan.columns.map(({ name }) => identifier(name));
  // DuckDB's own columns, free of charge, where the data has none of that name.
  const isFree = (name: string): boolean => !plan.columns.some((column) => column.name.toLowerCase() === name);
  const needsPath = extra.length > 0 && !isFree('file_index');
  const file = needsPath ? `list_position(${fileList(paths)}, __path) - 1 as __file` : 'file_index as __file';
  const read = readCall(plan, paths, names, needsPath);
  if (extra.length === 0) return `select ${columns.join(', ')} from ${read}`;
  if (!extra.includes('__row')) return `select ${[...columns, file].join(', ')} from ${read}`;
  if (plan.format === 'parquet' && isFree('file_row_number'))
    return `select ${[...columns, file, 'file_row_number + 1 as __row'].join(', ')} from ${read}`;
  const numbered = `select ${[...columns, file, 'row_number() over () as __n'].join(', ')} from ${read}`;
  if (paths.length === 1) return `select ${[...columns, '__file', '__n as __row'].join(', ')} from (${numbered})`;
  return `select ${[...columns, '__file', '__n - min(__n) over (partition by __file) + 1 as __row'].join(', ')} from (${numbered})`;
}

/** The table function that reads these files. */
export function readCall(
  plan: ReadPlan,
  paths: readonly string[],
  names: readonly string[],
  needsPath = false,
): string {
  const filename = needsPath ? ", filename = '__path'" : '';
  const zipped = names.some((name) => name.toLowerCase().endsWith('.gz')) ? ", compression = 'gzip'" : '';
  if (plan.format === 'parquet') return `read_parquet(${fileList(paths)}, union_by_name = true${filename})`;
  if (plan.format === 'csv') {
    const dialect = `delim = ${literal(plan.delimiter)}, quote = ${literal(plan.quote)}, escape = ${literal(plan.quote)}`;
    return `read_csv(${fileList(paths)}, header = true, skip = 0, all_varchar = true, union_by_name = true, null_padding = false, ${dialect}${zipped}${filename})`;
  }
  if (plan.format === 'json') {
    const columns = plan.columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`).join(', ');
    return `read_json(${fileList(paths)}, columns = {${columns}}, maximum_object_size = 16777216${zipped}${filename})`;
  }
  throw new AppError(
    'invalid',
    'This dataset holds files that are not a table (Parquet, CSV or JSON); no rows can be read from it',
  );
}

/** The column, or `invalid` with the nearest name. `what` is the key that named it. */
export function requireColumn(plan: ReadPlan, name: string, what: string): ColumnSchema {
  const column = plan.columns.find((candidate) => candidate.name === name);
  if (column) return column;
  throw new AppError(
    'invalid',
    `${what} names the column "${name}", which the data does not have${suggestion(
      name,
      plan.columns.map((c) => c.name),
    )}`,
  );
}

/** A time column as epoch ms; numbers below 10^11 are taken for seconds. Dates and times without a zone are UTC. */
export function timeMs(plan: ReadPlan, name: string, what: string): string {
  const column = requireColumn(plan, name, what);
  const value = typed(plan, column);
  if (column.kind === 'timestamp') return `epoch_ms(${value})`;
  if (column.kind === 'date') return `epoch_ms(cast(${value} as timestamp))`;
  if (column.kind === 'integer' || column.kind === 'number')
    return `cast(case when abs(${value}) < 1e11 then ${value} * 1000 else ${value} end as bigint)`;
  if (column.kind === 'string') return `epoch_ms(try_cast(${value} as timestamp))`;
  throw new AppError('invalid', `${what} names the column "${name}" of type ${column.type}, which is no time`);
}

/** The table of a version whose files lie at `paths`. */
export const relationOf = (version: Pick<DatasetVersion, 'plan' | 'files'>, paths: readonly string[]): Relation => ({
  plan: version.plan,
  paths: distinct(paths),
  names: version.files.map((file) => file.name),
});

/** Files with the same bytes lie at the same path: each further one gets another spelling of it, so that its rows are told apart. */
function distinct(paths: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return paths.map((path) => {
    const before = seen.get(path) ?? 0;
    seen.set(path, before + 1);
    const at = path.lastIndexOf('/') + 1;
    return path.slice(0, at) + './'.repeat(before) + path.slice(at);
  });
}
