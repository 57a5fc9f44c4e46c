import { Select } from '@mantine/core';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Facts } from '../../ui/facts.tsx';
import { count, number, percent, signed } from '../../ui/format.ts';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { useTableView, useView } from '../../ui/view-state.ts';
import { ColumnShapes } from './compare-shapes.tsx';
import classes from './dataset.module.css';
import type { Summary, Uses, Version } from './page.tsx';
import { DataRows, rowColumns } from './rows.tsx';

type Diff = AnswerOf<'GET /data-diff'>;
type ColumnDiff = Diff['columns'][number];
type RowDiff = AnswerOf<'GET /data-diff/rows'>;

interface Props {
  readonly version: Version;
  readonly versions: readonly Summary[];
  readonly uses: Uses | undefined;
}

/** What another version holds otherwise: files, columns, rows, distributions. */
export function Compare({ version, versions, uses }: Props) {
  const [view, change] = useView();
  const others = versions.filter((each) => each.version !== version.version);
  const before = others.find((each) => each.version < version.version) ?? others.at(-1);
  const against = others.find((each) => String(each.version) === view['against']) ?? before;
  if (!against) return <Empty>There is no other version to compare with.</Empty>;
  return (
    <>
      <div className={classes['fields']}>
        <Select
          size="xs"
          label="Compare with"
          w={220}
          data={others.map((each) => ({
            value: String(each.version),
            label: `v${each.version}${each.state === 'refused' ? ', refused' : ''}, ${count(each.rowCount)} rows`,
          }))}
          value={String(against.version)}
          allowDeselect={false}
          onChange={(next) => change({ against: next ?? undefined })}
        />
        <span className="muted">
          from v{against.version} to v{version.version}
        </span>
      </div>
      <Differences version={version} against={against.version} pipelineKey={uses?.pipelines[0]?.key ?? []} />
    </>
  );
}

function Differences({
  version,
  against,
  pipelineKey,
}: {
  readonly version: Version;
  readonly against: number;
  readonly pipelineKey: readonly string[];
}) {
  const name = (n: number): string => `${version.dataset}@v${n}`;
  const range = { from: name(against), to: name(version.version) };
  const diff = useGet('GET /data-diff', { query: range });
  const key = pipelineKey.filter((column) => version.schema.some((each) => each.name === column));
  const rows = useGet('GET /data-diff/rows', { query: { ...range, key: JSON.stringify(key) } as never });
  if (diff.error && !diff.data) return <Failure error={diff.error} retry={() => void diff.refetch()} />;
  if (!diff.data || diff.data.from.version !== against) return <Rows count={8} />;
  return (
    <>
      <div className={classes['detail']}>
        <Facts facts={fileFacts(diff.data)} />
        <RowFacts diff={rows.isPlaceholderData ? undefined : rows.data} error={rows.error} />
      </div>
      <Part title="Columns">
        <ColumnDiffs diff={diff.data} />
      </Part>
      <ColumnShapes version={version} against={against} />
      {rows.data && !rows.isPlaceholderData && <RowSamples diff={rows.data} version={version} />}
    </>
  );
}

const MANY = 6;
const named = (names: readonly string[]): string =>
  names.length === 0 ? '—' : `${names.length}: ${names.slice(0, MANY).join(', ')}${names.length > MANY ? ' …' : ''}`;

const fileFacts = ({ files, schema, rows }: Diff) =>
  [
    ['rows', `${number(rows.from)} → ${number(rows.to)} (${signed(rows.to - rows.from, count)})`],
    ['files added', named(files.added)],
    ['files removed', named(files.removed)],
    ['files changed', named(files.changed)],
    ['files moved', named(files.moved.map(({ from, to }) => `${from} → ${to}`))],
    ['files the same', count(files.unchanged)],
    ['columns added', named(schema.added)],
    ['columns removed', named(schema.removed)],
    ['columns retyped', named(schema.retyped.map((each) => `${each.name} ${each.from} → ${each.to}`))],
  ] as const;

