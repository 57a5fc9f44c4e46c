import { useChange, useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';

type Notifier = AnswerOf<'GET /notifiers'>['items'][number];

const COLUMNS: readonly Column<Notifier>[] = [
  { id: 'name', header: 'name', value: ({ name }) => name },
  { id: 'pipeline', header: 'of', value: ({ pipeline }) => pipeline },
  { id: 'kind', header: 'kind', value: ({ kind }) => kind },
  { id: 'gets', header: 'gets', value: ({ gets }) => gets.map((each) => `${each}s`).join(', ') || 'nothing yet' },
  {
    id: 'secret',
    header: 'address',
    value: ({ secret, isSet }) => (secret === null ? 'in the file' : `$${secret} ${isSet ? 'set' : 'not set'}`),
    cell: ({ secret, isSet }) =>
      secret === null ? (
        'in the file'
      ) : (
        <Status health={isSet ? 'good' : 'bad'} word={`$${secret} ${isSet ? 'is set' : 'is not set'}`} />
      ),
  },
  { id: 'test', header: 'try', value: () => null, cell: (notifier) => <Test notifier={notifier} /> },
];

/** Where pages and tickets go. Targets are written in levain.yaml, so that they are reviewed like code. */
export function Messages() {
  const { data, error, refetch } = useGet('GET /notifiers');
  return (
    <Part title="Messages">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={2} />
      ) : data.items.length === 0 ? (
        <Empty command={EXAMPLE}>
          Incidents are written to the server’s log only: no applied levain.yaml names a target. These lines send them
          to Slack, with the address as a secret.
        </Empty>
      ) : (
        <>
          <Table
            label="Targets of messages"
            rows={data.items}
            columns={COLUMNS}
            rowId={({ pipeline, name }) => `${pipeline}/${name}`}
          />
          <p className="muted">
            Added and changed under <code>notify</code> and <code>monitor.to</code> of levain.yaml, then{' '}
            <code>levain apply</code>.
          </p>
        </>
      )}
    </Part>
  );
}

const EXAMPLE = 'notify: { team: { slack: $SLACK_URL } }\nmonitor: { to: { page: team, ticket: team } }';

function Test({ notifier: { pipeline, name, kind } }: { readonly notifier: Notifier }) {
  const test = useChange('POST /notifiers/test');
  return (
    <Confirm
      verb="Send a test"
      compact
      title={`Send a test message to ${name}`}
      consequence={`One message that says it is a test goes to ${name} (${kind}). Nothing else happens; it stands in the activity.`}
      act={() => test.mutateAsync({ body: { pipeline, name } })}
    />
  );
}
