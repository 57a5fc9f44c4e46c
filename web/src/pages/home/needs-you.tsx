import type { AnswerOf } from '../../api/routes.ts';
import { Acknowledge, ApprovalSentence, Approve, DecideRollout, Reject } from '../../domain/decisions.tsx';
import { Rerun, Resume } from '../../domain/model-actions.tsx';

import { placeOfIncident, placeOfModel, placeOfRun, placeOfVersion, placeOfWhy } from '../../domain/places.ts';
import { GoLink } from '../../ui/link.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import classes from './home.module.css';

type Need = AnswerOf<'GET /status'>['needsYou'][number];

/** Incidents, approvals, failed runs, paused rollouts and holds: each with its sentence, and what can be done right there. */
export function NeedsYou({ needs }: { readonly needs: readonly Need[] }) {
  return (
    <section className={classes['part']} aria-labelledby="needs-you">
      <h1 id="needs-you" className={classes['title']}>
        Needs you {needs.length > 0 && <span className="muted">{needs.length}</span>}
      </h1>
      {needs.length === 0 ? (
        <p className={classes['calm']}>
          <Status health="good" word="Nothing needs you." />
        </p>
      ) : (
        <ul className={classes['needs']}>
          {needs.map((need) => (
            <li key={need.command} className={classes['need']} data-kind={need.kind}>
              <Told need={need} />
              <span className={classes['actions']}>
                <Actions need={need} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const KINDS: Readonly<Record<Need['kind'], string>> = {
  incident: 'Incident',
  approval: 'Approval',
  run: 'Run',
  rollout: 'Rollout',
  hold: 'Hold',
};

function Told({ need }: { readonly need: Need }) {
  return (
    <div className={classes['told']}>
      <span className={classes['kind']}>
        <Status health={healthOf(need)} word={KINDS[need.kind]} />
        {'rehearsal' in need && need.rehearsal !== null && <strong className={classes['mark']}>REHEARSAL</strong>}
        {need.at !== null && (
          <span className="muted">
            <RelativeTime at={need.at} />
          </span>
        )}
        {'acknowledgedBy' in need && need.acknowledgedBy !== null && (
          <span className="muted">acknowledged by {need.acknowledgedBy}</span>
        )}
      </span>
      <GoLink to={placeOf(need)} className={classes['sentence']}>
        {sentenceOf(need)}
      </GoLink>
      {need.kind === 'approval' && (
        <div className="muted">
          <ApprovalSentence model={need.model} version={need.version} />
        </div>
      )}
    </div>
  );
}

function healthOf(need: Need): Health {
  if (need.kind === 'incident')
    return need.severity === 'page' && need.acknowledgedBy === null && need.rehearsal === null ? 'bad' : 'watch';
  return need.kind === 'run' ? 'bad' : 'watch';
}

/** The kind stands before it already. */
const sentenceOf = ({ sentence }: Need): string => {
  const text = sentence.replace(/^(incident|run) /, '').replace(/ REHEARSAL\./, '');
  return /^\d/.test(text) ? `#${text}` : text;
};

function placeOf(need: Need): string {
  switch (need.kind) {
    case 'incident':
      return placeOfIncident(need.number);
    case 'approval':
      return placeOfVersion(need.model, need.version);
    case 'run':
      return placeOfRun(need.model, need.run);
    case 'rollout':
      return placeOfModel(need.model, 'live');
    case 'hold':
      return placeOfModel(need.model);
  }
}

function Actions({ need }: { readonly need: Need }) {
  switch (need.kind) {
    case 'incident':
      return (
        <>
          {need.acknowledgedBy === null && <Acknowledge number={need.number} primary />}
          <GoLink to={placeOf(need)}>Open</GoLink>
        </>
      );
    case 'approval':
      return (
        <>
          <Approve model={need.model} version={need.version} />
          <Reject model={need.model} version={need.version} />
          <GoLink to={placeOfWhy(`${need.model}@v${need.version}`)}>Why</GoLink>
        </>
      );
    case 'run':
      return (
        <>
          <Rerun pipeline={need.model} draft={need.draft} />
          <GoLink to={placeOfWhy(need.run)}>Why</GoLink>
        </>
      );
    case 'rollout':
      return (
        <>
          <DecideRollout endpoint={need.endpoint} version={need.version} />
          <GoLink to={placeOf(need)}>Evidence</GoLink>
        </>
      );
    case 'hold':
      return <Resume model={need.model} held={need.sentence.replace(`${need.model} is HELD: `, '')} />;
  }
}
