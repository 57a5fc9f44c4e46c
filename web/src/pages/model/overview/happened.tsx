import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { placeOfCommand, placeOfIncident } from '../../../domain/places.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { type Health, Status } from '../../../ui/status.tsx';
import { EventTime, RelativeTime } from '../../../ui/time.tsx';
import classes from './overview.module.css';

const SHOWN = 6;
/** Labels come every day and would push everything else away. */
const SEARCHED = 60;

/** The last incidents and the last lines of the model's timeline. */
export function Happened({ model }: { readonly model: string }) {
  return (
    <div className={classes['lists']}>
      <Incidents model={model} />
      <Activity model={model} />
    </div>
  );
}

type Incident = AnswerOf<'GET /incidents'>['items'][number];

const INCIDENT: Readonly<Record<Incident['state'], Health>> = { open: 'bad', acknowledged: 'watch', resolved: 'good' };

function Incidents({ model }: { readonly model: string }) {
  const { data, error } = useGet('GET /incidents', { query: { model, limit: SHOWN } });
  return (
    <Part title="Incidents">
      {error && !data ? (
        <Failure error={error} />
      ) : !data ? (
        <Rows />
      ) : data.items.length === 0 ? (
        <p className="muted">None so far.</p>
      ) : (
        <ol className={classes['list']}>
          {data.items.map(({ number, state, sentence, rehearsal, openedAt, openedEvent }) => (
            <li key={number}>
              <GoLink to={placeOfIncident(number)} className={classes['says']} title={sentence}>
                {number} {rehearsal !== null && <strong>REHEARSAL </strong>}
                {sentence}
              </GoLink>
              <span>
                <Status health={INCIDENT[state]} word={state} />
              </span>
              <span className="muted">
                {openedEvent ? <EventTime at={openedEvent} /> : <RelativeTime at={openedAt} />}
              </span>
            </li>
          ))}
        </ol>
      )}
    </Part>
  );
}

function Activity({ model }: { readonly model: string }) {
  const { data, error } = useGet('GET /activity', { query: { about: model, limit: SEARCHED } as never });
  const told = data?.items.filter(({ kind }) => kind !== 'label').slice(0, SHOWN) ?? [];
  return (
    <Part title="Activity" tools={<GoLink to={`/activity?q=${encodeURIComponent(model)}`}>all</GoLink>}>
      {error && !data ? (
        <Failure error={error} />
      ) : !data ? (
        <Rows />
      ) : told.length === 0 ? (
        <p className="muted">Nothing happened yet.</p>
      ) : (
        <ol className={classes['list']}>
          {told.map((item) => (
            <ActivityLine key={item.id} item={item} />
          ))}
        </ol>
      )}
    </Part>
  );
}

function ActivityLine({ item }: { readonly item: AnswerOf<'GET /activity'>['items'][number] }) {
  const { kind, sentence, command, subject, at, actor } = item;
  const place = command === null ? undefined : placeOfCommand(command, subject);
  return (
    <li>
      {place ? (
        <GoLink to={place} className={classes['says']} title={sentence}>
          {sentence}
        </GoLink>
      ) : (
        <span className={classes['says']} title={sentence}>
          {sentence}
        </span>
      )}
      <span className="muted">
        <RelativeTime at={at} />
      </span>
      <span className="muted">
        {kind}
        {actor !== 'levain' && `, ${actor}`}
      </span>
    </li>
  );
}
