import { CloseButton } from '@mantine/core';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { healthOf } from '../../../domain/lights.tsx';
import { Chart } from '../../../ui/chart.tsx';
import { Facts } from '../../../ui/facts.tsx';
import { count, duration, MISSING, number, percent, pValue } from '../../../ui/format.ts';
import { Failure, Rows } from '../../../ui/states.tsx';
import { Status } from '../../../ui/status.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { useView } from '../../../ui/view-state.ts';
import classes from './monitor.module.css';
import { dayOf, inSeconds, SYNC } from './state.ts';

type Rule = AnswerOf<'GET /models/:model/monitor/rules/:rule'>;
type Window = Rule['windows'][number];

const P_RULES = new Set(['performance.loss', 'performance.calibration']);
const SHARES = new Set(['service.errors', 'data.refused', 'data.types', 'data.nulls', 'data.range', 'data.unseen']);

/** A rule's number in its own unit. */
export function showRule(rule: string, value: number | null, isThreshold = false): string {
  if (value === null) return MISSING;
  if (P_RULES.has(rule) && isThreshold) return `p < ${pValue(value)}`;
  if (SHARES.has(rule) || rule === 'performance.calibration') return percent(value);
  if (rule === 'service.latency') return duration(value);
  if (rule === 'performance.coverage') return `${number(value)} days`;
  if (rule === 'performance.jump') return count(value);
  if (rule === 'data.units') return `×${number(value)}`;
  return number(value);
}

/** What a rule looks at, what it allows of the false alarms, and all its windows with what they were decided by. */
export function RulePanel({
  model,
  rule,
  days,
}: {
  readonly model: string;
  readonly rule: string;
  readonly days: number;
}) {
  const { data, error } = useGet('GET /models/:model/monitor/rules/:rule', {
    params: { model, rule },
    query: { days },
  });
  const [, change] = useView();
  return (
    <section className={classes['rule']} aria-label={`Rule ${rule}`}>
      <header className={classes['bar']} style={{ justifyContent: 'space-between' }}>
        <h3>{rule}</h3>
        <CloseButton size="sm" aria-label="Close the rule" onClick={() => change({ rule: undefined })} />
      </header>
      {error && !data ? <Failure error={error} /> : data?.rule === rule ? <Told rule={data} /> : <Rows count={4} />}
    </section>
  );
}

function Told({ rule }: { readonly rule: Rule }) {
  const last = rule.windows.at(-1);
  const { count: all, perDays, ofRule } = rule.falseAlarms;
  return (
    <>
      <p>{rule.meaning}</p>
      <Facts
        facts={[
          ['observed', last ? `${showRule(rule.rule, last.value)} (${rule.value ?? 'no number'})` : MISSING],
          ['threshold', last ? `${showRule(rule.rule, last.threshold, true)} (${rule.threshold ?? 'none'})` : MISSING],
          ['window', last ? `${dayOf(last.start)}, v${last.version ?? MISSING}, ${count(last.n)} judged` : MISSING],
          [
            'false alarms',
            ofRule === null
              ? 'a plain limit: it takes nothing of the budget'
              : `${number(ofRule)} of ${all} in ${perDays} days${rule.persistent ? '; it alarms only when two of three windows exceed' : ''}`,
          ],
          ...(last ? [['decided by', <Decided key="d" details={last.details} />] as const] : []),
        ]}
      />
      <RuleChart rule={rule} />
      <Table
        label={`Windows of ${rule.rule}`}
        rows={[...rule.windows].reverse()}
        columns={columnsOf(rule.rule)}
        rowId={({ start, version }) => `${start} v${version}`}
        height={280}
      />
    </>
  );
}

/** What the rule computed beside its value, as it computed it. */
function Decided({ details }: { readonly details: Window['details'] }) {
  const shown = Object.entries(details).filter(([, value]) => ['number', 'string', 'boolean'].includes(typeof value));
  if (shown.length === 0) return <>{MISSING}</>;
  return (
    <>
      {shown.map(([name, value]) => `${name} ${typeof value === 'number' ? number(value) : String(value)}`).join(' · ')}
    </>
  );
}

/** Value and threshold by window; where they are not of one kind, the value alone. */
function RuleChart({ rule }: { readonly rule: Rule }) {
  const windows = [...new Map(rule.windows.map((window) => [window.start, window])).values()];
  if (windows.every(({ value }) => value === null)) return null;
  return (
    <Chart
      title={`${rule.value ?? rule.rule} by window${rule.comparable ? ', against its threshold' : ''}`}
      x={windows.map(({ start }) => inSeconds(start))}
      time
      syncKey={SYNC}
      height={180}
      yLabel={rule.unit}
      format={(value) => showRule(rule.rule, value)}
      series={[
        { label: 'observed', values: windows.map(({ value }) => value), colour: '--champion' },
        ...(rule.comparable
          ? [{ label: 'threshold', values: windows.map(({ threshold }) => threshold), colour: '--bad', dashed: true }]
          : []),
      ]}
      marks={windows
        .filter(({ state }) => state === 'red' || state === 'amber')
        .map(({ start, state }) => ({
          x: inSeconds(start),
          label: state === 'red' ? 'bad' : 'watch',
          colour: state === 'red' ? '--bad' : '--watch',
        }))}
    />
  );
}

const columnsOf = (rule: string): readonly Column<Window>[] => [
  { id: 'window', header: 'window', value: ({ start }) => dayOf(start) },
  { id: 'version', header: 'version', value: ({ version }) => (version === null ? null : `v${version}`) },
  {
    id: 'state',
    header: 'state',
    value: ({ state }) => state,
    cell: ({ state, exceeds }) => (
      <Status
        health={healthOf(state)}
        word={
          state === 'green' && exceeds
            ? 'beyond it, alone'
            : { green: 'good', amber: 'watch', red: 'bad', grey: 'unknown' }[state]
        }
      />
    ),
  },
  {
    id: 'value',
    header: 'observed',
    numeric: true,
    value: ({ value }) => value,
    cell: ({ value }) => showRule(rule, value),
  },
  {
    id: 'threshold',
    header: 'threshold',
    numeric: true,
    value: ({ threshold }) => threshold,
    cell: ({ threshold }) => showRule(rule, threshold, true),
  },
  { id: 'n', header: 'n', numeric: true, value: ({ n }) => n, cell: ({ n }) => count(n) },
  {
    id: 'sentence',
    header: 'what it found',
    value: ({ sentence }) => sentence,
    cell: ({ sentence }) => <span title={sentence}>{sentence}</span>,
  },
];
