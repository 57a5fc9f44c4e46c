import { Code } from '@mantine/core';
import { addressOf, BASE } from '../../api/client.ts';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Facts } from '../../ui/facts.tsx';
import { duration } from '../../ui/format.ts';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';

/** Version, addresses, and where the data lives. */
export function ThisServer() {
  const { data, error, refetch } = useGet('GET /server');
  const places = useGet('GET /server/places');
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  const here = `${location.origin}${BASE}`;
  return (
    <Part title="This server">
      {data ? (
        <Facts
          facts={[
            ['version', data.version],
            ['address', <Code key="a">{here}</Code>],
            ['predictions', data.gatewayUrl === null ? '—' : <Code key="g">{data.gatewayUrl}</Code>],
            ['MLflow', <Code key="t">{`mlflow.set_tracking_uri("${here}")`}</Code>],
            ['command line', <Code key="c">{`levain login --url ${here}`}</Code>],
            [
              'data directory',
              data.dataDir === null ? 'told on its own machine only' : <Code key="d">{data.dataDir}</Code>,
            ],
            ['database', places.data?.database ?? '—'],
            ['contents', places.data?.objects ?? '—'],
            [
              'interface',
              <a key="o" href={addressOf('/openapi.json')}>
                OpenAPI
              </a>,
            ],
          ]}
        />
      ) : (
        <Rows count={8} />
      )}
    </Part>
  );
}

type Gateway = AnswerOf<'GET /gateways'>['items'][number];

const COLUMNS: readonly Column<Gateway>[] = [
  { id: 'url', header: 'address', value: ({ url }) => url },
  {
    id: 'alive',
    header: 'state',
    value: ({ alive }) => (alive ? 'answers' : 'is away'),
    cell: ({ alive }) => <Status health={alive ? 'good' : 'bad'} word={alive ? 'answers' : 'is away'} />,
  },
  { id: 'seen', header: 'heard', value: ({ seenAt }) => seenAt, cell: ({ seenAt }) => <RelativeTime at={seenAt} /> },
  { id: 'versions', header: 'versions', numeric: true, value: ({ report }) => report?.versions.length },
  {
    id: 'row',
    header: 'a row takes',
    title: 'of the version that it loaded last',
    numeric: true,
    value: ({ report }) => report?.versions[0]?.microsPerRow,
    cell: ({ report }) => {
      const micros = report?.versions[0]?.microsPerRow;
      return micros == null ? '—' : duration(micros / 1_000);
    },
  },
  {
    id: 'spool',
    header: 'waiting',
    title: 'segments of the prediction log that are not handed in yet',
    numeric: true,
    value: ({ report }) => report?.spool.segments,
  },
];

/** What answers predictions. */
export function Gateways() {
  const { data, error, refetch } = useGet('GET /gateways');
  return (
    <Part title="Gateways">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={2} />
      ) : data.items.length === 0 ? (
        <Empty command="levain up">No gateway was heard of yet, so nothing answers predictions.</Empty>
      ) : (
        <Table label="Gateways" rows={data.items} columns={COLUMNS} rowId={({ id }) => id} />
      )}
    </Part>
  );
}
