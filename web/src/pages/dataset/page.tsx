import { useParams } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Bars } from '../../ui/bars.tsx';
import { Facts } from '../../ui/facts.tsx';
import { bytes, count, number } from '../../ui/format.ts';
import { Page, Part, Split } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';
import { useViewState } from '../../ui/view-state.ts';

type Summary = AnswerOf<'GET /datasets/:name/versions'>['items'][number];
type Version = AnswerOf<'GET /datasets/:name/versions/:version'>;
type Profile = Version['profile']['columns'][number];

/** Versions of a dataset; one of them with its profile by column and its contract, with the rows that broke it. */
export default function DatasetPage() {
  const { name } = useParams({ strict: false }) as { name: string };
  const { data, error, refetch } = useGet('GET /datasets/:name/versions', { params: { name }, query: { limit: 100 } });
  const [chosen, choose] = useViewState('version');
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={10} />;
  const version = data.items.find((each) => String(each.version) === chosen) ?? data.items[0];
  return (
    <Page title={name}>
      <Table
        label="Versions"
        rows={data.items}
        columns={VERSIONS}
        rowId={(each) => String(each.version)}
        selected={new Set(version ? [String(version.version)] : [])}
        onOpen={(each) => choose(String(each.version))}
        height={240}
      />
      {version && <One key={version.id} name={name} version={version.version} />}
    </Page>
  );
}

const VERSIONS: readonly Column<Summary>[] = [
  {
    id: 'version',
    header: 'version',
    numeric: true,
    value: ({ version }) => version,
    cell: ({ version }) => `v${version}`,
  },
  {
    id: 'state',
    header: 'contract',
    value: ({ state }) => state,
    cell: ({ state, broken }) => (
      <Status health={state === 'ok' ? 'good' : 'bad'} word={state === 'ok' ? 'kept' : `refused: ${broken[0] ?? ''}`} />
    ),
  },
  {
    id: 'rows',
    header: 'rows',
    numeric: true,
    value: ({ rowCount }) => rowCount,
    cell: ({ rowCount }) => count(rowCount),
  },
  {
    id: 'size',
    header: 'size',
    numeric: true,
    value: ({ sizeBytes }) => sizeBytes,
    cell: ({ sizeBytes }) => bytes(sizeBytes),
  },
  { id: 'files', header: 'files', numeric: true, value: ({ fileCount }) => fileCount },
  {
    id: 'time',
    header: 'event time',
    value: ({ timeRange }) => timeRange?.max,
    cell: ({ timeRange }) =>
      timeRange ? (
        <>
          <EventTime at={timeRange.min} /> – <EventTime at={timeRange.max} />
        </>
      ) : (
        '—'
      ),
  },
  {
    id: 'made',
    header: 'made',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
];

function One({ name, version }: { readonly name: string; readonly version: number }) {
  const { data, error } = useGet('GET /datasets/:name/versions/:version', { params: { name, version } });
  if (error && !data) return <Failure error={error} />;
  if (!data) return <Rows />;
  return (
    <Split
      side={
        <Facts
          facts={[
            ['version', `v${data.version}`],
            ['rows', count(data.rowCount)],
            ['size', bytes(data.sizeBytes)],
            ['source', data.source],
            ['made', <RelativeTime key="m" at={data.createdAt} />],
          ]}
        />
      }
    >
      <Part title="Columns">
        <Table label="Columns" rows={data.profile.columns} columns={COLUMNS} rowId={(column) => column.name} />
      </Part>
      <Part title="Contract">
        {data.contract.checks.length === 0 ? (
          <p className="muted">No promise is made about this data; name some under data.*.expect.</p>
        ) : (
          <Table
            label="Contract"
            rows={data.contract.checks}
            columns={CHECKS}
            rowId={(check) => check.sentence}
            height={320}
          />
        )}
      </Part>
      <Broken version={data} />
    </Split>
  );
}

const COLUMNS: readonly Column<Profile>[] = [
  { id: 'name', header: 'column', value: ({ name }) => name },
  { id: 'type', header: 'type', value: (column) => String((column as { type?: string }).type ?? '') },
  {
    id: 'nulls',
    header: 'missing',
    numeric: true,
    value: (column) => Number((column as { nulls?: number }).nulls ?? 0),
    cell: (column) => count((column as { nulls?: number }).nulls),
  },
  {
    id: 'mean',
    header: 'mean',
    numeric: true,
    value: (column) => (column as { mean?: number }).mean ?? null,
    cell: (column) => number((column as { mean?: number }).mean),
  },
  { id: 'min', header: 'least', numeric: true, value: (column) => String((column as { min?: unknown }).min ?? '') },
  { id: 'max', header: 'most', numeric: true, value: (column) => String((column as { max?: unknown }).max ?? '') },
  {
    id: 'shape',
    header: 'distribution',
    value: () => null,
    cell: (column) => (
      <Bars label={`distribution of ${column.name}`} counts={(column as { counts?: readonly number[] }).counts ?? []} />
    ),
  },
];

const CHECKS: readonly Column<Version['contract']['checks'][number]>[] = [
  {
    id: 'kept',
    header: 'kept',
    value: ({ success }) => String(success),
    cell: ({ success, severity }) => (
      <Status health={success ? 'good' : severity === 'error' ? 'bad' : 'watch'} word={success ? 'kept' : 'broken'} />
    ),
  },
  {
    id: 'sentence',
    header: 'promise',
    value: ({ sentence }) => sentence,
    cell: ({ sentence }) => <span title={sentence}>{sentence}</span>,
  },
  {
    id: 'failing',
    header: 'rows that broke it',
    numeric: true,
    value: ({ failing }) => failing,
    cell: ({ failing }) => count(failing),
  },
];

function Broken({ version }: { readonly version: Version }) {
  const rows = version.contract.checks.flatMap((check) => (check.success ? [] : check.rows));
  if (rows.length === 0) return null;
  return (
    <Part title="Rows that broke it">
      <Table
        label="Rows that broke the contract"
        rows={rows}
        columns={[
          { id: 'file', header: 'file', value: ({ file }) => file },
          { id: 'row', header: 'row', numeric: true, value: ({ row }) => row },
          {
            id: 'values',
            header: 'values',
            value: ({ values }) => JSON.stringify(values),
            cell: ({ values }) => <code>{JSON.stringify(values)}</code>,
          },
        ]}
        rowId={(row) => `${row.file}${row.row}${JSON.stringify(row.values)}`}
        height={300}
      />
    </Part>
  );
}
