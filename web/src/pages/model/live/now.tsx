import { Code } from '@mantine/core';
import type { AnswerOf } from '../../../api/routes.ts';
import { Fallback } from '../../../domain/fallback.tsx';
import { Resume } from '../../../domain/model-actions.tsx';
import { placeOfVersion } from '../../../domain/places.ts';
import { Facts } from '../../../ui/facts.tsx';
import { duration, percent } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { EventTime } from '../../../ui/time.tsx';
import type { ModelStatus } from '../layout.tsx';
import classes from './live.module.css';
import { colourOf } from './versions.ts';

type Endpoint = AnswerOf<'GET /endpoints/:name'>;

/** Who answers with which share, where, by which clock; and what stands in for the model or holds it. */
export function Now({ model, endpoint }: { readonly model: ModelStatus; readonly endpoint: Endpoint }) {
  const url = endpoint.urls[0];
  return (
    <>
      {endpoint.fallback.active && (
        <div className={classes['notice']} role="status">
          <span>
            <strong>FALLBACK</strong> answers every request, not the model, until it is switched off.
          </span>
          <Fallback endpoint={endpoint.name} />
        </div>
      )}
      {model.held !== null && (
        <div className={classes['notice']} role="status">
          <span>
            <strong>HELD</strong>: {model.held}. No retraining and no promotion until it is resumed.
          </span>
          <Resume model={model.name} held={model.held} primary={false} />
        </div>
      )}
      <section className={classes['now']} aria-label="What answers now">
        <div>
          <Arms model={model} />
          {!endpoint.fallback.active && <Fallback endpoint={endpoint.name} />}
        </div>
        <Facts
          facts={[
            ['endpoint', endpoint.name],
            ['address', url ? <Code key="u">{`${url}/v2/models/${endpoint.name}/infer`}</Code> : 'no gateway answers'],
            ['stands by', endpoint.previous === null ? '—' : `v${endpoint.previous}, warm`],
          ]}
        />
        <Facts
          facts={[
            ['event time', clockWords(endpoint)],
            ['event clock', <EventTime key="c" at={endpoint.eventClock} />],
            ['unit', endpoint.entity ?? 'the request: no entity is named'],
          ]}
        />
      </section>
    </>
  );
}

const clockWords = ({ eventTime, latenessMs }: Endpoint): string =>
  eventTime === 'client'
    ? `callers date their requests; up to ${duration(latenessMs)} late`
    : "the server's clock dates requests";

function Arms({ model }: { readonly model: ModelStatus }) {
  if (model.live.length === 0) return <p className="muted">No version answers.</p>;
  return (
    <ul className={classes['arms']} aria-label="Shares of the traffic">
      {model.live.map(({ version, share }) => (
        <li key={version}>
          <span>
            <GoLink to={placeOfVersion(model.name, version)}>v{version}</GoLink>{' '}
            <span className="muted">{version === model.version ? 'champion' : 'challenger'}</span>
          </span>
          <span className={classes['shareTrack']}>
            <span style={{ width: `${share * 100}%`, background: `var(${colourOf(model, version)})` }} />
          </span>
          <span className="num">{percent(share)}</span>
        </li>
      ))}
    </ul>
  );
}
