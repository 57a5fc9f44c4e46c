import { type Cell, type Frame, toRecords } from '../kernel/frame.ts';
import { type Analytics, identifier } from '../ports/analytics.ts';
import { type Relation, rawRows, typedRows } from './relation.ts';
import type { ColumnProfile, ColumnSchema, NumberStats, Profile } from './types.ts';

export const HISTOGRAM_BINS = 20;
const QUANTILES = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
/** Beyond these rows quantiles are estimated (t-digest): exact ones hold every value in memory. */
const EXACT_QUANTILE_ROWS = 5_000_000;
const MAX_TOP_DISTINCT = 10_000;
const TOP_VALUES = 20;
const MAX_SQUARABLE = '1e150';
const MAX_VALUE_CHARACTERS = 200;
/** Columns of one query: a bound for tables of thousands. */
const COLUMNS_A_QUERY = 40;

type Facts = Readonly<Record<string, Cell>>;

/** Describes every column in two scans for each forty columns: first the numbers, then what needs them (bins, frequent values). */
export async function profileRows(analytics: Analytics, relation: Relation): Promise<Profile> {
  if (relation.plan.format === 'files') return { rowCount: 0, columns: [] };
  const counted = await analytics.query(`select count(*) as n from (${rawRows(relation)})`);
  const rowCount = Number(toRecords(counted)[0]?.['n'] ?? 0);
  const columns: ColumnProfile[] = [];
  for (let from = 0; from < relation.plan.columns.length; from += COLUMNS_A_QUERY) {
    const part = relation.plan.columns.slice(from, from + COLUMNS_A_QUERY);
    columns.push(...(await profileColumns(analytics, relation, part, rowCount)));
  }
  return { rowCount, columns };
}

async function profileColumns(
  analytics: Analytics,
  relation: Relation,
  part: readonly ColumnSchema[],
  rowCount: number,
): Promise<ColumnProfile[]> {
  const first = await one(
    analytics,
    `select ${part.flatMap((column, i) => basics(column, i, rowCount)).join(', ')} from {rows}`,
    relation,
    part,
  );
  const wanted = part.flatMap((column, i) => details(column, i, first));
  const second =
    wanted.length === 0 ? {} : await one(analytics, `select ${wanted.join(', ')} from {rows}`, relation, part);
  return part.map((column, i) => toProfile(column, i, rowCount, { ...first, ...second }));
}

/** One row of facts about some of the columns: the others are not made ready. */
async function one(
  analytics: Analytics,
  sql: string,
  relation: Relation,
  part: readonly ColumnSchema[],
): Promise<Facts> {
  const frame: Frame = await analytics.query(sql.replace('{rows}', () => `(${typedRows(relation, [], part)})`));
  return toRecords(frame)[0] ?? {};
}

const isNumeric = ({ kind }: ColumnSchema): boolean => kind === 'integer' || kind === 'number';
const isTime = ({ kind }: ColumnSchema): boolean => kind === 'date' || kind === 'timestamp';

/** A finite number, or null: NaN and infinities are no measure of anything. */
const finite = (column: ColumnSchema): string => {
  const value = `cast(${identifier(column.name)} as double)`;
  return column.kind === 'integer' ? value : `(case when isfinite(${value}) then ${value} end)`;
};

const asTime = (column: ColumnSchema): string => `epoch_ms(cast(${identifier(column.name)} as timestamp))`;

function basics(column: ColumnSchema, i: number, rowCount: number): string[] {
  const name = identifier(column.name);
  const value = finite(column);
  const present = column.kind === 'number' ? `count(*) filter (where not isnan(${name}))` : `count(${name})`;
  if (column.kind === 'other') return [`${present} as present${i}`];
  const shared = [`${present} as present${i}`, `approx_count_distinct(${name}) as distinct${i}`];
  if (isTime(column)) return [...shared, `min(${asTime(column)}) as min${i}`, `max(${asTime(column)}) as max${i}`];
  if (column.kind === 'string')
    return [
      ...shared,
      `min(length(${name})) as short${i}`,
      `max(length(${name})) as long${i}`,
      `avg(length(${name})) as length${i}`,
    ];
  if (!isNumeric(column)) return shared;
  const quantile = rowCount > EXACT_QUANTILE_ROWS ? 'approx_quantile' : 'quantile_cont';
  return [
    ...shared,
    `min(${value}) as min${i}`,
    `max(${value}) as max${i}`,
    `avg(${value}) as mean${i}`,
    // A value that cannot be squared would fail the whole query.
    `case when max(abs(${value})) < ${MAX_SQUARABLE} then stddev_samp(case when abs(${value}) < ${MAX_SQUARABLE} then ${value} end) end as sd${i}`,
    `cast(${quantile}(${value}, [${QUANTILES.join(', ')}]) as varchar) as quantiles${i}`,
    `count(*) filter (where ${name} = 0) as zeros${i}`,
    `count(*) filter (where ${name} < 0) as negatives${i}`,
  ];
}

