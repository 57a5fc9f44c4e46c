import { AppError, isAppError } from '../kernel/errors.ts';
import { toRecords } from '../kernel/frame.ts';
import { type Analytics, fileList, identifier } from '../ports/analytics.ts';
import type { DataSection } from '../project-file/index.ts';
import { literal, presentText, rawRows, readCall, requireColumn } from './relation.ts';
import type { ColumnKind, ColumnSchema, ReadPlan } from './types.ts';

type Format = ReadPlan['format'];

const FORMATS: readonly (readonly [RegExp, Format])[] = [
  [/\.(parquet|pq)$/i, 'parquet'],
  [/\.(csv|tsv|txt)(\.gz)?$/i, 'csv'],
  [/\.(json|jsonl|ndjson)(\.gz)?$/i, 'json'],
];
/** What the data's section says of its CSV files, for nothing in them does. */
type Said = Pick<DataSection, 'decimal' | 'text' | 'table'>;

const MAX_COLUMNS = 5000;
/** Columns of one query that looks at cells. */
const COLUMNS_A_QUERY = 40;

/** Finds out how to read these files: format by name, dialect and types by content. All files must be of one format. */
export async function inferPlan(
  analytics: Analytics,
  paths: readonly string[],
  names: readonly string[],
  said: Said = {},
): Promise<ReadPlan> {
  const formats = new Set(names.map((name) => FORMATS.find(([pattern]) => pattern.test(name))?.[1] ?? 'files'));
  const [format = 'files', ...others] = formats;
  if (others.length > 0)
    throw new AppError(
      'invalid',
      `The source mixes files of several formats (${[...formats].join(', ')}); narrow the glob`,
    );
  if (format === 'files' || said.table === false) return { format: 'files', columns: [] };
  try {
    return await planOf(analytics, format, { paths, names, said });
  } catch (error) {
    throw isAppError(error, 'invalid') ? unreadable(error, names, format) : error;
  }
}

/** Names our own files and DuckDB's own phases otherwise. */
function unreadable(error: AppError, names: readonly string[], format: Format): AppError {
  if (!/^[A-Z][\w ]*Error: /.test(error.message)) return error;
  const what = names.length === 1 ? names[0] : `One of ${names.length} files (${names[0]}, …)`;
  const why = error.message
    .replace(/^[A-Z][\w ]*Error: /, '')
    .replace(/Error when sniffing file ".*?"\.?/s, 'its lines are no table')
    .replace(/"[^"]*\/objects\/[^"]*"/g, 'it')
    .trim();
  const fix = format === 'csv' ? '; it needs a header line, and as many cells in every line' : '';
  return new AppError('invalid', `${what} cannot be read as ${format}: ${why}${fix}`, undefined, error);
}

interface Files {
  readonly paths: readonly string[];
  readonly names: readonly string[];
  readonly said: Said;
}

async function planOf(analytics: Analytics, format: Exclude<Format, 'files'>, files: Files): Promise<ReadPlan> {
  if (format === 'csv') return csvPlan(analytics, files);
  const { paths, names } = files;
  const call = format === 'parquet' ? `read_parquet(${fileList(paths)}, union_by_name = true)` : jsonCall(paths, names);
  const columns = await describe(analytics, call);
  return format === 'json' ? { format, columns: columns.map(plainJson) } : { format, columns };
}

const jsonCall = (paths: readonly string[], names: readonly string[]): string =>
  `read_json(${fileList(paths)}, sample_size = -1, maximum_object_size = 16777216${names.some((name) => /\.gz$/i.test(name)) ? ", compression = 'gzip'" : ''})`;

async function describe(analytics: Analytics, call: string): Promise<ColumnSchema[]> {
  const rows = toRecords(await analytics.query(`describe select * from ${call}`));
  assertColumns(rows.length);
  return rows.map((row) => toColumn(String(row['column_name']), String(row['column_type'])));
}

/** Mixed values are text without the quotes; whole numbers are taken as 64 bits. */
const plainJson = (column: ColumnSchema): ColumnSchema =>
  column.type === 'JSON'
    ? toColumn(column.name, 'VARCHAR')
    : column.type === 'HUGEINT'
      ? toColumn(column.name, 'BIGINT')
      : column;

const asText = ({ name }: ColumnSchema): ColumnSchema => toColumn(name, 'VARCHAR');

const toColumn = (name: string, type: string): ColumnSchema => ({ name, type, kind: kindOf(type) });

function kindOf(type: string): ColumnKind {
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return 'integer';
  if (/^(DOUBLE|FLOAT|DECIMAL\(.*\))$/.test(type)) return 'number';
  if (type === 'BOOLEAN') return 'boolean';
  if (type === 'DATE') return 'date';
  if (/^TIMESTAMP/.test(type)) return 'timestamp';
  return /^(VARCHAR|UUID|ENUM\(.*\))$/.test(type) ? 'string' : 'other';
}

