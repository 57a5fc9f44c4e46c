import { Button, NumberInput } from '@mantine/core';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { exact, number, utcTime } from '../../ui/format.ts';
import { Failure, Rows } from '../../ui/states.tsx';
import { type Column, exportCsv, Table } from '../../ui/table.tsx';
import { useView } from '../../ui/view-state.ts';
import classes from './dataset.module.css';
import type { Version } from './page.tsx';

const PAGE = 100;
type Cell = unknown;
export type DataRow = Readonly<Record<string, Cell>>;

/** A cell as text; undefined where it is missing. */
export function cellText(cell: Cell): string | undefined {
  if (cell === null || cell === undefined) return undefined;
  if (typeof cell === 'number') return Number.isFinite(cell) ? exact(cell) : number(cell);
  return typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
}

/** JSON lost the infinities of the rows; they are named beside them. */
function withInfinite({ rows, infinite }: AnswerOf<'GET /datasets/:name/versions/:version/rows'>): readonly DataRow[] {
  const all: Record<string, Cell>[] = rows.map((row) => ({ ...row }));
  for (const { row, column, negative } of infinite)
    all[row]![column] = negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return all;
}

/** Rows as the files hold them, a hundred at a time from any place. */
export function SampleRows({ version }: { readonly version: Version }) {
  const [view, change] = useView();
  const offset = Math.max(0, Math.min(Number(view['offset']) || 0, Math.max(0, version.rowCount - 1)));
  const { data, error, refetch } = useGet('GET /datasets/:name/versions/:version/rows', {
    params: { name: version.dataset, version: version.version },
    query: { offset, limit: PAGE },
  });
  const go = (next: number): void => change({ offset: next <= 0 ? undefined : String(next) });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={8} />;
  const columns = rowColumns(version.schema);
  const rows = withInfinite(data).map((row, i) => ({ '': offset + i + 1, ...row }));
  return (
    <>
      <div className={classes['fields']}>
        <NumberInput
          size="xs"
          label="From row"
          w={130}
          min={1}
          max={Math.max(1, version.rowCount)}
          value={offset + 1}
          onChange={(value) => typeof value === 'number' && value >= 1 && go(value - 1)}
        />
        <Button size="xs" variant="default" disabled={offset === 0} onClick={() => go(offset - PAGE)}>
          Before
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={offset + PAGE >= version.rowCount}
          onClick={() => go(offset + PAGE)}
        >
          After
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={rows.length === 0}
          onClick={() => exportCsv(`${version.dataset} v${version.version} rows from ${offset + 1}`, rows, columns)}
        >
          CSV
        </Button>
        <span className="muted">
          {version.rowCount === 0
            ? 'no rows'
            : `rows ${number(offset + 1)} to ${number(offset + rows.length)} of ${number(version.rowCount)}`}
        </span>
      </div>
      <DataRows label="Rows of the version" rows={rows} columns={columns} />
    </>
  );
}

type Numbered = DataRow & { readonly '': number };

/** Columns for rows of this schema, the number of the row before them. */
export const rowColumns = (schema: Version['schema']): readonly Column<Numbered>[] => [
  { id: '#', header: 'row', numeric: true, value: (row) => row[''] },
  ...schema.map(
    ({ name, kind }): Column<Numbered> => ({
      id: `column ${name}`,
      header: name,
      title: `${name}: ${kind}`,
      numeric: kind === 'integer' || kind === 'number',
      value: (row) => {
        const cell = row[name];
        if (kind === 'timestamp' && typeof cell === 'number') return new Date(cell).toISOString();
        return typeof cell === 'number' ? cell : cellText(cell);
      },
      cell: (row) => {
        const cell = row[name];
        if (cell === null || cell === undefined) return <span className="muted">—</span>;
        if (kind === 'timestamp' && typeof cell === 'number')
          return <span title={utcTime(cell)}>{utcTime(cell).slice(0, 19)}</span>;
        const text = cellText(cell) ?? '—';
        return (
          <span className={classes['clipped']} title={text}>
            {text}
          </span>
        );
      },
    }),
  ),
];

export function DataRows({
  label,
  rows,
  columns,
}: {
  readonly label: string;
  readonly rows: readonly Numbered[];
  readonly columns: readonly Column<Numbered>[];
}) {
  return (
    <Table
      label={label}
      rows={rows}
      columns={columns}
      rowId={(row) => String(row[''])}
      height={480}
      empty="There is no row."
    />
  );
}
