import type { ReactNode } from 'react';
import { useGet } from '../../api/queries.ts';
import { Acknowledge, Resolve } from '../../domain/decisions.tsx';
import { Fallback } from '../../domain/fallback.tsx';
import { Resume, Retrain, RollBack } from '../../domain/model-actions.tsx';
import type { ModelStatus } from '../../domain/model-facts.tsx';
import { Part } from '../../ui/page.tsx';
import classes from './incident.module.css';
import type { Incident } from './page.tsx';

/** Every action beside the sentence that says whether it helps here. What the model is like now decides which there are. */
export function WhatYouCanDo({ incident }: { readonly incident: Incident }) {
  const status = useGet('GET /status');
  const model = status.data?.models.find(
    ({ name, endpoint }) => name === incident.model && endpoint === incident.endpoint,
  );
  const isOver = incident.state === 'resolved';
  const isCalm = isOver && !model?.hold && !model?.fallback;
  return (
    <Part title="What you can do">
      {isCalm && <p className="muted">It is over; nothing is left to do.</p>}
      <ul className={classes['actions']} hidden={isCalm}>
        {incident.state === 'open' && (
          <Way action={<Acknowledge number={incident.number} primary />}>Say that you look at it.</Way>
        )}
        {model?.hold && (
          <Way action={<Resume model={model.name} held={model.hold.reason} primary={false} />}>
            {model.name} is HELD: {model.hold.reason}.
          </Way>
        )}
        {(model?.fallback || (!isOver && model)) && (
          <Way action={<Fallback endpoint={incident.endpoint} />}>{fallbackWords(model)}</Way>
        )}
        {!isOver && <OfOpen incident={incident} model={model} />}
        <Way action={<Resolve number={incident.number} overtaken={overtakenWords(incident)} />} hidden={isOver}>
          Close it with a note. It also ends by itself once windows are as usual.
        </Way>
      </ul>
    </Part>
  );
}

/** The dialog may be open on this page while somebody else resolves it. */
const overtakenWords = ({ state, resolvedBy, resolution }: Incident): string | undefined =>
  state === 'resolved' ? `Nothing is left to resolve: ${resolvedBy} resolved it meanwhile (${resolution}).` : undefined;

function OfOpen({ incident, model }: { readonly incident: Incident; readonly model: ModelStatus | undefined }) {
  const held = incident.actions.find(({ decision }) => decision === 'refused');
  return (
    <>
      {model && incident.cause !== 'labels' && incident.cause !== 'rolled_back' && (
        <Way action={<RollBack endpoint={incident.endpoint} />}>
          {incident.details.rollback?.sentence ?? 'The version before answers again.'}
        </Way>
      )}
      {model && incident.cause !== 'labels' && (
        <Way action={<Retrain pipeline={incident.model} />}>
          {incident.cause === 'broken'
            ? 'Broken rows are nothing to train on: mend the data first.'
            : (held && `By itself it is held back: ${held.why}.`) || 'On the newest data; the gate decides.'}
        </Way>
      )}
    </>
  );
}

const fallbackWords = (model: ModelStatus | undefined): string =>
  model?.fallback
    ? 'The fallback answers every request now; the model answers again once it is off.'
    : 'A constant answers instead of the model, until it is switched off.';

interface WayProps {
  readonly action: ReactNode;
  readonly hidden?: boolean;
  readonly children: ReactNode;
}

function Way({ action, hidden = false, children }: WayProps) {
  return (
    <li className={classes['way']} hidden={hidden}>
      {action}
      <span>{children}</span>
    </li>
  );
}
