import { Link } from '@tanstack/react-router';
import { useChange, useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { Facts } from '../../ui/facts.tsx';
import { duration, exact, number, percent } from '../../ui/format.ts';
import { Id } from '../../ui/id.tsx';
import { Part, Split } from '../../ui/page.tsx';
import { Empty, Rows } from '../../ui/states.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';
import { type ModelStatus, useModel } from './layout.tsx';
import { TryIt } from './try-it.tsx';

/** What answers now, the rollout with its evidence, a form to try it, and the last answers. */
export default function LiveTab() {
  const model = useModel();
  if (!model) return <Rows />;
  if (model.endpoint === null)
    return <Empty command={`levain deploy ${model.name}`}>{model.name} has no endpoint yet.</Empty>;
  return <Live model={model} endpoint={model.endpoint} />;
}

function Live({ model, endpoint }: { readonly model: ModelStatus; readonly endpoint: string }) {
  const shown = useGet('GET /endpoints/:name', { params: { name: endpoint } });
  return (
    <div style={{ display: 'grid', gap: 20 }}>
      <Rollout model={model} endpoint={endpoint} />
      {model.version !== null && (
        <Part title="Try it">
          <TryIt model={model.name} version={model.version} endpoint={endpoint} url={shown.data?.urls[0] ?? null} />
        </Part>
      )}
      <Part title="Recent predictions">
        <Predictions endpoint={endpoint} />
      </Part>
    </div>
  );
}

type Rolled = AnswerOf<'GET /endpoints/:name/rollout'>;

const HEALTH: Readonly<Record<string, Health>> = { done: 'good', aborted: 'bad', paused: 'watch', baking: 'running' };

function Rollout({ model, endpoint }: { readonly model: ModelStatus; readonly endpoint: string }) {
  const { data, error } = useGet('GET /endpoints/:name/rollout', { params: { name: endpoint } });
  if (error?.status === 404 || !data) return error ? null : <Rows count={3} />;
  const { rollout, transitions } = data as Rolled;
  const isRunning = rollout.finishedAt === null;
  return (
    <Part
      title={`Rollout of v${rollout.version}`}
      tools={isRunning ? <Control endpoint={endpoint} version={rollout.version} /> : undefined}
    >
      <p>
        <Status
          health={HEALTH[rollout.state] ?? 'running'}
          word={`${rollout.state}: ${rollout.reason ?? rollout.sentence}`}
        />
        {rollout.rehearsal && <strong> REHEARSAL</strong>}
      </p>
      <Split
        side={
          <Facts
            facts={[
              ['against', rollout.fromVersion === null ? 'nothing: the first' : `v${rollout.fromVersion}`],
              [
                'share now',
                percent(
                  isRunning ? rollout.weight : model.live.find(({ version }) => version === rollout.version)?.share,
                ),
              ],
              ['asked by', rollout.requestedBy],
              ['started', <RelativeTime key="s" at={rollout.startedAt} />],
              ['event clock', <EventTime key="e" at={rollout.eventClock} />],
              ['at most until', <EventTime key="d" at={rollout.deadline} />],
            ]}
          />
        }
      >
        <Table
          label="Steps of the rollout"
          rows={transitions}
          columns={TRANSITIONS}
          rowId={({ at, to }) => `${at}${to}`}
          height={260}
        />
      </Split>
    </Part>
  );
}

const TRANSITIONS: readonly Column<Rolled['transitions'][number]>[] = [
  { id: 'at', header: 'when', value: ({ at }) => at, cell: ({ at }) => <RelativeTime at={at} /> },
  { id: 'to', header: 'step', value: ({ to }) => to },
  {
    id: 'sentence',
    header: 'evidence',
    value: ({ sentence }) => sentence,
    cell: ({ sentence }) => <span title={sentence}>{sentence}</span>,
  },
];

function Control({ endpoint, version }: { readonly endpoint: string; readonly version: number }) {
  const control = useChange('POST /endpoints/:name/rollout');
  const act = (action: string) => (reason: string) =>
    control.mutateAsync({ params: { name: endpoint }, body: { action, ...(reason && { reason }) } } as never);
  return (
    <span style={{ display: 'inline-flex', gap: 8, flexWrap: 'wrap' }}>
      <Confirm
        verb="Continue"
        primary
        consequence={`v${version} goes on to its next step although the evidence is not complete.`}
        act={act('continue')}
      />
      <Confirm
        verb="Pause"
        consequence="The share stays as it is until somebody goes on. Limits still stop it by themselves."
        act={act('pause')}
      />
      <Confirm verb="Promote" consequence={`v${version} takes all traffic now.`} act={act('promote')} />
      <Confirm
        verb="Abort"
        danger
        reason="optional"
        consequence={`All traffic goes back to the version before v${version} within seconds. Nothing is deleted.`}
        act={act('abort')}
      />
    </span>
  );
}

type Prediction = AnswerOf<'GET /predictions'>['items'][number];

const PREDICTIONS: readonly Column<Prediction>[] = [
  { id: 'id', header: 'id', value: ({ id }) => id, cell: ({ id }) => <Id id={id} /> },
  {
    id: 'at',
    header: 'event time',
    value: ({ eventTime }) => eventTime,
    cell: ({ eventTime }) => <EventTime at={eventTime} />,
  },
  {
    id: 'version',
    header: 'version',
    value: ({ version }) => version,
    cell: ({ version, role }) => `v${version} ${role}`,
  },
  {
    id: 'status',
    header: 'answer',
    value: ({ label }) => (label === null ? null : String(label)),
    cell: ({ status, error, label }) =>
      status === 'ok' ? (
        String(label)
      ) : (
        <Status health={status === 'refused' ? 'watch' : 'bad'} word={error ?? status} />
      ),
  },
  {
    id: 'score',
    header: 'score',
    numeric: true,
    value: ({ score }) => score,
    cell: ({ score }) => <span title={exact(score)}>{number(score)}</span>,
  },
  {
    id: 'latency',
    header: 'latency',
    numeric: true,
    value: ({ latencyMs }) => latencyMs,
    cell: ({ latencyMs }) => duration(latencyMs),
  },
  {
    id: 'row',
    header: 'raw row',
    value: ({ features }) => JSON.stringify(features),
    cell: ({ features }) => <code title={JSON.stringify(features, null, 1)}>{JSON.stringify(features)}</code>,
  },
  {
    id: 'why',
    header: '',
    value: () => null,
    cell: ({ id }) => (
      <Link to="/why/$id" params={{ id }}>
        why
      </Link>
    ),
  },
];

function Predictions({ endpoint }: { readonly endpoint: string }) {
  const { data } = useGet('GET /predictions', { query: { endpoint, limit: 100 } as never });
  if (!data) return <Rows />;
  if (data.items.length === 0)
    return <Empty>No prediction is logged yet; ask the endpoint, for instance with the form above.</Empty>;
  return <Table label="Predictions" rows={data.items} columns={PREDICTIONS} rowId={({ id }) => id} height={360} />;
}
