import type { ReactNode } from 'react';
import { Part } from '../../ui/page.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';
import classes from './incident.module.css';
import type { Incident } from './page.tsx';

interface Moment {
  readonly key: string;
  readonly health: Health;
  readonly what: string;
  readonly sentence: ReactNode;
  /** By the model's clock. */
  readonly event: string | null;
  /** By the wall clock, where that is what is known. */
  readonly wall: string | null;
}

/** What happened, the newest first: windows that raised it, decisions about retraining, people. */
export function Timeline({ incident }: { readonly incident: Incident }) {
  return (
    <Part title="What happened">
      <ol className={classes['timeline']}>
        {momentsOf(incident).map(({ key, health, what, sentence, event, wall }) => (
          <li key={key}>
            <span className={classes['when']}>{event ? <EventTime at={event} /> : <RelativeTime at={wall} />}</span>
            <Status health={health} word={what} />
            <span className={classes['told']}>{sentence}</span>
          </li>
        ))}
      </ol>
    </Part>
  );
}

function momentsOf(incident: Incident): readonly Moment[] {
  const { alerts, actions, acknowledgedBy, acknowledgedAt, resolvedBy, resolvedAt, resolvedEvent } = incident;
  const told: Moment[] = [
    ...alerts.map(
      ({ rule, window, sentence, inhibited }): Moment => ({
        key: `${rule}${window}`,
        health: inhibited ? 'unknown' : 'bad',
        what: 'window',
        sentence: inhibited ? `${sentence} (follows from the broken data, so it raises nothing itself)` : sentence,
        event: window,
        wall: null,
      }),
    ),
    ...actions.map(
      ({ at, eventAt, decision, why, guard }): Moment => ({
        key: `${at}${guard ?? ''}`,
        health: decision === 'fired' ? 'running' : 'watch',
        what: decision === 'fired' ? 'retraining' : 'held back',
        sentence: `retraining ${decision === 'fired' ? 'started' : 'was held back'}: ${why}`,
        event: eventAt,
        wall: at,
      }),
    ),
    {
      key: 'opened',
      health: 'bad',
      what: 'opened',
      sentence: `opened as a ${incident.severity}`,
      event: incident.openedEvent,
      wall: incident.openedAt,
    },
  ];
  // By event time, and then people, whose clock is another one: they come after what they answered.
  const ordered = told.sort((a, b) => (a.event ?? '').localeCompare(b.event ?? '') || (a.key === 'opened' ? 1 : -1));
  const people: Moment[] = [];
  if (acknowledgedBy !== null)
    people.push({
      key: 'acknowledged',
      health: 'watch',
      what: 'acknowledged',
      sentence: `by ${acknowledgedBy}`,
      event: null,
      wall: acknowledgedAt,
    });
  if (incident.state === 'resolved')
    people.push({
      key: 'resolved',
      health: 'good',
      what: 'resolved',
      sentence: `by ${resolvedBy}: ${incident.resolution}`,
      event: resolvedEvent,
      wall: resolvedAt,
    });
  return [...ordered, ...people].reverse();
}
