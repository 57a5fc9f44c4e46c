import { useGet } from '../../../api/queries.ts';
import { placeOfVersion, placeOfWhy } from '../../../domain/places.ts';
import { duration, exact, MISSING, number, percent } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { type Health, Status } from '../../../ui/status.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { EventTime, RelativeTime, useNow } from '../../../ui/time.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import classes from './live.module.css';
import { RolloutControl } from './rollout-control.tsx';
import { RolloutEvidence } from './rollout-evidence.tsx';
import {
  type History,
  isFinished,
  type Rollout as RolloutView,
  shareWords,
  stepsOf,
  type Transition,
} from './rollout-steps.ts';

const REFRESH_MS = 10_000;

const HEALTH: Readonly<Record<RolloutView['state'], Health>> = {
  preflight: 'running',
  shadow: 'running',
  canary: 'running',
  promoting: 'running',
  baking: 'running',
  aborting: 'bad',
  paused: 'watch',
  done: 'good',
  aborted: 'bad',
};

/** The rollout under way, else the last one or the one that the address names: its steps, evidence, story, and those before it. */
export function Rollout({ endpoint }: { readonly endpoint: string }) {
  const [chosen] = useViewState('rollout');
  const query = chosen === '' ? {} : { id: chosen };
  const { data, error, refetch } = useGet(
    'GET /endpoints/:name/rollout',
    { params: { name: endpoint }, query },
    { refetchInterval: REFRESH_MS },
  );
  if (!data && error?.status === 404 && chosen === '') return null;
  if (!data) return error ? <Failure error={error} retry={() => void refetch()} /> : <Rows count={6} />;
  const { rollout } = data;
  // One that is over is told shortly, unless it is what was asked for.
  const isOpen = chosen !== '' || !isFinished(rollout);
  return (
    <Part
      title={`Rollout of v${rollout.version}`}
      tools={
        <span className={classes['tools']}>
          <RolloutControl rollout={rollout} />
        </span>
      }
    >
      <p className={classes['sentence']}>
        <Status health={HEALTH[rollout.state]} word={rollout.state} />{' '}
        {rollout.rehearsal !== null && <strong>REHEARSAL </strong>}
        {rollout.sentence}
        {rollout.reason && rollout.reason !== rollout.sentence && <> — {rollout.reason}</>}
      </p>
      <Steps history={data} />
      <Need history={data} />
      <About rollout={rollout} />
      <details className={classes['more']} open={isOpen}>
        <summary>Evidence, what happened, and all rollouts</summary>
        <div className={classes['panel']}>
          <RolloutEvidence history={data} />
          <Table
            label="What happened in the rollout"
            rows={data.transitions}
            columns={TRANSITIONS}
            rowId={({ revision }) => String(revision)}
            height={320}
          />
          <Before endpoint={endpoint} shown={rollout.id} />
        </div>
      </details>
    </Part>
  );
}

function Steps({ history }: { readonly history: History }) {
  const now = useNow();
  return (
    <ol className={classes['steps']} aria-label="Steps of the rollout" tabIndex={0}>
      {stepsOf(history, now).map(({ key, title, is, tookMs }) => (
        <li key={key} data-is={is} {...((is === 'now' || is === 'paused') && { 'aria-current': 'step' as const })}>
          <strong>{title}</strong>
          <span className="muted">
            {is === 'ahead' ? 'ahead' : is}
            {tookMs !== null && is !== 'skipped' && `, ${duration(tookMs)}`}
          </span>
        </li>
      ))}
    </ol>
  );
}

/** How much of the evidence that the step needs is there, and until when it is waited for. */
function Need({ history: { need, rollout } }: { readonly history: History }) {
  if (!need) return null;
  const { deadline, eventClock } = rollout;
  const left = deadline !== null && eventClock !== null ? Date.parse(deadline) - Date.parse(eventClock) : null;
  const words = `${number(need.have)} of about ${number(need.needed)} requests needed to go on`;
  return (
    <div className={classes['need']}>
      <progress max={need.needed} value={Math.min(need.have, need.needed)} aria-label={words} />
      <span>
        {words}
        {left !== null &&
          `; ${left > 0 ? `${duration(left)} of event time remain, then it pauses` : 'its time is over'}`}
      </span>
    </div>
  );
}

