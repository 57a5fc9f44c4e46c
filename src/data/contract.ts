import { type Cell, toRecords } from '../kernel/frame.ts';
import { type Analytics, identifier } from '../ports/analytics.ts';
import type { ColumnExpectation, DataSection } from '../project-file/index.ts';
import { suggestion } from '../project-file/index.ts';
import { literal, type Relation, typedRows } from './relation.ts';
import type { CheckResult, ColumnSchema, ContractReport, FailingRow, Profile, ReadPlan } from './types.ts';

const MAX_FAILING_ROWS = 20;
const MAX_SHOWN_COLUMNS = 20;
const MAX_SHOWN_CHARACTERS = 500;

/** Known values by column, of the last good version. */
export type Domains = Readonly<Record<string, readonly string[]>>;

/** One promise as SQL: counted with all others in one scan, its rows looked up only where it is broken. */
interface Check {
  readonly check: string;
  readonly column: string;
  readonly severity: 'error' | 'warn';
  readonly expected: string;
  /** What is wrong with a row, for `3 rows are outside [0, 120]`. */
  readonly fault: string;
  /** SQL over typed rows: how many fail. */
  readonly count: string;
  /** SQL condition over typed rows: which fail; null where it needs its own query (`in (…)` of counts). */
  readonly where: string;
  /** So many may fail, of `rows` rows or present values. */
  readonly allowed: (total: number) => number;
  readonly unit: 'rows' | 'values';
}

/** Compares the rows with what the section expects of them. Without expectations the report is empty and good. */
export async function checkContract(
  analytics: Analytics,
  relation: Relation,
  section: DataSection,
  profile: Profile,
  known: Domains | null,
): Promise<ContractReport> {
  const results: CheckResult[] = [...tableChecks(section, profile)];
  const checks: Check[] = [];
  for (const [name, expectation] of Object.entries(section.expect)) {
    const column = relation.plan.columns.find((candidate) => candidate.name === name);
    results.push(exists(name, column, relation.plan));
    if (column) checks.push(...columnChecks(relation.plan, column, expectation, known?.[name] ?? null));
  }
  if (section.key.length > 0) checks.push(keyCheck(section.key));
  results.push(...(await runChecks(analytics, relation, section, checks, profile)));
  return { success: results.every((result) => result.success || result.severity === 'warn'), checks: results };
}

function tableChecks(section: DataSection, profile: Profile): CheckResult[] {
  const bounds = section.expectTable.rowCount;
  if (!bounds) return [];
  const { rowCount } = profile;
  const success = rowCount >= (bounds.min ?? 0) && rowCount <= (bounds.max ?? Number.POSITIVE_INFINITY);
  const expected = bounds.max === null ? `at least ${bounds.min ?? 0}` : `${bounds.min ?? 0} to ${bounds.max}`;
  const sentence = `${count(rowCount)} rows; expected ${expected}`;
  return [plain('expect_table_row_count_to_be_between', null, success, sentence, rowCount, expected)];
}

function exists(name: string, column: ColumnSchema | undefined, plan: ReadPlan): CheckResult {
  const success = column !== undefined;
  const sentence = success
    ? `${name}: is there`
    : `${name}: the data has no such column${suggestion(
        name,
        plan.columns.map((candidate) => candidate.name),
      )}`;
  return plain('expect_column_to_exist', name, success, sentence, success ? 'present' : 'missing', 'present');
}

const plain = (
  check: string,
  column: string | null,
  success: boolean,
  sentence: string,
  observed: Cell,
  expected: string,
): CheckResult => ({
  check,
  column,
  success,
  severity: 'error',
  sentence,
  observed,
  expected,
  failing: success ? 0 : 1,
  rows: [],
});

