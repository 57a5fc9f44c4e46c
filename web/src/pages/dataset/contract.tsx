import { Button } from '@mantine/core';
import { csvOf, download } from '../../ui/csv.ts';
import { count } from '../../ui/format.ts';
import { Part } from '../../ui/page.tsx';
import { Empty } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { useTableView } from '../../ui/view-state.ts';
import classes from './dataset.module.css';
import type { Version } from './page.tsx';
import { cellText } from './rows.tsx';

type Check = Version['contract']['checks'][number];
type Failing = Check['rows'][number];
interface Broken extends Failing {
  readonly check: Check;
}

/** Every promise and how it was kept; the rows that broke one, with their file and place. */
export function Contract({ version }: { readonly version: Version }) {
  const { checks } = version.contract;
  const { sort, onSort } = useTableView('checks-');
  if (checks.length === 0)
    return (
      <Empty command="levain config explain data">
        No promise is made about this data. Name some under data.{version.dataset}.expect in levain.yaml.
      </Empty>
    );
  const ranked = [...checks].sort((a, b) => rankOf(b) - rankOf(a));
  const broken = ranked.filter(({ success }) => !success);
  return (
    <>
      <p className="muted">
        {broken.length === 0
          ? `All ${checks.length} promises are kept.`
          : `${broken.length} of ${checks.length} promises are broken${version.state === 'refused' ? ': the version is refused, and no run uses it' : ', none of which refuses the version'}.`}
      </p>
      <Table
        label="Promises of the contract"
        rows={ranked}
        columns={CHECKS}
        rowId={({ check, column, expected }) => `${check}/${column}/${expected}`}
        sort={sort}
        onSort={onSort}
        height={360}
      />
      {broken.some(({ rows }) => rows.length > 0) && <BrokenRows version={version} checks={broken} />}
    </>
  );
}

const rankOf = ({ success, severity }: Check): number => (success ? 0 : severity === 'error' ? 2 : 1);

const CHECKS: readonly Column<Check>[] = [
  {
    id: 'kept',
    header: 'state',
    value: ({ success }) => (success ? 'kept' : 'broken'),
    cell: ({ success, severity }) => (
      <Status
        health={success ? 'good' : severity === 'error' ? 'bad' : 'watch'}
        word={success ? 'kept' : severity === 'error' ? 'broken' : 'broken, a warning'}
      />
    ),
  },
  {
    id: 'column',
    header: 'column',
    value: ({ column }) => column,
    cell: ({ column }) => (
      <span className={classes['clipped']} title={column ?? undefined}>
        {column ?? 'the table'}
      </span>
    ),
  },
  {
    id: 'check',
    header: 'promise',
    title: 'Named as in Great Expectations',
    value: ({ check }) => check,
    cell: ({ check, expected }) => <span title={check}>{expected}</span>,
  },
  {
    id: 'sentence',
    header: 'what was found',
    value: ({ sentence }) => sentence,
    cell: ({ sentence }) => <span title={sentence}>{sentence}</span>,
  },
  {
    id: 'failing',
    header: 'break it',
    numeric: true,
    value: ({ failing }) => failing,
    cell: ({ failing }) => count(failing),
  },
];

function BrokenRows({ version, checks }: { readonly version: Version; readonly checks: readonly Check[] }) {
  const rows = checks.flatMap((check) => check.rows.map((row): Broken => ({ ...row, check })));
  const names = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const all = checks.reduce((sum, { failing }) => sum + failing, 0);
  const columns = brokenColumns(names);
  return (
    <Part
      title={`Rows that break a promise: ${count(rows.length)}${all > rows.length ? ` of ${count(all)}, the first 20 of each promise` : ''}`}
      tools={
        <Button
          size="xs"
          variant="default"
          onClick={() =>
            download(
              `${version.dataset} v${version.version} broken rows`,
              csvOf(
                columns.map(({ header }) => header),
                rows.map((row) => columns.map(({ value }) => value(row))),
              ),
            )
          }
        >
          Download as CSV
        </Button>
      }
    >
      <Table
        label="Rows that break a promise"
        rows={rows}
        columns={columns}
        rowId={({ file, row, check }) => `${file}:${row} ${check.check} ${check.column}`}
        height={420}
      />
    </Part>
  );
}

const brokenColumns = (names: readonly string[]): readonly Column<Broken>[] => [
  { id: 'file', header: 'file', value: ({ file }) => file },
  { id: 'row', header: 'row', numeric: true, value: ({ row }) => row },
  { id: 'promise', header: 'breaks', value: ({ check }) => `${check.column ?? 'table'}: ${check.expected}` },
  ...names.map(
    (name): Column<Broken> => ({
      id: `value ${name}`,
      header: name,
      value: ({ values }) => cellText(values[name]),
      cell: ({ values, check }) => (
        <span className={check.column === name ? classes['moved'] : undefined}>{cellText(values[name]) ?? '—'}</span>
      ),
    }),
  ),
];
