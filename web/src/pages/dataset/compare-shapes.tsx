import { useGet } from '../../api/queries.ts';
import { Figure } from '../../ui/figure.tsx';
import { number, percent } from '../../ui/format.ts';
import { CategoryBars, Histogram } from '../../ui/histogram.tsx';
import { Part } from '../../ui/page.tsx';
import { Empty, Rows } from '../../ui/states.tsx';
import { useView } from '../../ui/view-state.ts';
import type { Profile } from './columns.tsx';
import type { Version } from './page.tsx';
import { sharesIn } from './shares.ts';

/** One column of both versions in the same bins; the one that moved most where none is chosen. */
export function ColumnShapes({ version, against }: { readonly version: Version; readonly against: number }) {
  const [view] = useView();
  const { data } = useGet('GET /datasets/:name/versions/:version', {
    params: { name: version.dataset, version: against },
  });
  const column = version.profile.columns.find(({ name }) => name === view['column']);
  if (!column) return <p className="muted">Choose a column to see its distribution in both versions.</p>;
  const before = data?.version === against ? data.profile.columns.find(({ name }) => name === column.name) : undefined;
  if (!data || data.version !== against) return <Rows count={4} />;
  return (
    <Part title={column.name}>
      {before ? (
        <Both
          now={column}
          before={before}
          words={[`v${version.version}`, `v${against}`]}
          rows={[version.rowCount, data.rowCount]}
        />
      ) : (
        <Empty>v{against} has no such column.</Empty>
      )}
    </Part>
  );
}

interface BothProps {
  readonly now: Profile;
  readonly before: Profile;
  readonly words: readonly [now: string, before: string];
  readonly rows: readonly [now: number, before: number];
}

function Both({ now, before, words, rows }: BothProps) {
  const bins = now.number && before.number ? numberBins(now.number, before.number) : valueBins(now, before, rows);
  const title = `${now.name}: ${words[0]} (filled) and ${words[1]} (${now.number ? 'outlined' : 'line'})`;
  return (
    <Figure
      title={title}
      head={['bin', `share in ${words[0]}`, `share in ${words[1]}`]}
      rows={bins.map(({ label, live, reference }) => [label, live, reference])}
      empty={bins.length === 0 ? 'Neither version keeps values of this column to compare' : undefined}
    >
      {now.number && before.number ? (
        <Histogram label={title} bins={bins} ticks={ticksOf(bins)} />
      ) : (
        <CategoryBars label={title} bins={bins} />
      )}
    </Figure>
  );
}

type Stats = NonNullable<Profile['number']>;
const BINS = 20;

/** Twenty bins between the outer percentiles of both, what lies beyond in the first and the last. */
function numberBins(now: Stats, before: Stats) {
  const low = Math.min(now.quantiles[0] ?? now.min, before.quantiles[0] ?? before.min);
  const high = Math.max(now.quantiles[6] ?? now.max, before.quantiles[6] ?? before.max);
  const width = (high - low) / BINS || 1;
  const edges = Array.from({ length: BINS + 1 }, (_, i) => low + i * width);
  const [a, b] = [sharesIn(now, edges), sharesIn(before, edges)];
  return a.map((live, i) => {
    const label = `${number(edges[i])} to ${number(edges[i + 1])}`;
    const reference = b[i]!;
    return {
      label: `${i + 1}. ${label}`,
      live,
      reference,
      text: `${label}\nnow ${percent(live)}\nbefore ${percent(reference)}`,
    };
  });
}

function valueBins(now: Profile, before: Profile, [rows, rowsBefore]: readonly [number, number]) {
  const countIn = (profile: Profile, value: string): number | undefined =>
    profile.top.find((entry) => entry.value === value)?.count;
  const values = [...new Set([...now.top, ...before.top].map(({ value }) => value))];
  return values.map((value) => {
    const live = (countIn(now, value) ?? 0) / Math.max(1, rows);
    const reference = (countIn(before, value) ?? 0) / Math.max(1, rowsBefore);
    return { label: value, live, reference, text: `${value}\nnow ${percent(live)}\nbefore ${percent(reference)}` };
  });
}

const ticksOf = (bins: readonly { readonly label: string }[]) =>
  [0, 5, 10, 15].map((at) => ({ at, text: /^\d+\. (.+) to /.exec(bins[at]?.label ?? '')?.[1] ?? '' }));