function About({ rollout }: { readonly rollout: RolloutView }) {
  const { model, version, fromVersion, plan, deadline } = rollout;
  return (
    <p className={`${classes['text']} muted`}>
      <GoLink to={placeOfVersion(model, version)}>v{version}</GoLink> against{' '}
      {fromVersion === null ? (
        'nothing: the first'
      ) : (
        <GoLink to={placeOfVersion(model, fromVersion)}>v{fromVersion}</GoLink>
      )}
      , {plan.strategy.replace('_', '/')}, asked for by {rollout.requestedBy} <RelativeTime at={rollout.startedAt} />
      {!isFinished(rollout) && deadline !== null && (
        <>
          , evidence until <EventTime at={deadline} /> of event time
        </>
      )}
      {!isFinished(rollout) && `, ${shareWords(rollout.weight)} of the traffic now`}.{' '}
      <GoLink to={placeOfWhy(rollout.id)}>Why</GoLink>
    </p>
  );
}

const TRANSITIONS: readonly Column<Transition>[] = [
  {
    id: 'event',
    header: 'event time',
    value: ({ eventAt, at }) => eventAt ?? at,
    cell: ({ eventAt }) => <EventTime at={eventAt} />,
  },
  { id: 'at', header: 'when', value: ({ at }) => at, cell: ({ at }) => <RelativeTime at={at} /> },
  { id: 'to', header: 'state', value: ({ to }) => to },
  {
    id: 'share',
    header: 'share',
    numeric: true,
    value: ({ weight }) => weight,
    cell: ({ weight }) => shareWords(weight),
  },
  {
    id: 'units',
    header: 'units seen',
    title: 'Requests or entities that the new version answered or scored until then',
    numeric: true,
    value: ({ evidence }) => evidence?.harm.units,
    cell: ({ evidence }) => number(evidence?.harm.units),
  },
  {
    id: 'harm',
    header: 'harm at most',
    title: "Upper bound of its failures above the champion's",
    numeric: true,
    value: ({ evidence }) => evidence?.harm.above,
    cell: ({ evidence }) => (
      <span title={exact(evidence?.harm.above)}>{evidence ? percent(Math.max(0, evidence.harm.above)) : MISSING}</span>
    ),
  },
  {
    id: 'sentence',
    header: 'what happened, and what was seen',
    value: ({ sentence }) => sentence,
    cell: ({ sentence }) => <span title={sentence}>{sentence}</span>,
  },
];

const MOST_BEFORE = 100;

/** Every rollout of the endpoint, the newest first; a row shows its evidence above. */
function Before({ endpoint, shown }: { readonly endpoint: string; readonly shown: string }) {
  const [, choose] = useViewState('rollout');
  const { data } = useGet('GET /endpoints/:name/rollouts', {
    params: { name: endpoint },
    query: { limit: MOST_BEFORE },
  });
  if (!data || data.items.length < 2) return null;
  return (
    <>
      <h3>All rollouts</h3>
      <Table
        label="All rollouts"
        rows={data.items}
        columns={ROLLOUTS}
        rowId={({ id }) => id}
        selected={new Set([shown])}
        onOpen={({ id }) => choose(id === data.items[0]?.id ? undefined : id)}
        height={260}
      />
    </>
  );
}

type Listed = Omit<RolloutView, 'evidence'>;

const ROLLOUTS: readonly Column<Listed>[] = [
  { id: 'version', header: 'version', value: ({ version }) => `v${version}` },
  {
    id: 'from',
    header: 'against',
    value: ({ fromVersion }) => (fromVersion === null ? 'nothing' : `v${fromVersion}`),
  },
  {
    id: 'state',
    header: 'state',
    value: ({ state }) => state,
    cell: ({ state, rehearsal }) => (
      <>
        <Status health={HEALTH[state]} word={state} /> {rehearsal !== null && <strong>REHEARSAL</strong>}
      </>
    ),
  },
  {
    id: 'started',
    header: 'started',
    value: ({ startedAt }) => startedAt,
    cell: ({ startedAt }) => <RelativeTime at={startedAt} />,
  },
  {
    id: 'took',
    header: 'took',
    numeric: true,
    value: (rollout) => tookMs(rollout),
    cell: (rollout) => duration(tookMs(rollout)),
  },
  { id: 'by', header: 'asked for by', value: ({ requestedBy }) => requestedBy },
  {
    id: 'end',
    header: 'what came of it',
    value: ({ sentence, reason }) => reason ?? sentence,
    cell: ({ sentence, reason }) => <span title={reason ?? sentence}>{reason ?? sentence}</span>,
  },
];

const tookMs = ({ startedAt, finishedAt }: Listed): number | null =>
  finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt);
