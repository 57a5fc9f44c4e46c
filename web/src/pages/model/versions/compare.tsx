import { Button } from '@mantine/core';
import { useGet } from '../../../api/queries.ts';
import { placeOfVersion } from '../../../domain/places.ts';
import { exact, number, signed } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import { CodeDiff } from './code-diff.tsx';
import type { Version } from './verdict.ts';
import classes from './versions.module.css';

/** Two versions beside each other: only what differs. */
export function Compare({ version, other }: { readonly version: Version; readonly other: string }) {
  const { data, error } = useGet('GET /models/:model/versions/:version', {
    params: { model: version.model, version: other },
  });
  const [, compare] = useViewState('with');
  const isIt = data && String(data.version) === other.replace(/^v/, '');
  return (
    <div id="compare">
      <Part
        title={
          <span className={classes['among']}>
            v{version.version} against <GoLink to={placeOfVersion(version.model, other)}>v{other}</GoLink>
          </span>
        }
        tools={
          <Button size="compact-xs" variant="subtle" onClick={() => compare(undefined)}>
            Close
          </Button>
        }
      >
        {error ? <Failure error={error} /> : isIt ? <Sides it={version} other={data} /> : <Rows />}
      </Part>
    </div>
  );
}

interface SidesProps {
  readonly it: Version;
  readonly other: Version;
}

function Sides({ it, other }: SidesProps) {
  return (
    <>
      <Made it={it} other={other} />
      <MetricsOfBoth it={it} other={other} />
      <Params it={it} other={other} />
      <h3>Code</h3>
      <CodeDiff from={other.source} to={it.source} />
    </>
  );
}

interface Pair {
  readonly name: string;
  readonly before: string | number | null;
  readonly after: string | number | null;
}

const differs = ({ before, after }: Pair): boolean => before !== after;

const columnsOf = ({ it, other }: SidesProps, what: string): readonly Column<Pair>[] => [
  { id: 'name', header: what, value: ({ name }) => name },
  { id: 'before', header: `v${other.version}`, value: ({ before }) => before, cell: ({ before }) => cellOf(before) },
  { id: 'after', header: `v${it.version}`, value: ({ after }) => after, cell: ({ after }) => cellOf(after) },
];

const cellOf = (value: Pair['before']) =>
  typeof value === 'number' ? (
    <span title={exact(value)}>{number(value, 4)}</span>
  ) : (
    <span title={value ?? undefined}>{value ?? '—'}</span>
  );

function Made({ it, other }: SidesProps) {
  const datasets = [...new Set([...other.data, ...it.data].map(({ dataset }) => dataset))];
  const cut = ({ data }: Version, name: string): string | null => {
    const found = data.find(({ dataset }) => dataset === name);
    return found ? `v${found.version}${found.asOf === null ? '' : ` until ${found.asOf.slice(0, 10)}`}` : null;
  };
  const rows: readonly Pair[] = [
    ...datasets.map((name) => ({ name: `data ${name}`, before: cut(other, name), after: cut(it, name) })),
    { name: 'training rows', before: other.trainingRows, after: it.trainingRows },
    {
      name: 'environment',
      before: other.environment?.slice(0, 12) ?? null,
      after: it.environment?.slice(0, 12) ?? null,
    },
    { name: 'engine', before: other.engine?.reason ?? null, after: it.engine?.reason ?? null },
    { name: 'signature', before: inputsOf(other), after: inputsOf(it) },
    {
      name: 'classes',
      before: other.classes?.map(String).join(', ') ?? null,
      after: it.classes?.map(String).join(', ') ?? null,
    },
  ].filter(differs);
  return (
    <Table
      label="Made of"
      rows={rows}
      columns={columnsOf({ it, other }, 'made of')}
      rowId={({ name }) => name}
      empty="Data, environment, engine and signature are the same."
    />
  );
}

const inputsOf = ({ signature }: Version): string | null =>
  signature?.inputs.map(({ name, type, required }) => `${name} ${type}${required ? '' : '?'}`).join(', ') ?? null;

function MetricsOfBoth({ it, other }: SidesProps) {
  const names = [...new Set([...Object.keys(other.metrics), ...Object.keys(it.metrics)])].sort();
  const rows = names.map((name) => ({ name, before: other.metrics[name] ?? null, after: it.metrics[name] ?? null }));
  const difference: Column<Pair> = {
    id: 'difference',
    header: 'difference',
    numeric: true,
    value: ({ before, after }) => (typeof before === 'number' && typeof after === 'number' ? after - before : null),
    cell: ({ before, after }) =>
      typeof before === 'number' && typeof after === 'number' ? signed(after - before) : '—',
  };
  const columns = columnsOf({ it, other }, 'metric').map((column, at) =>
    at === 0 ? column : { ...column, numeric: true },
  );
  return (
    <Table
      label="Metrics of both"
      rows={rows.filter(differs)}
      columns={[...columns, difference]}
      rowId={({ name }) => name}
      height={320}
      empty="Their runs logged the same numbers, or none."
    />
  );
}

function Params({ it, other }: SidesProps) {
  const mine = useGet('GET /runs/:id', { params: { id: it.runId ?? '' } }, { enabled: it.runId !== null });
  const theirs = useGet('GET /runs/:id', { params: { id: other.runId ?? '' } }, { enabled: other.runId !== null });
  if (it.runId === null || other.runId === null)
    return <p className="muted">The parameters of both runs are not known here.</p>;
  if (mine.error || theirs.error) return <Failure error={mine.error ?? theirs.error} />;
  if (mine.data?.id !== it.runId || theirs.data?.id !== other.runId) return <Rows count={2} />;
  const [a, b] = [theirs.data.params, mine.data.params];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
  const rows = names.map((name) => ({ name, before: a[name] ?? null, after: b[name] ?? null })).filter(differs);
  return (
    <Table
      label="Parameters of both"
      rows={rows}
      columns={columnsOf({ it, other }, 'parameter')}
      rowId={({ name }) => name}
      height={320}
      empty={`All ${names.length} parameters of both runs are the same.`}
    />
  );
}