function columnChecks(
  plan: ReadPlan,
  column: ColumnSchema,
  expect: ColumnExpectation,
  known: readonly string[] | null,
): Check[] {
  const name = identifier(column.name);
  const checks: Check[] = [];
  const add = (check: string, fault: string, expected: string, where: string, more: Partial<Check> = {}): void => {
    checks.push({
      check,
      column: column.name,
      severity: 'error',
      fault,
      expected,
      where,
      count: `count(*) filter (where ${where})`,
      allowed: () => 0,
      unit: 'values',
      ...more,
    });
  };
  const mostly = { allowed: (total: number) => Math.floor((1 - expect.mostly) * total + 1e-9) };
  if (expect.type)
    add(
      'expect_column_values_to_be_of_type',
      `are not of type ${expect.type}`,
      expect.type,
      notOfType(plan, column, expect.type),
    );
  if (expect.nulls) {
    const { kind, atMost } = expect.nulls;
    const allowed = (total: number): number => (kind === 'count' ? atMost : Math.floor(atMost * total + 1e-9));
    const expected = kind === 'count' ? `at most ${atMost} missing` : `at most ${percent(atMost)} missing`;
    add('expect_column_values_to_not_be_null', 'are missing', expected, isMissing(column), { allowed, unit: 'rows' });
  }
  if (expect.between) {
    const [low, high] = expect.between;
    add(
      'expect_column_values_to_be_between',
      `are outside [${low}, ${high}]`,
      `[${low}, ${high}]`,
      outside(column, low, high),
      mostly,
    );
  }
  if (expect.in) {
    const values = expect.in.map((value) => literal(String(value))).join(', ');
    add(
      'expect_column_values_to_be_in_set',
      'are not among the values allowed',
      expect.in.join(', '),
      `${name} is not null and cast(${name} as varchar) not in (${values})`,
      mostly,
    );
  }
  if (expect.matches !== null)
    add(
      'expect_column_values_to_match_regex',
      `do not match ${expect.matches}`,
      expect.matches,
      `${name} is not null and not regexp_full_match(cast(${name} as varchar), ${literal(expect.matches)})`,
      mostly,
    );
  if (expect.unique)
    add(
      'expect_column_values_to_be_unique',
      'repeat an earlier value',
      'unique',
      `${name} is not null and ${name} in (select ${name} from rows group by ${name} having count(*) > 1)`,
      {
        count: `count(${name}) - count(distinct ${name})`,
      },
    );
  if (expect.maxNew !== null && known !== null) {
    const among = known.length === 0 ? 'true' : `cast(${name} as varchar) not in (${known.map(literal).join(', ')})`;
    const where = `${name} is not null and ${among}`;
    const atMost = expect.maxNew;
    add(
      'expect_column_distinct_values_to_be_in_set',
      'are new since the last good version',
      `at most ${atMost} new values`,
      where,
      {
        count: `count(distinct case when ${where} then cast(${name} as varchar) end)`,
        allowed: () => atMost,
      },
    );
  }
  return checks;
}

function keyCheck(key: readonly string[]): Check {
  const tuple = key.length === 1 ? identifier(key[0]!) : `(${key.map(identifier).join(', ')})`;
  return {
    check: 'expect_compound_columns_to_be_unique',
    column: key.join(', '),
    severity: 'warn',
    fault: 'repeat an earlier key',
    expected: 'one row a key',
    where: `${tuple} in (select ${tuple} from rows group by ${key.map(identifier).join(', ')} having count(*) > 1)`,
    count: `count(*) - count(distinct ${tuple})`,
    allowed: () => 0,
    unit: 'rows',
  };
}

const isMissing = (column: ColumnSchema): string => {
  const name = identifier(column.name);
  return column.kind === 'number' ? `(${name} is null or isnan(${name}))` : `${name} is null`;
};

/** Rows whose value is there and not of the type; columns that hold text are asked cell by cell. */
function notOfType(plan: ReadPlan, column: ColumnSchema, type: NonNullable<ColumnExpectation['type']>): string {
  const name = identifier(column.name);
  const never = 'false';
  const always = `${name} is not null`;
  const byCell = (as: string): string => `${name} is not null and try_cast(${name} as ${as}) is null`;
  const isText = column.kind === 'string';
  switch (type) {
    case 'number':
      return ['integer', 'number'].includes(column.kind) ? never : isText ? byCell('double') : always;
    case 'integer':
      if (column.kind === 'integer') return never;
      if (column.kind === 'number') return `${name} is not null and not isnan(${name}) and ${name} <> trunc(${name})`;
      return isText ? `${name} is not null and not regexp_full_match(${name}, '\\s*[+-]?\\d+\\s*')` : always;
    case 'boolean':
      return column.kind === 'boolean' ? never : isText ? byCell('boolean') : always;
    case 'date':
    case 'timestamp':
      return ['date', 'timestamp'].includes(column.kind) ? never : isText ? byCell('timestamp') : always;
    case 'category':
      return column.kind === 'other' ? always : never;
    case 'string':
      return isText || plan.format === 'csv' ? never : always;
  }
}

function outside(column: ColumnSchema, low: number | string, high: number | string): string {
  const name = identifier(column.name);
  if (typeof low === 'number') {
    const value = `try_cast(${name} as double)`;
    return `${value} is not null and not (${value} between ${low} and ${high})`;
  }
  const asTime = column.kind === 'date' || column.kind === 'timestamp';
  const [value, from, to] = asTime
    ? [
        `cast(${name} as timestamp)`,
        `cast(${literal(low)} as timestamp)`,
        `cast(${literal(String(high))} as timestamp)`,
      ]
    : [`cast(${name} as varchar)`, literal(low), literal(String(high))];
  return `${name} is not null and not (${value} between ${from} and ${to})`;
}

