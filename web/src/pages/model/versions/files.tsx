import { fileAddress } from '../../../api/client.ts';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { bytes, exact } from '../../../ui/format.ts';
import { Id } from '../../../ui/id.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import type { Version } from './verdict.ts';

type File = AnswerOf<'GET /models/:model/versions/:version/files'>['items'][number];

const addressIn = ({ model, version }: Version, path: string): string =>
  fileAddress('/models/:model/versions/:version/files/*', { model, version }, path);

/** The model's own files and its features, to download; and in which flavours it was saved. */
export function Files({ version }: { readonly version: Version }) {
  const params = { model: version.model, version: version.version };
  const { data, error, refetch } = useGet('GET /models/:model/versions/:version/files', { params });
  const columns: readonly Column<File>[] = [
    {
      id: 'path',
      header: 'file',
      value: ({ path }) => path,
      cell: ({ path }) => (
        <a href={addressIn(version, path)} download title={`download ${path}`}>
          {path}
        </a>
      ),
    },
    { id: 'role', header: 'what', value: ({ role }) => (role === 'features' ? 'features of raw rows' : 'model') },
    {
      id: 'size',
      header: 'size',
      numeric: true,
      value: ({ sizeBytes }) => sizeBytes,
      cell: ({ sizeBytes }) => <span title={`${exact(sizeBytes)} bytes`}>{bytes(sizeBytes)}</span>,
    },
    {
      id: 'digest',
      header: 'sha-256',
      value: ({ digest }) => digest,
      cell: ({ digest }) => <Id id={digest} isDigest />,
    },
  ];
  return (
    <Part title="Files">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={3} />
      ) : (
        <>
          <Table
            label="Files"
            rows={data.items}
            columns={columns}
            rowId={({ path }) => path}
            height={320}
            empty="No file of it is kept here."
          />
          <p className="muted">
            Flavours:{' '}
            {data.flavors.map(({ name, version: of }) => `${name}${of === null ? '' : ` ${of}`}`).join(', ') ||
              'its files name none'}
          </p>
        </>
      )}
    </Part>
  );
}
