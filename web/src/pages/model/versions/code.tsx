import { useQuery } from '@tanstack/react-query';
import { fileAddress, readText } from '../../../api/client.ts';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { bytes, exact } from '../../../ui/format.ts';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import type { Version } from './verdict.ts';
import classes from './versions.module.css';

type Source = AnswerOf<'GET /snapshots/:digest'>;
const addressIn = (digest: string, path: string): string => fileAddress('/snapshots/:digest/files/*', { digest }, path);

/** The code that its run saw, and the lock that is its environment. */
export function Code({ version }: { readonly version: Version }) {
  return (
    <div id="code">
      <Part title="Code and environment">
        {version.source === null ? (
          <p className="muted">No code of it is known here.</p>
        ) : (
          <Snapshot digest={version.source} environment={version.environment} />
        )}
      </Part>
    </div>
  );
}

function Snapshot({ digest, environment }: { readonly digest: string; readonly environment: string | null }) {
  const { data, error, refetch } = useGet('GET /snapshots/:digest', { params: { digest } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={3} />;
  const columns: readonly Column<Source['files'][number]>[] = [
    {
      id: 'path',
      header: 'file',
      value: ({ path }) => path,
      cell: ({ path }) => (
        <a href={addressIn(digest, path)} download title={`download ${path}`}>
          {path}
        </a>
      ),
    },
    {
      id: 'size',
      header: 'size',
      numeric: true,
      value: ({ sizeBytes }) => sizeBytes,
      cell: ({ sizeBytes }) => <span title={`${exact(sizeBytes)} bytes`}>{bytes(sizeBytes)}</span>,
    },
  ];
  return (
    <div className={classes['two']}>
      <Table label="Code" rows={data.files} columns={columns} rowId={({ path }) => path} height={320} />
      {data.lock === null ? (
        <p className="muted">The project has no lock: it ran in the system's own Python.</p>
      ) : (
        <Lock digest={digest} path={data.lock} environment={environment} />
      )}
    </div>
  );
}

const MAX_SHOWN = 200_000;

interface LockProps {
  readonly digest: string;
  readonly path: string;
  readonly environment: string | null;
}

function Lock({ digest, path, environment }: LockProps) {
  const address = addressIn(digest, path);
  const { data, error } = useQuery({
    queryKey: ['GET /snapshots/:digest/files/*', address],
    queryFn: ({ signal }) => readText(address, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <figure className={classes['code']}>
      <figcaption>
        {path}
        <span className="muted" title={environment ?? undefined}>
          environment {environment?.slice(0, 7) ?? '—'}
        </span>
      </figcaption>
      <section className={classes['lines']} style={{ maxHeight: 284 }} tabIndex={0} aria-label={`text of ${path}`}>
        {error ? (
          <div>{error.message}</div>
        ) : (
          (data ?? '…')
            .slice(0, MAX_SHOWN)
            .split('\n')
            .map((line, index) => <div key={index}>{line || ' '}</div>)
        )}
      </section>
    </figure>
  );
}
