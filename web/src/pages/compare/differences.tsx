import { Switch } from '@mantine/core';
import { useMemo } from 'react';
import type { ChartRun } from '../../domain/metric-series.ts';
import { measured } from '../../domain/run-status.tsx';
import { exact, number } from '../../ui/format.ts';
import { Part } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { useTableView, useViewState } from '../../ui/view-state.ts';
import type { Run } from './legend.tsx';

interface Line {
  readonly kind: 'metric' | 'parameter' | 'tag';
  readonly name: string;
  readonly values: readonly (string | number | undefined)[];
}

interface DifferencesProps {
  readonly runs: readonly Run[];
  readonly charted: readonly ChartRun[];
}

/** Metrics, parameters and tags side by side; by default only those in which two runs differ. */
export function Differences({ runs, charted }: DifferencesProps) {
  const [all, setAll] = useViewState('all');
  const view = useTableView('d');
  const lines = useMemo(() => linesOf(runs), [runs]);
  const shown = useMemo(() => (all === '1' ? lines : lines.filter(differs)), [lines, all]);
  const columns = useMemo(() => columnsOf(charted), [charted]);
  return (
    <Part
      title={all === '1' ? 'Everything' : 'What differs'}
      tools={
        <Switch
          size="xs"
          label={`also the ${lines.length - lines.filter(differs).length} that are the same`}
          checked={all === '1'}
          onChange={(event) => setAll(event.currentTarget.checked ? '1' : undefined)}
        />
      }
    >
      <Table
        label="Comparison"
        rows={shown}
        columns={columns}
        rowId={({ kind, name }) => `${kind} ${name}`}
        sort={view.sort}
        onSort={view.onSort}
        height={560}
        empty="These runs have the same parameters, metrics and tags."
      />
    </Part>
  );
}

const differs = ({ values }: Line): boolean => values.some((value) => !Object.is(value, values[0]));

function columnsOf(charted: readonly ChartRun[]): readonly Column<Line>[] {
  return [
    { id: 'name', header: 'name', value: ({ name }) => name, width: 240 },
    { id: 'kind', header: 'kind', value: ({ kind }) => kind, width: 96 },
    ...charted.map(
      ({ id, label }, i): Column<Line> => ({
        id,
        header: label,
        title: label,
        numeric: true,
        value: ({ values }) => values[i],
        cell: ({ values }) => <Value value={values[i]} />,
        width: 150,
      }),
    ),
  ];
}

function Value({ value }: { readonly value: string | number | undefined }) {
  if (typeof value !== 'number') return <span title={value}>{value ?? '—'}</span>;
  return <span title={Number.isNaN(value) ? 'NaN: not a number' : exact(value)}>{number(value)}</span>;
}

function linesOf(runs: readonly Run[]): readonly Line[] {
  const metrics = runs.map(
    ({ latest }) => new Map(latest.map(({ key, value }) => [key, measured(value) ?? undefined])),
  );
  const params = runs.map(({ params }) => new Map(Object.entries(params)));
  const tags = runs.map(({ tags }) => new Map(Object.entries(tags).filter(([key]) => !/^(mlflow|levain)\./.test(key))));
  return [...toLines('metric', metrics), ...toLines('parameter', params), ...toLines('tag', tags)];
}

function toLines(
  kind: Line['kind'],
  records: readonly ReadonlyMap<string, string | number | undefined>[],
): readonly Line[] {
  const names = [...new Set(records.flatMap((record) => [...record.keys()]))].sort();
  return names.map((name) => ({ kind, name, values: records.map((record) => record.get(name)) }));
}
