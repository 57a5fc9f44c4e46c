import { Button, Checkbox } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { addressOf } from '../../../api/client.ts';
import { Refusal } from '../../../ui/confirm.tsx';
import { bytes, number } from '../../../ui/format.ts';
import { Rows } from '../../../ui/states.tsx';
import { LogSearch } from './log-search.tsx';
import { type LogOf, type LogWindow, shownLine } from './log-window.ts';
import classes from './pipeline.module.css';
import { useLog } from './use-log.ts';

const LINE_PX = 18;
const NEAR_PX = 200;

/** A line to look at, by where it begins. */
interface Place {
  readonly offset: number;
  readonly text: string;
}

/** A step's log: its end as it comes, any place of it by scrolling or by search, the whole as a file. */
export function Log(of: LogOf) {
  const log = useLog(of);
  const [found, setFound] = useState<Place>();
  const { window } = log;
  if (!window) return log.error ? <Refusal error={log.error} /> : <Rows count={6} />;
  const goTo = (place: Place): void => {
    setFound(place);
    log.goTo(place.offset);
  };
  return (
    <div className={classes['logFrame']}>
      <div className={classes['tools']}>
        <LogSearch of={of} onFound={goTo} />
        <Checkbox
          size="xs"
          label="Follow"
          checked={log.isFollowing}
          onChange={(event) => log.follow(event.currentTarget.checked)}
        />
        <Button size="compact-xs" variant="default" onClick={() => goTo({ offset: 0, text: '' })}>
          To the beginning
        </Button>
        <a href={fileOf(of)} download>
          Download
        </a>
        <span className="muted">{extentOf(window)}</span>
      </div>
      {log.error !== null && <Refusal error={log.error} />}
      <Lines
        key={`${of.run} ${of.step} ${of.attempt}`}
        label={`Log of ${of.step}`}
        window={window}
        isFollowing={log.isFollowing}
        found={found}
        onTop={log.back}
        onBottom={log.on}
        onFollow={log.follow}
      />
    </div>
  );
}

const fileOf = ({ run, step, attempt }: LogOf): string =>
  addressOf('/pipeline-runs/:id/steps/:step/log/file', { id: run, step }, attempt > 0 ? { attempt } : {});

function extentOf({ start, end, sizeBytes, lines }: LogWindow): string {
  if (sizeBytes === 0) return 'no output yet';
  if (start === 0 && end >= sizeBytes) return `${number(lines.length)} lines, ${bytes(sizeBytes)}`;
  return `${number(lines.length)} lines of ${bytes(sizeBytes)}, from ${bytes(start)} on`;
}

interface LinesProps {
  readonly label: string;
  readonly window: LogWindow;
  readonly isFollowing: boolean;
  readonly found: Place | undefined;
  readonly onTop: () => void;
  readonly onBottom: () => void;
  readonly onFollow: (follows: boolean) => void;
}

function Lines({ label, window, isFollowing, found, onTop, onBottom, onFollow }: LinesProps) {
  const viewport = useRef<HTMLElement>(null);
  const { lines, start } = window;
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  usePlace(viewport, window, isFollowing);
  const marked = found === undefined ? -1 : indexAt(window, found.offset);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a match is gone to once its window is there
  useEffect(() => {
    if (marked >= 0) virtual.scrollToIndex(marked, { align: 'center' });
  }, [found, start, marked]);
  const onScroll = (): void => {
    const box = viewport.current;
    if (!box) return;
    const below = box.scrollHeight - box.scrollTop - box.clientHeight;
    if (box.scrollTop < NEAR_PX) onTop();
    if (below < NEAR_PX) onBottom();
    if (isFollowing && below > NEAR_PX) onFollow(false);
  };
  return (
    <section
      ref={viewport}
      className={classes['log']}
      tabIndex={0}
      aria-label={label}
      onScroll={onScroll}
      data-lines={lines.length}
    >
      {lines.length === 0 && <p className="muted">No output.</p>}
      <div style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map(({ index, start: top }) => (
          <div
            key={index}
            className={classes['line']}
            data-found={(index === marked && found?.text !== '') || undefined}
            style={{ transform: `translateY(${top}px)` }}
          >
            {shownLine(lines[index] ?? '')}
          </div>
        ))}
      </div>
    </section>
  );
}

/** Keeps the end in sight while following, and what is read in its place when lines come before it. */
function usePlace(viewport: React.RefObject<HTMLElement | null>, window: LogWindow, isFollowing: boolean): void {
  const before = useRef(window);
  useLayoutEffect(() => {
    const box = viewport.current;
    const was = before.current;
    before.current = window;
    if (!box) return;
    if (isFollowing) box.scrollTop = box.scrollHeight;
    else if (window.start < was.start && was.start <= window.end && was.lines[0] !== undefined) {
      const added = window.lines.indexOf(was.lines[0], Math.max(0, window.lines.length - was.lines.length - 1));
      if (added > 0) box.scrollTop += added * LINE_PX;
    }
  }, [viewport, window, isFollowing]);
}

/** Which line of the window begins at that byte; -1 where none does. */
function indexAt({ start, end, lines }: LogWindow, offset: number): number {
  if (offset < start || offset >= end) return -1;
  const encoder = new TextEncoder();
  let at = start;
  for (let i = 0; i < lines.length; i++) {
    if (at >= offset) return i;
    at += encoder.encode(lines[i]).length + 1;
  }
  return -1;
}
