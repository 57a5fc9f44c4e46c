import { Code } from '@mantine/core';
import { Link, useParams } from '@tanstack/react-router';
import { useChange, useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Facts } from '../../ui/facts.tsx';
import { exact, number } from '../../ui/format.ts';
import { Page, Part, Split } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';
import classes from './incident.module.css';

type Incident = AnswerOf<'GET /incidents/:number'>;

/** One cause, one page: the verdict, what changed and what did not, whether a rollback helps, what was done, and what is safe. */
export default function IncidentPage() {
  const { number: id } = useParams({ strict: false }) as { number: string };
  const { data, error, refetch } = useGet('GET /incidents/:number', { params: { number: id } });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={10} />;
  return (
    <Page
      title={`Incident ${data.number} of ${data.model}`}
      status={<State incident={data} />}
      actions={<Actions incident={data} />}
    >
      <Verdict text={data.verdict} />
      <Split side={<Facts facts={factsOf(data)} />}>
        <Part title="What the monitors said">
          <Table label="Alerts" rows={data.alerts} columns={ALERTS} rowId={(alert) => `${alert.rule}${alert.window}`} />
        </Part>
        <Part title="What was done about it">
          {data.actions.length === 0 ? (
            <p className="muted">No action: the applied file names no trigger for this light.</p>
          ) : (
            <Table
              label="Actions"
              rows={data.actions}
              columns={ACTIONS}
              rowId={(action) => `${action.at}${action.guard ?? ''}`}
            />
          )}
        </Part>
      </Split>
    </Page>
  );
}

function State({ incident }: { readonly incident: Incident }) {
  const health = incident.state === 'resolved' ? 'good' : incident.state === 'acknowledged' ? 'watch' : 'bad';
  return (
    <>
      <Status health={health} word={incident.state} />
      {incident.rehearsal && <strong>REHEARSAL</strong>}
      <Link to="/m/$name/monitor" params={{ name: incident.model }}>
        {incident.model} monitor
      </Link>
    </>
  );
}

/** First line is the sentence that a page would carry; the others say what did not change, the impact and the safe actions. */
function Verdict({ text }: { readonly text: string }) {
  const [first, ...rest] = text.split('\n');
  return (
    <section className={classes['verdict']}>
      <p className={classes['sentence']}>{first}</p>
      {rest.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </section>
  );
}

function Actions({ incident }: { readonly incident: Incident }) {
  const acknowledge = useChange('POST /incidents/:number/ack');
  const resolve = useChange('POST /incidents/:number/resolve');
  const params = { number: incident.number };
  if (incident.state === 'resolved') return null;
  return (
    <>
      {incident.state === 'open' && (
        <Confirm
          verb="Acknowledge"
          primary
          consequence="You say that you look at it. It stays open, and nothing that the server does by itself changes."
          act={() => acknowledge.mutateAsync({ params })}
        />
      )}
      <Confirm
        verb="Resolve"
        consequence={`Incident ${incident.number} is closed. If its cause is still there, the next window opens a new one.`}
        reason="optional"
        act={(reason) => resolve.mutateAsync({ params, body: reason ? { reason } : undefined })}
      />
    </>
  );
}

function factsOf(incident: Incident) {
  const { rollback, affected } = incident.details as {
    rollback?: { sentence: string } | null;
    affected?: number;
  };
  return [
    ['light', incident.light],
    ['version', `v${incident.version}`],
    ['since', <EventTime key="since" at={incident.since} />],
    ['opened', <RelativeTime key="opened" at={incident.openedAt} />],
    [
      'affected',
      <span key="n" title={exact(affected)}>
        {number(affected)} predictions
      </span>,
    ],
    ['rollback', rollback?.sentence ?? '—'],
    ['acknowledged', incident.acknowledgedBy ?? '—'],
    ['resolved', incident.resolution ? `${incident.resolution} (${incident.resolvedBy})` : '—'],
    ['why', <Code key="why">levain why {incident.number}</Code>],
  ] as const;
}

const ALERTS: readonly Column<Incident['alerts'][number]>[] = [
  { id: 'window', header: 'window', value: ({ window }) => window, cell: ({ window }) => <EventTime at={window} /> },
  { id: 'rule', header: 'rule', value: ({ rule }) => rule },
  {
    id: 'sentence',
    header: 'what it saw',
    value: ({ sentence }) => sentence,
    cell: ({ sentence, inhibited }) => <span title={sentence}>{inhibited ? `(inhibited) ${sentence}` : sentence}</span>,
  },
];

const ACTIONS: readonly Column<Incident['actions'][number]>[] = [
  {
    id: 'at',
    header: 'event time',
    value: ({ eventAt }) => eventAt,
    cell: ({ eventAt }) => <EventTime at={eventAt} />,
  },
  { id: 'decision', header: 'retraining', value: ({ decision }) => decision },
  { id: 'why', header: 'why', value: ({ why }) => why, cell: ({ why }) => <span title={why}>{why}</span> },
];