function RowFacts({ diff, error }: { readonly diff: RowDiff | undefined; readonly error: unknown }) {
  if (error && !diff) return <Failure error={error} />;
  if (!diff)
    return (
      <div>
        <p className="muted">Reading the files that differ</p>
        <Rows count={3} />
      </div>
    );
  return (
    <Facts
      facts={[
        ['rows added', number(diff.added)],
        ['rows removed', number(diff.removed)],
        ['rows changed', diff.changed === null ? 'not told apart: no key is declared' : number(diff.changed)],
        ['rows the same', number(diff.unchanged)],
        ['matched by', diff.key.length === 0 ? 'all values' : diff.key.join(', ')],
        ['read', `${count(diff.read.from)} and ${count(diff.read.to)} rows, of files that differ`],
      ]}
    />
  );
}

function ColumnDiffs({ diff }: { readonly diff: Diff }) {
  const [view, change] = useView();
  const { sort, onSort } = useTableView('diff-');
  return (
    <Table
      label="Columns compared"
      rows={diff.columns}
      columns={COLUMNS}
      rowId={({ name }) => name}
      sort={sort}
      onSort={onSort}
      selected={new Set(view['column'] ? [view['column']] : [])}
      onOpen={({ name }) => change({ column: name === view['column'] ? undefined : name })}
      height={360}
      empty="The versions have no column in common."
    />
  );
}

const arrow = (from: number, to: number, show: (value: number) => string): string =>
  from === to ? show(to) : `${show(from)} → ${show(to)}`;

const COLUMNS: readonly Column<ColumnDiff>[] = [
  {
    id: 'name',
    header: 'column',
    value: ({ name }) => name,
    cell: ({ name }) => (
      <strong className={classes['clipped']} title={name}>
        {name}
      </strong>
    ),
  },
  {
    id: 'nulls',
    header: 'missing',
    numeric: true,
    value: ({ nullShare }) => nullShare.to - nullShare.from,
    cell: ({ nullShare }) => arrow(nullShare.from, nullShare.to, percent),
  },
  {
    id: 'distinct',
    header: 'distinct',
    numeric: true,
    value: ({ distinct }) => distinct.to - distinct.from,
    cell: ({ distinct }) => arrow(distinct.from, distinct.to, count),
  },
  {
    id: 'mean',
    header: 'mean',
    numeric: true,
    value: ({ mean }) => (mean ? mean.to - mean.from : null),
    cell: ({ mean }) => (mean ? arrow(mean.from, mean.to, number) : '—'),
  },
  {
    id: 'move',
    header: 'mean moved by',
    title: 'In standard deviations of the version before',
    numeric: true,
    value: ({ meanInSd }) => (meanInSd === null ? null : Math.abs(meanInSd)),
    cell: ({ meanInSd }) => (meanInSd === null ? '—' : `${signed(meanInSd)} sd`),
  },
  {
    id: 'min',
    header: 'least',
    numeric: true,
    value: ({ min }) => (min ? min.to - min.from : null),
    cell: ({ min }) => (min ? arrow(min.from, min.to, number) : '—'),
  },
  {
    id: 'max',
    header: 'most',
    numeric: true,
    value: ({ max }) => (max ? max.to - max.from : null),
    cell: ({ max }) => (max ? arrow(max.from, max.to, number) : '—'),
  },
  {
    id: 'share',
    header: 'value whose share moved most',
    value: ({ share }) => (share ? Math.abs(share.to - share.from) : null),
    cell: ({ share }) => (share ? `${share.value} ${arrow(share.from, share.to, percent)}` : '—'),
  },
];

function RowSamples({ diff, version }: { readonly diff: RowDiff; readonly version: Version }) {
  const parts = [
    { title: 'Rows added', rows: diff.sample.added, all: diff.added },
    { title: 'Rows removed', rows: diff.sample.removed, all: diff.removed },
    { title: 'Rows changed, as they are now', rows: diff.sample.changed, all: diff.changed ?? 0 },
  ].filter(({ rows }) => rows.length > 0);
  return parts.map(({ title, rows, all }) => (
    <Part key={title} title={`${title}: ${rows.length < all ? `${rows.length} of ${count(all)}` : count(all)}`}>
      <DataRows
        label={title}
        rows={rows.map((row, i) => ({ '': i + 1, ...row }))}
        columns={rowColumns(version.schema)}
      />
    </Part>
  ));
}
