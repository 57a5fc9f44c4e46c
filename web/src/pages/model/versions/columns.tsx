import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { count, delta, exact, number, signed } from '../../../ui/format.ts';
import { IntervalBar } from '../../../ui/interval-plot.tsx';
import { Status } from '../../../ui/status.tsx';
import type { Column } from '../../../ui/table.tsx';
import { RelativeTime } from '../../../ui/time.tsx';
import { gateHealth, metricWords, stageOf, type Version, verdictsOf } from './verdict.ts';
import classes from './versions.module.css';

interface Around {
  readonly model: ModelStatus | undefined;
  readonly previous: number | null | undefined;
  /** The greatest distance from zero of any interval: all bars share their scale. */
  readonly reach: number;
  /** The metric of all gates; null where they differ. */
  readonly metric: string | null;
}

export const reachOf = (versions: readonly Version[]): number =>
  Math.max(
    1e-12,
    ...versions.flatMap(({ gate }) =>
      gate?.difference ? [Math.abs(gate.difference.low), Math.abs(gate.difference.high)] : [],
    ),
  );

export function metricOf(versions: readonly Version[]): string | null {
  const metrics = new Set(versions.flatMap(({ gate }) => (gate ? [metricWords(gate)] : [])));
  return metrics.size === 1 ? [...metrics][0]! : null;
}

/** One row a version: verdict, stage, its metric against the champion of then with the paired difference, what it was made of. */
export const versionColumns = ({ model, previous, reach, metric }: Around): readonly Column<Version>[] => [
  { id: 'version', header: 'version', value: ({ version }) => version, cell: ({ version }) => `v${version}` },
  {
    id: 'verdict',
    header: 'verdict',
    title: 'signature, parity, gate, approval',
    value: verdictWord,
    cell: (version) => <Verdicts version={version} />,
  },
  {
    id: 'stage',
    header: 'stage',
    value: (version) => stageOf(version, model, previous).join(', ') || null,
    cell: (version) => stageOf(version, model, previous).join(' · ') || '—',
  },
  {
    id: 'value',
    header: metric ?? 'gate',
    title: 'what the gate measured, on its rows',
    numeric: true,
    value: ({ gate }) => gate?.challenger,
    cell: ({ gate }) => (
      <span title={exact(gate?.challenger)}>
        {metric === null && gate && <span className="muted">{metricWords(gate)} </span>}
        {number(gate?.challenger)}
      </span>
    ),
  },
  {
    id: 'against',
    header: 'against',
    title: 'the champion of then, on the same rows',
    numeric: true,
    value: ({ gate }) => gate?.champion,
    cell: ({ gate }) => (
      <span title={exact(gate?.champion)}>
        {number(gate?.champion)}
        {gate?.champion != null && (
          <span className="muted"> {gate.championVersion === null ? 'base rate' : `v${gate.championVersion}`}</span>
        )}
      </span>
    ),
  },
  {
    id: 'difference',
    header: 'paired difference',
    title: 'positive is better; with its 95 % interval',
    value: ({ gate }) => gate?.difference?.mean,
    cell: ({ gate }) => <Difference gate={gate} reach={reach} />,
  },
  {
    id: 'flips',
    header: 'decisions change',
    numeric: true,
    value: ({ gate }) => gate?.flips,
    cell: ({ gate }) => (
      <span title={gate?.flips == null ? undefined : `of ${count(gate.rows)} rows of the gate`}>
        {count(gate?.flips)}
      </span>
    ),
  },
  {
    id: 'data',
    header: 'data',
    value: ({ data }) => data.map(({ dataset, version: n }) => `${dataset} v${n}`).join(', ') || null,
  },
  {
    id: 'rows',
    header: 'training rows',
    numeric: true,
    value: ({ trainingRows }) => trainingRows,
    cell: ({ trainingRows }) => <span title={exact(trainingRows)}>{count(trainingRows)}</span>,
  },
  {
    id: 'made',
    header: 'made',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
];

const short = (value: number): string => number(value, 2);

function Verdicts({ version }: { readonly version: Version }) {
  return (
    <span className={classes['verdicts']}>
      {verdictsOf(version).map(({ name, health, word, says }) => (
        <Status key={name} health={health} word={`${name}: ${word}`} iconOnly title={`${name}: ${word}. ${says}`} />
      ))}
      <span>{verdictWord(version)}</span>
    </span>
  );
}

/** What it came to: the approval where somebody or something decided, else the gate. */
function verdictWord({ approval, gate }: Version): string {
  if (approval === 'waiting') return 'waits for approval';
  if (approval !== 'not_needed') return approval;
  return gate ? gate.outcome.replace('_', ' ') : '—';
}

function Difference({ gate, reach }: { readonly gate: Version['gate']; readonly reach: number }) {
  if (!gate?.difference) return '—';
  const { mean, low, high } = gate.difference;
  const words = `${delta(mean, metricWords(gate), 'higher')} [${signed(low)}, ${signed(high)}]`;
  const health = gateHealth(gate.outcome);
  return (
    <span className={classes['difference']} title={words}>
      <IntervalBar label={words} value={mean} low={low} high={high} reach={reach} colour={`--${health}`} />
      <span className="num">
        {signed(mean)}{' '}
        <span className="muted">
          [{signed(low, short)}, {signed(high, short)}]
        </span>
      </span>
    </span>
  );
}
