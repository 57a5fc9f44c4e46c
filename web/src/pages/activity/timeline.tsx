import { Button } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { placeOfCommand } from '../../domain/places.ts';
import { localTime, utcTime } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { EventTime } from '../../ui/time.tsx';
import classes from './activity.module.css';
import type { Line } from './page.tsx';

interface TimelineProps {
  readonly lines: readonly Line[];
  /** Another filter's lines are still shown. */
  readonly isOld: boolean;
  readonly isLoading: boolean;
  /** Brings older lines; undefined where there are none. */
  readonly more: (() => void) | undefined;
}

export function Timeline({ lines, isOld, isLoading, more }: TimelineProps) {
  const days = Map.groupBy(lines, ({ at }) => dayOf(at));
  return (
    <div className={classes['days']} data-old={isOld || undefined}>
      {[...days].map(([day, ofDay]) => (
        <section key={day} className={classes['day']} aria-label={day}>
          <h2>{day}</h2>
          <ol className={classes['lines']}>
            {ofDay.map((line) => (
              <LineItem key={line.id} line={line} />
            ))}
          </ol>
        </section>
      ))}
      <End isLoading={isLoading} more={more} />
    </div>
  );
}

const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

const dayOf = (at: string): string => DAY.format(new Date(at));

function LineItem({ line }: { readonly line: Line }) {
  const { at, eventAt, kind, sentence, command, subject, actor } = line;
  const ms = Date.parse(at);
  const isRehearsal = kind === 'rehearsal' || /^REHEARSAL /.test(sentence);
  const place = command === null ? undefined : placeOfCommand(command, subject);
  const text = sentence.replace(/^REHEARSAL /, '');
  return (
    <li>
      <time className={classes['when']} dateTime={at} title={`${localTime(ms)}\n${utcTime(ms)}`}>
        {TIME.format(ms)}
      </time>
      <span className={classes['kind']}>{kind}</span>
      <span className={classes['what']} title={command ?? undefined}>
        {isRehearsal && <strong className={classes['mark']}>REHEARSAL </strong>}
        {place === undefined ? text : <GoLink to={place}>{text}</GoLink>}
        {eventAt !== null && (
          <span className={classes['event']} title="by the event clock of its endpoint">
            {' '}
            · event <EventTime at={eventAt} />
          </span>
        )}
      </span>
      <span className={classes['who']}>{actor}</span>
    </li>
  );
}

/** Older lines come by themselves when the end is near; the button is for those who do not scroll. */
function End({ isLoading, more }: Pick<TimelineProps, 'isLoading' | 'more'>) {
  const end = useRef<HTMLDivElement>(null);
  const ask = useRef(more);
  ask.current = isLoading ? undefined : more;
  // Watched anew after each page: what is in view already says nothing twice.
  useEffect(() => {
    if (isLoading) return;
    const watch = new IntersectionObserver(([entry]) => entry?.isIntersecting && ask.current?.(), {
      rootMargin: '600px',
    });
    if (end.current) watch.observe(end.current);
    return () => watch.disconnect();
  }, [isLoading]);
  return (
    <div ref={end} className={classes['end']}>
      {more ? (
        <Button size="xs" variant="default" loading={isLoading} onClick={more}>
          Older
        </Button>
      ) : (
        <p className="muted">This is the beginning.</p>
      )}
    </div>
  );
}
