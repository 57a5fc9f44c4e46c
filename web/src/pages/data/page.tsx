import { useNavigate } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { bytes, count } from '../../ui/format.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';

type Dataset = AnswerOf<'GET /datasets'>['items'][number];

const COLUMNS: readonly Column<Dataset>[] = [
  { id: 'name', header: 'dataset', value: ({ name }) => name, cell: ({ name }) => <strong>{name}</strong> },
  {
    id: 'version',
    header: 'version',
    numeric: true,
    value: ({ latest }) => latest?.version,
    cell: ({ latest }) => (latest ? `v${latest.version}` : '—'),
  },
  {
    id: 'rows',
    header: 'rows',
    numeric: true,
    value: ({ latest }) => latest?.rowCount,
    cell: ({ latest }) => count(latest?.rowCount),
  },
  {
    id: 'size',
    header: 'size',
    numeric: true,
    value: ({ latest }) => latest?.sizeBytes,
    cell: ({ latest }) => bytes(latest?.sizeBytes),
  },
  { id: 'columns', header: 'columns', numeric: true, value: ({ latest }) => latest?.columnCount },
  {
    id: 'contract',
    header: 'contract',
    value: ({ latest }) => latest?.checks,
    cell: ({ latest, refused }) =>
      refused ? (
        <Status health="bad" word={`v${refused.version} refused: ${refused.broken[0] ?? ''}`} />
      ) : (
        <Status health="good" word={`${latest?.checks ?? 0} checks kept`} />
      ),
  },
  {
    id: 'made',
    header: 'made',
    value: ({ latest }) => latest?.createdAt,
    cell: ({ latest }) => <RelativeTime at={latest?.createdAt} />,
  },
];

export default function DataPage() {
  const { data, error, refetch } = useGet('GET /datasets');
  const navigate = useNavigate();
  return (
    <Page title="Data">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows />
      ) : data.items.length === 0 ? (
        <Empty command="levain data add NAME">
          No dataset yet; the first run of a pipeline versions its data, and so does this command.
        </Empty>
      ) : (
        <Table
          label="Datasets"
          rows={data.items}
          columns={COLUMNS}
          rowId={({ name }) => name}
          onOpen={({ name }) => void navigate({ to: '/data/$name', params: { name } })}
        />
      )}
    </Page>
  );
}
