import type { ReactNode } from 'react';
import type { ModelStatus } from '../../domain/model-facts.tsx';
import { placeOfIncident, placeOfModel, placeOfVersion } from '../../domain/places.ts';
import { GoLink } from '../../ui/link.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { DoLink } from './actions/do.tsx';
import classes from './layout.module.css';

interface Notice {
  readonly key: string;
  readonly health: Health;
  readonly word: string;
  readonly says: ReactNode;
  readonly does: ReactNode;
}

/** What holds this model up or waits for somebody, on every tab: each with its sentence and the way to deal with it. */
export function Notices({ model }: { readonly model: ModelStatus }) {
  const notices = noticesOf(model);
  if (notices.length === 0) return null;
  return (
    <ul className={classes['notices']} aria-label="What needs somebody">
      {notices.map(({ key, health, word, says, does }) => (
        <li key={key} className={classes['notice']}>
          <div className={classes['says']}>
            <Status health={health} word={word} />
            <span>{says}</span>
          </div>
          <span className={classes['does']}>{does}</span>
        </li>
      ))}
    </ul>
  );
}

const link = (place: string, word: string): ReactNode => <GoLink to={place}>{word}</GoLink>;

function noticesOf(model: ModelStatus): readonly Notice[] {
  const { name, hold, fallback, waiting, rollout, version, incidents } = model;
  return [
    ...incidents.map(({ number, severity, state, sentence, rehearsal }) => ({
      key: `incident ${number}`,
      health: (severity === 'page' && state === 'open' ? 'bad' : 'watch') as Health,
      word: `incident ${number}${rehearsal === null ? '' : ' REHEARSAL'}`,
      says: sentence,
      does: link(placeOfIncident(number), 'open'),
    })),
    ...waiting.map((waits) => ({
      key: `waiting ${waits}`,
      health: 'watch' as const,
      word: `v${waits} waits for approval`,
      says: 'It is rolled out once somebody approves it.',
      does: link(placeOfVersion(name, waits), 'review'),
    })),
    ...(hold === null
      ? []
      : [
          {
            key: 'hold',
            health: 'watch' as const,
            word: 'HELD',
            says: (
              <>
                {hold.reason}. By {hold.setBy}, <RelativeTime at={hold.setAt} />. No retraining or promotion until
                resume.
              </>
            ),
            does: <DoLink what="resume">resume</DoLink>,
          },
        ]),
    ...(fallback
      ? [
          {
            key: 'fallback',
            health: 'watch' as const,
            word: 'fallback answers',
            says: `Every request to ${model.endpoint} gets the fallback instead of v${version}.`,
            does: <DoLink what="fallback">switch off</DoLink>,
          },
        ]
      : []),
    ...(rollout && rollout.version !== version
      ? [
          {
            key: 'rollout',
            health: (rollout.state === 'paused' ? 'watch' : 'running') as Health,
            word: `v${rollout.version} ${rollout.state}`,
            says: rollout.reason ?? rollout.sentence,
            does: link(placeOfModel(name, 'live'), 'evidence'),
          },
        ]
      : []),
  ];
}
