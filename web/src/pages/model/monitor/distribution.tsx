import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { Figure } from '../../../ui/figure.tsx';
import { count, number, percent, pValue } from '../../../ui/format.ts';
import { CategoryBars, Histogram, type HistogramBin } from '../../../ui/histogram.tsx';
import { Part } from '../../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../../ui/states.tsx';
import { useView } from '../../../ui/view-state.ts';
import classes from './monitor.module.css';
import { SpanFields } from './span-fields.tsx';
import { type DaySpan, type Monitor, spanWords, useChosenSpan, usualSpan } from './state.ts';

type View = AnswerOf<'GET /models/:model/monitor/distribution'>;

/** The most important column where the address names none. */
const columnOf = ({ features }: Monitor, chosen: string | undefined): string | undefined => {
  const known = features as readonly { readonly name?: string; readonly importance?: number | null }[];
  return chosen ?? [...known].sort((a, b) => (b.importance ?? -1) - (a.importance ?? -1))[0]?.name;
};

/** One column: what came in some days against what it was trained on, and against other days. */
export function Distribution({ monitor }: { readonly monitor: Monitor }) {
  const [view] = useView();
  const chosen = useChosenSpan();
  const then = useChosenSpan('thenFrom');
  const span = chosen ?? usualSpan(monitor);
  const column = columnOf(monitor, view['column']);
  if (!span || column === undefined)
    return (
      <Part title="Reference against live">
        <Empty>There is nothing to compare yet: no window has ended.</Empty>
      </Part>
    );
  return (
    <Part title={<>Reference against live: {column}</>}>
      <SpanFields span={span} isChosen={chosen !== undefined} then={then} />
      <Compared model={monitor.model} column={column} span={span} then={then} />
    </Part>
  );
}

function Compared({
  model,
  column,
  span,
  then,
}: {
  readonly model: string;
  readonly column: string;
  readonly span: DaySpan;
  readonly then: DaySpan | undefined;
}) {
  const now = useGet('GET /models/:model/monitor/distribution', {
    params: { model },
    query: { ...span, column } as never,
  });
  const other = useGet(
    'GET /models/:model/monitor/distribution',
    { params: { model }, query: { ...(then ?? span), column } as never },
    { enabled: then !== undefined },
  );
  if (now.error && !now.data) return <Failure error={now.error} retry={() => void now.refetch()} />;
  if (!now.data) return <Rows count={6} />;
  const second = then ? other.data : undefined;
  return (
    <div className={then ? classes['wide'] : classes['shape']}>
      <div className={then ? classes['two'] : undefined}>
        <Shape view={now.data} words={spanWords(span)} colour="--series-1" />
        {then && second && <Shape view={second} words={spanWords(then)} colour="--series-2" />}
        {then && other.error && !second && <Failure error={other.error} />}
      </div>
      <Stats view={now.data} span={span} then={then} second={second} />
    </div>
  );
}

const sumOf = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

export function toBins({ bins }: Pick<View, 'bins'>): readonly HistogramBin[] {
  const [live, reference] = [sumOf(bins.map((bin) => bin.live)) || 1, sumOf(bins.map((bin) => bin.reference)) || 1];
  return bins.map((bin) => ({
    label: bin.label,
    live: bin.live / live,
    reference: bin.reference / reference,
    text: `${bin.label}\nlive ${percent(bin.live / live)} (${count(bin.live)})\nreference ${percent(bin.reference / reference)} (${count(bin.reference)})`,
  }));
}

function Shape({ view, words, colour }: { readonly view: View; readonly words: string; readonly colour: string }) {
  const bins = toBins(view);
  const isNumeric = view.kind === 'numeric';
  const title = `${view.column ?? 'score'}, ${words}: live (filled, v${view.version}) against training (${isNumeric ? 'outlined' : 'line'})`;
  return (
    <Figure
      title={title}
      head={['bin', 'live', 'live share', 'reference', 'reference share']}
      rows={view.bins.map(({ label, live, reference }, i) => [
        label,
        live,
        bins[i]!.live,
        reference,
        bins[i]!.reference,
      ])}
      empty={sumOf(view.bins.map(({ live }) => live)) === 0 ? 'No rows came in these days' : undefined}
    >
      {isNumeric ? (
        <Histogram label={title} bins={bins} ticks={ticksOf(view)} colour={colour} />
      ) : (
        <CategoryBars label={title} bins={[...bins].sort((a, b) => b.live - a.live)} colour={colour} />
      )}
    </Figure>
  );
}

/** Borders of about every sixth bin. */
function ticksOf({ bins, range }: View) {
  const every = Math.max(1, Math.ceil(bins.length / 6));
  const inner = bins.flatMap(({ high }, i) =>
    high !== null && (i + 1) % every === 0 && i + 1 < bins.length - every / 2
      ? [{ at: i + 1, text: number(high) }]
      : [],
  );
  return range ? [{ at: 0, text: number(range.min) }, ...inner, { at: bins.length, text: number(range.max) }] : inner;
}

const QUANTILES = ['p5', 'p25', 'median', 'p75', 'p95'];

function Stats({
  view,
  span,
  then,
  second,
}: {
  readonly view: View;
  readonly span: DaySpan;
  readonly then: DaySpan | undefined;
  readonly second: View | undefined;
}) {
  const sides = [
    { title: 'training', side: view.reference, test: null },
    { title: spanWords(span), side: view.live, test: view.test },
    ...(then && second ? [{ title: spanWords(then), side: second.live, test: second.test }] : []),
  ];
  const share = (part: number, whole: number): string => (whole === 0 ? '—' : percent(part / whole));
  const rows: readonly (readonly [string, (side: (typeof sides)[number]) => string])[] = [
    ['rows', ({ side }) => count(side.rows)],
    ['missing', ({ side }) => share(side.nulls, side.rows)],
    ...(view.kind === 'numeric'
      ? [
          ['mean', ({ side }: (typeof sides)[number]) => number(side.mean)] as const,
          ['standard deviation', ({ side }: (typeof sides)[number]) => number(side.sd)] as const,
          ...QUANTILES.map(
            (name, i) => [name, ({ side }: (typeof sides)[number]) => number(side.quantiles?.[i])] as const,
          ),
        ]
      : []),
    ['new categories', ({ side }) => ('unseen' in side ? share(side.unseen, side.rows) : '—')],
    ['outside the range', ({ side }) => ('below' in side ? share(side.below + side.above, side.rows) : '—')],
    ['ill-typed', ({ side }) => ('typeErrors' in side ? share(side.typeErrors, side.rows) : '—')],
    ['drift (effect)', ({ test }) => number(test?.effect)],
    ['p', ({ test }) => pValue(test?.p)],
    ['PSI', ({ test }) => number(test?.psi)],
    ['Jensen–Shannon distance', ({ test }) => number(test?.jensenShannon)],
  ];
  return (
    <section className={classes['scrolled']} tabIndex={0} aria-label="Numbers of the distribution">
      <table className={classes['stats']}>
        <thead>
          <tr>
            <th scope="col">{view.column}</th>
            {sides.map(({ title }) => (
              <th key={title} scope="col" className="num">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, cell]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {sides.map((side) => (
                <td key={side.title} className="num">
                  {cell(side)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