async function csvPlan(analytics: Analytics, { paths, names, said }: Files): Promise<ReadPlan> {
  const zipped = names[0]?.toLowerCase().endsWith('.gz') ? ", compression = 'gzip'" : '';
  const dialect = toRecords(
    await analytics.query(
      `select Delimiter as d, Quote as q from sniff_csv(${literal(paths[0]!)}, header = true${zipped})`,
    ),
  )[0];
  const quote = String(dialect?.['q'] ?? '"');
  const bare = {
    format: 'csv' as const,
    delimiter: String(dialect?.['d'] ?? ','),
    quote: quote.length === 1 ? quote : '"',
    ...(said.decimal && { decimal: said.decimal }),
  };
  const columns = await describe(analytics, readCall({ ...bare, columns: [] }, paths, names));
  const plan: ReadPlan = { ...bare, columns };
  const typed = await csvTypes(analytics, plan, paths, names);
  for (const name of said.text ?? []) requireColumn(plan, name, 'text');
  return { ...plan, columns: typed.map((column) => (said.text?.includes(column.name) ? asText(column) : column)) };
}

/** A column has the type that all its cells have. Dates and times are taken only in their ISO form: other forms stay text, as in pandas. */
async function csvTypes(
  analytics: Analytics,
  plan: ReadPlan,
  paths: readonly string[],
  names: readonly string[],
): Promise<ColumnSchema[]> {
  const types = plan.format === 'csv' && plan.decimal ? COMMA_TYPES : CSV_TYPES;
  const columns: ColumnSchema[] = [];
  for (let from = 0; from < plan.columns.length; from += COLUMNS_A_QUERY) {
    const part = plan.columns.slice(from, from + COLUMNS_A_QUERY);
    columns.push(...(await typesOf(analytics, part, types, rawRows({ plan, paths, names }))));
  }
  return columns;
}

/** Cells are made ready once, in the inner query: the time that the engine plans for grows faster than the text. */
async function typesOf(
  analytics: Analytics,
  part: readonly ColumnSchema[],
  types: readonly CsvType[],
  rows: string,
): Promise<ColumnSchema[]> {
  const cells = part.map(({ name }, i) => `${presentText(identifier(name))} as x${i}`);
  const counts = part.flatMap((_, i) => [
    `count(x${i}) as n${i}`,
    ...types.map(({ test }, k) => `count(*) filter (where ${test(`x${i}`)}) as t${i}_${k}`),
  ]);
  const query = `select ${counts.join(', ')} from (select ${cells.join(', ')} from (${rows}))`;
  const row = toRecords(await analytics.query(query))[0]!;
  return part.map(({ name }, i) => {
    const present = Number(row[`n${i}`]);
    const fit = present === 0 ? undefined : types.find((_, k) => Number(row[`t${i}_${k}`]) === present);
    return toColumn(name, fit?.type ?? 'VARCHAR');
  });
}

interface CsvType {
  readonly type: string;
  readonly test: (cell: string) => string;
}

const COMMA_NUMBER = '\\s*[+-]?(\\d+(,\\d*)?|,\\d+)([eE][+-]?\\d+)?\\s*';

const CSV_TYPES: readonly CsvType[] = [
  { type: 'BIGINT', test: (cell) => `regexp_full_match(${cell}, '\\s*[+-]?\\d{1,15}\\s*')` },
  { type: 'DOUBLE', test: (cell) => `try_cast(${cell} as double) is not null` },
  { type: 'BOOLEAN', test: (cell) => `${cell} in ('True', 'TRUE', 'true', 'False', 'FALSE', 'false')` },
  {
    type: 'DATE',
    test: (cell) => `regexp_full_match(${cell}, '\\d{4}-\\d\\d-\\d\\d') and try_cast(${cell} as date) is not null`,
  },
  {
    type: 'TIMESTAMP',
    test: (cell) =>
      `regexp_full_match(${cell}, '\\d{4}-\\d\\d-\\d\\d([ T]\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?Z?)?') and try_cast(${cell} as timestamp) is not null`,
  },
];

/** The same where numbers are written `3,14`. */
const COMMA_TYPES = CSV_TYPES.map((type) =>
  type.type === 'DOUBLE' ? { ...type, test: (cell: string) => `regexp_full_match(${cell}, '${COMMA_NUMBER}')` } : type,
);

function assertColumns(count: number): void {
  if (count > MAX_COLUMNS)
    throw new AppError('too_large', `The data has ${count} columns; at most ${MAX_COLUMNS} are kept`);
}