function details(column: ColumnSchema, i: number, first: Facts): string[] {
  const name = identifier(column.name);
  const wanted: string[] = [];
  const distinct = Number(first[`distinct${i}`] ?? 0);
  if (column.kind !== 'other' && distinct > 0 && distinct <= MAX_TOP_DISTINCT * 1.1)
    wanted.push(
      `${frequent(`left(cast(${name} as varchar), ${MAX_VALUE_CHARACTERS})`)} as top${i}`,
      `count(distinct ${name}) as exact${i}`,
    );
  const [min, max] = [first[`min${i}`], first[`max${i}`]];
  if (isNumeric(column) && typeof min === 'number' && typeof max === 'number' && max > min)
    wanted.push(`${binCounts(finite(column), min, max)} as bins${i}`);
  return wanted;
}

/** Rows a bin as JSON; `case` keeps missing values out (`least` would count them). */
function binCounts(value: string, min: number, max: number): string {
  const bin = `cast(floor((${value} - ${sqlNumber(min)}) / ${sqlNumber((max - min) / HISTOGRAM_BINS)}) as integer)`;
  return `cast(map_entries(histogram(case when ${value} is not null then least(${HISTOGRAM_BINS - 1}, ${bin}) end)) as json)`;
}

/** The most frequent values as JSON `[{count, value}, …]`, ties in the order of the text. */
const frequent = (text: string): string =>
  `cast(list_transform(list_sort(list_transform(map_entries(histogram(${text})), lambda e: {'n': -e.value, 'v': e.key})), lambda s: {'count': -s.n, 'value': s.v})[1:${TOP_VALUES}] as json)`;

export const sqlNumber = (value: number): string => `cast('${value}' as double)`;

function toProfile(column: ColumnSchema, i: number, rowCount: number, facts: Facts): ColumnProfile {
  const [min, max] = [facts[`min${i}`], facts[`max${i}`]];
  const hasRange = typeof min === 'number' && typeof max === 'number';
  const exact = facts[`exact${i}`];
  return {
    name: column.name,
    type: column.type,
    kind: column.kind,
    nulls: rowCount - Number(facts[`present${i}`]),
    distinct: Number(exact ?? facts[`distinct${i}`] ?? 0),
    number: isNumeric(column) && hasRange ? toNumberStats(i, min, max, facts) : null,
    time: isTime(column) && hasRange ? { min, max } : null,
    text:
      typeof facts[`short${i}`] === 'number'
        ? {
            minLength: Number(facts[`short${i}`]),
            maxLength: Number(facts[`long${i}`]),
            meanLength: Number(facts[`length${i}`]),
          }
        : null,
    top: parseList<{ value: string; count: number }>(facts[`top${i}`]).map(({ value, count }) => ({
      value,
      count: Number(count),
    })),
  };
}

function toNumberStats(i: number, min: number, max: number, facts: Facts): NumberStats {
  const counts = new Array<number>(HISTOGRAM_BINS).fill(0);
  for (const { key, value } of parseList<{ key: number; value: number }>(facts[`bins${i}`]))
    counts[Number(key)] = Number(value);
  const edges = Array.from({ length: HISTOGRAM_BINS + 1 }, (_, k) =>
    k === HISTOGRAM_BINS ? max : min + ((max - min) / HISTOGRAM_BINS) * k,
  );
  const sd = facts[`sd${i}`];
  const flat = max > min ? { edges, counts } : { edges: [min, max], counts: [Number(facts[`present${i}`])] };
  return {
    min,
    max,
    mean: Number(facts[`mean${i}`]),
    sd: typeof sd === 'number' ? sd : null,
    quantiles: parseList<number>(facts[`quantiles${i}`]).map(Number),
    zeros: Number(facts[`zeros${i}`]),
    negatives: Number(facts[`negatives${i}`]),
    histogram: flat,
  };
}

function parseList<T>(cell: Cell | undefined): T[] {
  return typeof cell === 'string' ? (JSON.parse(cell) as T[]) : [];
}
