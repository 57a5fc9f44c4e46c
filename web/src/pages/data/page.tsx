import { useMemo } from 'react';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { placeOfData, placeOfModel } from '../../domain/places.ts';
import { FilterBar } from '../../ui/filter-bar.tsx';
import { bytes, count, exact } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, exportCsv, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { useTableView, useViewState } from '../../ui/view-state.ts';
import classes from './data.module.css';

type Dataset = AnswerOf<'GET /datasets'>['items'][number];
type Readers = AnswerOf<'GET /dataset-readers'>['items'][number];
type Row = Dataset & { readonly readers: Readers | undefined };

/** Every dataset with its newest version, how its contract stands, and who reads it. */
export default function DataPage() {
  const { data, error, refetch } = useGet('GET /datasets');
  const readers = useGet('GET /dataset-readers');
  const rows = useMemo(() => toRows(data?.items ?? [], readers.data?.items ?? []), [data, readers.data]);
  return (
    <Page title="Data">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows />
      ) : rows.length === 0 ? (
        <Empty command="levain data add NAME">
          No dataset yet. Name one under data: in levain.yaml; the first run versions it, and so does this command.
        </Empty>
      ) : (
        <Datasets rows={rows} />
      )}
    </Page>
  );
}

/** Datasets that a file names and nobody looked at yet are there too. */
function toRows(datasets: readonly Dataset[], readers: readonly Readers[]): readonly Row[] {
  const byName = new Map(readers.map((each) => [each.dataset, each]));
  const known = new Set(datasets.map(({ name }) => name));
  const named = readers.filter(({ dataset, pipelines }) => !known.has(dataset) && pipelines.length > 0);
  return [
    ...datasets.map((dataset) => ({ ...dataset, readers: byName.get(dataset.name) })),
    ...named.map((each) => ({ name: each.dataset, latest: null, refused: null, readers: each })),
  ];
}

function Datasets({ rows }: { readonly rows: readonly Row[] }) {
  const [words, setWords] = useViewState('q');
  const view = useTableView();
  const shown = rows.filter(({ name }) => name.toLowerCase().includes(words.toLowerCase()));
  return (
    <>
      <FilterBar
        label="Filter datasets by name"
        value={words}
        onChange={setWords}
        columns={COLUMNS}
        hidden={view.hidden}
        onHide={view.onHide}
        onCsv={() => exportCsv('datasets', shown, COLUMNS)}
      />
      <Table
        label="Datasets"
        rows={shown}
        columns={COLUMNS}
        rowId={({ name }) => name}
        sort={view.sort}
        onSort={view.onSort}
        hidden={view.hidden}
        to={({ name }) => placeOfData(name)}
        empty="No dataset has a name like that."
      />
    </>
  );
}

const COLUMNS: readonly Column<Row>[] = [
  {
    id: 'name',
    header: 'dataset',
    value: ({ name }) => name,
    cell: ({ name }) => (
      <strong className={classes['name']} title={name}>
        {name}
      </strong>
    ),
  },
  {
    id: 'contract',
    header: 'contract',
    title: 'Of the newest version',
    value: ({ latest, refused }) =>
      refused ? `v${refused.version} refused` : latest ? `${latest.checks} checks kept` : '',
    cell: ({ latest, refused }) => <ContractState latest={latest} refused={refused} />,
  },
  {
    id: 'version',
    header: 'version',
    title: 'The newest one that is not refused: what runs see',
    numeric: true,
    value: ({ latest }) => latest?.version,
    cell: ({ latest }) => (latest ? `v${latest.version}` : '—'),
  },
  {
    id: 'rows',
    header: 'rows',
    numeric: true,
    value: ({ latest }) => latest?.rowCount,
    cell: ({ latest }) => <span title={exact(latest?.rowCount)}>{count(latest?.rowCount)}</span>,
  },
  {
    id: 'size',
    header: 'size',
    numeric: true,
    value: ({ latest }) => latest?.sizeBytes,
    cell: ({ latest }) => <span title={`${exact(latest?.sizeBytes)} B`}>{bytes(latest?.sizeBytes)}</span>,
  },
  { id: 'columns', header: 'columns', numeric: true, value: ({ latest }) => latest?.columnCount },
  {
    id: 'made',
    header: 'looked at',
    title: 'When the newest version was made',
    value: ({ latest, refused }) => (refused ?? latest)?.createdAt,
    cell: ({ latest, refused }) => <RelativeTime at={(refused ?? latest)?.createdAt} />,
  },
  {
    id: 'readers',
    header: 'read by',
    value: ({ readers }) => wordsOf(readers),
    cell: ({ readers }) => <ReadBy readers={readers} />,
  },
];

function ContractState({ latest, refused }: Pick<Row, 'latest' | 'refused'>) {
  if (refused) return <Status health="bad" word={`v${refused.version} refused`} title={refused.broken.join('\n')} />;
  if (!latest) return <Status health="unknown" word="never looked at" />;
  if (latest.checks === 0) return <Status health="unknown" word="no contract" />;
  return <Status health="good" word={`kept, ${count(latest.checks)} checks`} />;
}

const wordsOf = (readers: Readers | undefined): string =>
  [...(readers?.pipelines ?? []), ...(readers?.models ?? []).map(({ model, version }) => `${model}@v${version}`)].join(
    ', ',
  );

function ReadBy({ readers }: { readonly readers: Readers | undefined }) {
  const models = new Set([...(readers?.pipelines ?? []), ...(readers?.models ?? []).map(({ model }) => model)]);
  if (models.size === 0) return <>—</>;
  return (
    <span className={classes['links']}>
      {[...models].map((name) => {
        const version = readers?.models.find(({ model }) => model === name)?.version;
        return (
          <GoLink key={name} to={placeOfModel(name)} onClick={(event) => event.stopPropagation()}>
            {version === undefined ? name : `${name}, newest v${version}`}
          </GoLink>
        );
      })}
    </span>
  );
}
