import { Button, TextInput } from '@mantine/core';
import { useView } from '../../../ui/view-state.ts';
import classes from './monitor.module.css';
import { addDays, type DaySpan, daysIn } from './state.ts';

interface Props {
  readonly span: DaySpan;
  /** Whether the address names it; else it is the usual one. */
  readonly isChosen: boolean;
  readonly then?: DaySpan | undefined;
}

/** The days that are looked at, and those that they are compared with; both stand in the address. */
export function SpanFields({ span, isChosen, then }: Props) {
  const [, change] = useView();
  const before = { from: addDays(span.from, -daysIn(span)), to: addDays(span.from, -1) };
  return (
    <div className={classes['fields']}>
      <Day label="From" value={span.from} onDay={(from) => change({ from, to: later(from, span.to) })} />
      <Day label="To" value={span.to} onDay={(to) => change({ from: earlier(to, span.from), to })} />
      {isChosen && (
        <Button size="xs" variant="default" onClick={() => change({ from: undefined, to: undefined })}>
          Last 7 days
        </Button>
      )}
      {then ? (
        <>
          <Day
            label="Compared from"
            value={then.from}
            onDay={(from) => change({ thenFrom: from, thenTo: later(from, then.to) })}
          />
          <Day
            label="Compared to"
            value={then.to}
            onDay={(to) => change({ thenFrom: earlier(to, then.from), thenTo: to })}
          />
          <Button size="xs" variant="default" onClick={() => change({ thenFrom: undefined, thenTo: undefined })}>
            Compare with nothing
          </Button>
        </>
      ) : (
        <Button
          size="xs"
          variant="default"
          onClick={() => change({ from: span.from, to: span.to, thenFrom: before.from, thenTo: before.to })}
        >
          Compare with the {daysIn(span) === 1 ? 'day' : `${daysIn(span)} days`} before
        </Button>
      )}
    </div>
  );
}

function Day({
  label,
  value,
  onDay,
}: {
  readonly label: string;
  readonly value: string;
  readonly onDay: (day: string) => void;
}) {
  return (
    <TextInput
      type="date"
      size="xs"
      label={label}
      value={value}
      onChange={({ currentTarget }) => currentTarget.value && onDay(currentTarget.value)}
    />
  );
}

/** Days as texts sort as days. */
const earlier = (a: string, b: string): string => [a, b].sort()[0]!;
const later = (a: string, b: string): string => [a, b].sort()[1]!;