async function runChecks(
  analytics: Analytics,
  relation: Relation,
  section: DataSection,
  checks: readonly Check[],
  profile: Profile,
): Promise<CheckResult[]> {
  if (checks.length === 0) return [];
  const rows = `with rows as (${typedRows(relation)})`;
  const counted = toRecords(
    await analytics.query(`${rows} select ${checks.map((check, i) => `${check.count} as c${i}`).join(', ')} from rows`),
  )[0]!;
  const results: CheckResult[] = [];
  for (const [i, check] of checks.entries()) {
    const failing = Number(counted[`c${i}`]);
    const nulls = profile.columns.find((column) => column.name === check.column)?.nulls ?? 0;
    const total = check.unit === 'rows' ? profile.rowCount : profile.rowCount - nulls;
    const success = failing <= check.allowed(total);
    results.push({
      check: check.check,
      column: check.column,
      success,
      severity: check.severity,
      sentence: sentenceOf(check, failing, total),
      observed: failing,
      expected: check.expected,
      failing,
      rows: success ? [] : await failingRows(analytics, relation, section, check),
    });
  }
  return results;
}

function sentenceOf(check: Check, failing: number, total: number): string {
  const share = total > 0 && failing > 0 ? ` (${percent(failing / total)})` : '';
  if (check.check === 'expect_column_distinct_values_to_be_in_set')
    return `${check.column}: ${count(failing)} ${failing === 1 ? 'value is' : 'values are'} new since the last good version; expected ${check.expected}`;
  if (failing === 0) return `${check.column}: none of ${count(total)} ${check.unit} ${check.fault}`;
  return `${check.column}: ${count(failing)} of ${count(total)} ${check.unit}${share} ${check.fault}`;
}

/** The first rows that break a promise, with the column in question first, then the key, then the rest. */
async function failingRows(
  analytics: Analytics,
  relation: Relation,
  section: DataSection,
  check: Check,
): Promise<FailingRow[]> {
  const first = [...new Set([...check.column.split(', '), check.column, ...section.key])];
  const all = relation.plan.columns.filter((column) => column.kind !== 'other');
  const shown = all.toSorted((a, b) => rank(first, a.name) - rank(first, b.name)).slice(0, MAX_SHOWN_COLUMNS);
  const rows = `with rows as (${typedRows(relation, ['__file', '__row'])})`;
  const columns = shown.map(({ name, kind }) =>
    kind === 'timestamp' ? `strftime(${identifier(name)}, '%Y-%m-%d %H:%M:%S')` : `${identifier(name)}`,
  );
  const select = columns.map((column, i) => `${column} as v${i}`).join(', ');
  const frame = await analytics.query(
    `${rows} select __file, __row, ${select} from rows where ${check.where} order by __file, __row limit ${MAX_FAILING_ROWS}`,
  );
  return toRecords(frame).map((row) => ({
    file: relation.names[Number(row['__file'])] ?? '',
    row: Number(row['__row']),
    values: Object.fromEntries(shown.map(({ name }, i) => [name, short(row[`v${i}`] ?? null)])),
  }));
}

const rank = (first: readonly string[], name: string): number =>
  first.includes(name) ? first.indexOf(name) - first.length : 0;
/** Infinities have no JSON form, so they are told as text. */
function short(cell: Cell): Cell {
  if (typeof cell === 'number' && !Number.isFinite(cell)) return String(cell);
  return typeof cell === 'string' && cell.length > MAX_SHOWN_CHARACTERS
    ? `${cell.slice(0, MAX_SHOWN_CHARACTERS)}…`
    : cell;
}
const count = (n: number): string => n.toLocaleString('en-US');
const percent = (share: number): string => `${Number((share * 100).toPrecision(2))}%`;

/** Columns with at most this many values are remembered, so that a later version's new ones are seen. */
const MAX_DOMAIN = 1000;
const MAX_WATCHED_DOMAIN = 20_000;

/** The values of category-like columns (text, booleans) and of those with `max_new`. */
export async function readDomains(
  analytics: Analytics,
  relation: Relation,
  section: DataSection,
  profile: Profile,
): Promise<Domains> {
  const wanted = relation.plan.columns.filter((column) => {
    const distinct = profile.columns.find(({ name }) => name === column.name)?.distinct ?? 0;
    const isWatched = section.expect[column.name]?.maxNew !== null && section.expect[column.name] !== undefined;
    return isWatched ? distinct <= MAX_WATCHED_DOMAIN : column.kind === 'string' && distinct <= MAX_DOMAIN;
  });
  if (wanted.length === 0) return {};
  const select = wanted.map(
    ({ name }, i) => `cast(list_sort(list(distinct cast(${identifier(name)} as varchar))) as json) as d${i}`,
  );
  const row = toRecords(await analytics.query(`select ${select.join(', ')} from (${typedRows(relation)})`))[0]!;
  return Object.fromEntries(
    wanted.map(({ name }, i) => {
      const values = JSON.parse(String(row[`d${i}`] ?? '[]')) as (string | null)[] | null;
      return [name, (values ?? []).filter((value): value is string => value !== null)];
    }),
  );
}
