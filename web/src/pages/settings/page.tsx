import { Code } from '@mantine/core';
import { BASE } from '../../api/client.ts';
import { useGet } from '../../api/queries.ts';
import { Facts } from '../../ui/facts.tsx';
import { duration } from '../../ui/format.ts';
import { Page, Part } from '../../ui/page.tsx';
import { Empty, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';

/** Where things are, what answers, and whether all is well. */
export default function SettingsPage() {
  const gateways = useGet('GET /gateways');
  const pipelines = useGet('GET /pipelines');
  return (
    <Page title="Settings">
      <Part title="This server">
        <Facts
          facts={[
            ['address', <Code key="a">{`${location.origin}${BASE}`}</Code>],
            ['tracking', <Code key="t">{`mlflow.set_tracking_uri("${location.origin}${BASE}")`}</Code>],
            [
              'interface',
              <a key="o" href={`${BASE}/api/levain/v1/openapi.json`}>
                OpenAPI
              </a>,
            ],
            ['health', <Code key="d">levain doctor</Code>],
          ]}
        />
      </Part>
      <Part title="Gateways">
        {!gateways.data ? (
          <Rows count={2} />
        ) : (
          <Table
            label="Gateways"
            rows={gateways.data.items}
            columns={[
              { id: 'url', header: 'address', value: ({ url }) => url },
              {
                id: 'alive',
                header: 'state',
                value: ({ alive }) => String(alive),
                cell: ({ alive }) => <Status health={alive ? 'good' : 'bad'} word={alive ? 'answers' : 'is away'} />,
              },
              {
                id: 'seen',
                header: 'seen',
                value: ({ seenAt }) => String(seenAt),
                cell: ({ seenAt }) => <RelativeTime at={seenAt as never} />,
              },
              {
                id: 'versions',
                header: 'versions',
                numeric: true,
                value: ({ report }) => report?.versions.length ?? null,
              },
              {
                id: 'row',
                header: 'a row takes',
                numeric: true,
                value: ({ report }) => report?.versions[0]?.microsPerRow ?? null,
                cell: ({ report }) => duration((report?.versions[0]?.microsPerRow ?? Number.NaN) / 1_000),
              },
            ]}
            rowId={({ id }) => id}
          />
        )}
      </Part>
      <Part title="Applied files">
        {!pipelines.data ? (
          <Rows count={2} />
        ) : pipelines.data.items.length === 0 ? (
          <Empty command="levain apply">No levain.yaml is applied yet.</Empty>
        ) : (
          <Table
            label="Pipelines"
            rows={pipelines.data.items}
            columns={[
              { id: 'name', header: 'pipeline', value: ({ pipeline }) => pipeline },
              {
                id: 'folder',
                header: 'folder',
                value: ({ folder }) => folder,
                cell: ({ folder }) => <code>{folder}</code>,
              },
              { id: 'steps', header: 'steps', value: ({ steps }) => steps.join(', ') },
              {
                id: 'triggers',
                header: 'triggers',
                value: ({ triggers }) => triggers.map(({ kind }) => kind).join(', ') || null,
              },
              {
                id: 'at',
                header: 'applied',
                value: ({ appliedAt }) => appliedAt,
                cell: ({ appliedAt }) => <RelativeTime at={appliedAt} />,
              },
            ]}
            rowId={({ pipeline }) => pipeline}
          />
        )}
      </Part>
    </Page>
  );
}
