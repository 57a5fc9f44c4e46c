import { useParams } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { placeOfModel, placeOfVersion, placeOfWhy } from '../../domain/places.ts';
import { Facts } from '../../ui/facts.tsx';
import { duration, exact, number } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { Page, Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';
import { WhatYouCanDo } from './actions.tsx';
import { Affected } from './affected.tsx';
import { Evidence } from './evidence.tsx';
import classes from './incident.module.css';
import { Timeline } from './timeline.tsx';

export type Incident = AnswerOf<'GET /incidents/:number'>;

/** One cause, one page: the verdict, what can be done, what it stands on, which predictions it concerns, and what happened. */
export default function IncidentPage() {
  const { number: id } = useParams({ strict: false }) as { number: string };
  const { data, error, refetch } = useGet('GET /incidents/:number', { params: { number: id } });
  if (!data)
    return (
      <Page title={`Incident ${id}`}>
        {error ? <Failure error={error} retry={() => void refetch()} /> : <Rows count={10} />}
      </Page>
    );
  return (
    <Page title={`Incident ${data.number}`} status={<Standing incident={data} />}>
      <div className={classes['layout']}>
        <Verdict incident={data} />
        <aside className={classes['aside']}>
          <WhatYouCanDo incident={data} />
          <Part title="Facts">
            <Facts facts={factsOf(data)} />
          </Part>
        </aside>
        <div className={classes['main']}>
          <Evidence incident={data} />
          <Affected incident={data} />
          <Timeline incident={data} />
        </div>
      </div>
    </Page>
  );
}

const HEALTH = { open: 'bad', acknowledged: 'watch', resolved: 'good' } as const;

function Standing({ incident }: { readonly incident: Incident }) {
  const { state, rehearsal, model, severity, light } = incident;
  return (
    <>
      <Status health={HEALTH[state]} word={state} />
      {rehearsal !== null && (
        <GoLink to={placeOfWhy(rehearsal)} className={classes['rehearsal']} title="Rehearsed, not real: what happened">
          REHEARSAL
        </GoLink>
      )}
      <span>
        {light} of{' '}
        <GoLink to={placeOfModel(model, 'monitor')} className={classes['inline']}>
          {model}
        </GoLink>
      </span>
      <span title={severity === 'page' ? 'somebody is called at once' : 'waits for working hours'}>{severity}</span>
    </>
  );
}

/** The lines that a page carries, without its commands: those are buttons here. */
function Verdict({ incident }: { readonly incident: Incident }) {
  const [first = '', ...rest] = incident.verdict.split('\n');
  const sentence = first.replace(' REHEARSAL.', '');
  // Whether a rollback helps is a question of its own.
  const told = rest.filter((line) => !line.startsWith('Safe: ')).flatMap((line) => line.split(/ (?=Rollback[ :])/));
  return (
    <section className={classes['verdict']} data-state={incident.state} aria-label="Verdict">
      <p className={classes['sentence']}>{sentence}</p>
      {told.map((line) => (
        <p key={line}>{line}</p>
      ))}
      {incident.state === 'resolved' && (
        <p className={classes['resolution']}>
          <Status health="good" word="Resolved" /> by {incident.resolvedBy}: {incident.resolution}
        </p>
      )}
    </section>
  );
}

function factsOf(incident: Incident) {
  const { details, version, openedAt, resolvedAt, acknowledgedBy } = incident;
  const lasted = resolvedAt === null ? null : Date.parse(resolvedAt) - Date.parse(openedAt);
  return [
    ['since', <EventTime key="since" at={incident.since} />],
    ['opened', <RelativeTime key="opened" at={openedAt} />],
    [
      'version',
      version === null ? (
        '—'
      ) : (
        <GoLink key="v" to={placeOfVersion(incident.model, version)}>
          v{version}
        </GoLink>
      ),
    ],
    [
      'predictions',
      <span key="n" title={exact(details.affected)}>
        {number(details.affected)} when it opened
      </span>,
    ],
    [
      'acknowledged',
      acknowledgedBy === null ? (
        '—'
      ) : (
        <span key="a">
          {acknowledgedBy} <RelativeTime at={incident.acknowledgedAt} />
        </span>
      ),
    ],
    [
      'resolved',
      resolvedAt === null ? (
        '—'
      ) : (
        <span key="r">
          <RelativeTime at={resolvedAt} />, after {duration(lasted)}
        </span>
      ),
    ],
  ] as const;
}
