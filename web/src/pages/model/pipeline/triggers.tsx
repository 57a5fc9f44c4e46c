import { useGet } from '../../../api/queries.ts';
import { placeOfIncident, placeOfRun } from '../../../domain/places.ts';
import { MISSING, shortId } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { RelativeTime } from '../../../ui/time.tsx';
import classes from './pipeline.module.css';
import { incidentOf, outcomeWords, type TriggerList, triggerWord, triggerWords } from './words.ts';

type Item = TriggerList['items'][number];
type Event = TriggerList['events'][number];

/** What starts runs by itself: when it is due, and what came of it the last times. */
export function Triggers({ pipeline }: { readonly pipeline: string }) {
  const { data, error, refetch } = useGet('GET /pipelines/:name/triggers', { params: { name: pipeline } });
  if (!data) return error ? <Failure error={error} retry={() => void refetch()} /> : <Rows count={3} />;
  return (
    <Part title="Triggers">
      {data.held !== null && (
        <p className={classes['notice']}>
          <strong>HELD</strong>: {data.held}. No trigger starts a run until {pipeline} is resumed.
        </p>
      )}
      <Table
        label="Triggers"
        rows={data.items}
        columns={triggerColumns(pipeline)}
        rowId={({ trigger }) => JSON.stringify(trigger)}
        empty="No trigger is in the applied file: runs start by hand. For instance triggers: [ { cron: '0 3 * * *' } ]"
      />
      {data.events.length > 0 && (
        <details className={classes['more']}>
          <summary>The last {data.events.length} events</summary>
          <Table
            label="Events of triggers"
            rows={data.events}
            columns={eventColumns(pipeline)}
            rowId={({ kind, key }) => `${kind} ${key}`}
            height={260}
          />
        </details>
      )}
    </Part>
  );
}

const RunLink = ({ pipeline, run }: { readonly pipeline: string; readonly run: string | null }) =>
  run === null ? MISSING : <GoLink to={placeOfRun(pipeline, run)}>run {shortId(run)}</GoLink>;

function triggerColumns(pipeline: string): readonly Column<Item>[] {
  return [
    { id: 'trigger', header: 'starts a run', value: ({ trigger }) => triggerWords(trigger) },
    {
      id: 'next',
      header: 'next',
      value: ({ nextAt }) => nextAt,
      cell: ({ nextAt, trigger }) =>
        trigger.kind === 'cron' ? <RelativeTime at={nextAt} /> : <span className="muted">when it happens</span>,
    },
    {
      id: 'last',
      header: 'last',
      value: ({ last }) => last?.at,
      cell: ({ last }) => (last ? <RelativeTime at={last.at} /> : <span className="muted">never yet</span>),
    },
    {
      id: 'outcome',
      header: 'what came of it',
      value: ({ last }) => last?.outcome,
      cell: ({ last }) => (last ? outcomeWords(last.outcome) : MISSING),
    },
    {
      id: 'run',
      header: 'run',
      value: ({ last }) => last?.runId,
      cell: ({ last }) => <RunLink pipeline={pipeline} run={last?.runId ?? null} />,
    },
  ];
}

function eventColumns(pipeline: string): readonly Column<Event>[] {
  return [
    { id: 'at', header: 'when', value: ({ at }) => at, cell: ({ at }) => <RelativeTime at={at} /> },
    { id: 'kind', header: 'what', value: ({ kind }) => triggerWord(kind) },
    {
      id: 'key',
      header: 'event',
      value: ({ key }) => key,
      cell: (event) => {
        const incident = incidentOf(event);
        if (incident) return <GoLink to={placeOfIncident(incident)}>incident {incident}</GoLink>;
        return <code title={event.key}>{event.key.slice(-40)}</code>;
      },
    },
    { id: 'outcome', header: 'what came of it', value: ({ outcome }) => outcomeWords(outcome) },
    {
      id: 'run',
      header: 'run',
      value: ({ runId }) => runId,
      cell: ({ runId }) => <RunLink pipeline={pipeline} run={runId} />,
    },
  ];
}
