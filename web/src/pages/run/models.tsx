import { placeOfVersion } from '../../domain/places.ts';
import { useRunVersions } from '../../domain/run-versions.ts';
import { GoLink } from '../../ui/link.tsx';
import { Part } from '../../ui/page.tsx';
import { Status } from '../../ui/status.tsx';
import { Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import type { Run } from './page.tsx';

type Model = Run['models'][number];

const HEALTH = { READY: 'good', PENDING: 'running', FAILED: 'bad' } as const;

/** Models that the run logged, and what became of them. */
export function Models({ run }: { readonly run: Run }) {
  const version = useRunVersions().get(run.id);
  if (run.models.length === 0) return null;
  return (
    <Part title="Models logged">
      <Table<Model>
        label="Models logged"
        rows={run.models}
        rowId={({ modelId }) => modelId}
        columns={[
          {
            id: 'name',
            header: 'model',
            value: ({ name }) => name,
            cell: ({ name, modelId }) => <GoLink to={`/runs/${run.id}?tab=files&at=${modelId}`}>{name}</GoLink>,
          },
          {
            id: 'state',
            header: 'state',
            value: ({ status }) => status,
            cell: ({ status }) => <Status health={HEALTH[status]} word={status.toLowerCase()} />,
          },
          { id: 'by', header: 'logged by', value: ({ explicit }) => (explicit ? 'the code' : 'autologging') },
          {
            id: 'at',
            header: 'logged',
            value: ({ createdAt }) => createdAt,
            cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
          },
          {
            id: 'version',
            header: 'registered as',
            value: () => (version ? `${version.model} v${version.version}` : null),
            cell: () =>
              version ? (
                <GoLink to={placeOfVersion(version.model, version.version)}>
                  {version.model} v{version.version}
                </GoLink>
              ) : (
                '—'
              ),
          },
        ]}
      />
    </Part>
  );
}
