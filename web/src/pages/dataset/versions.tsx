import { useEffect, useRef } from 'react';
import { bytes, count, exact, number } from '../../ui/format.ts';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';
import { useTableView, useView } from '../../ui/view-state.ts';
import classes from './dataset.module.css';
import type { Summary, Uses, Version } from './page.tsx';

type Row = Summary & { readonly models: readonly string[]; readonly runs: number };

interface VersionsProps {
  readonly versions: readonly Summary[];
  readonly chosen: number;
  readonly uses: Uses | undefined;
}

/** Newest first; choosing one shows it below. */
export function Versions({ versions, chosen, uses }: VersionsProps) {
  const [, change] = useView();
  const { sort, onSort } = useTableView('versions-');
  const rows = versions.map((version) => ({ ...version, ...usesOf(uses, version.version) }));
  const place = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the row that is chosen is brought into sight
  useEffect(() => {
    const viewport = place.current?.querySelector<HTMLElement>('[data-table]');
    const row = viewport?.querySelector<HTMLElement>('[aria-current]');
    if (!viewport || !row) return;
    const [box, at] = [viewport.getBoundingClientRect(), row.getBoundingClientRect()];
    if (at.top < box.top + at.height || at.bottom > box.bottom) viewport.scrollTop += at.top - box.top - box.height / 2;
  }, [chosen]);
  return (
    <div ref={place}>
      <Table
        label="Versions"
        rows={rows}
        columns={COLUMNS}
        rowId={({ version }) => String(version)}
        sort={sort}
        onSort={onSort}
        selected={new Set([String(chosen)])}
        onOpen={({ version }) => change({ version: String(version), offset: undefined })}
        height={234}
      />
    </div>
  );
}

const usesOf = (uses: Uses | undefined, version: number): Pick<Row, 'models' | 'runs'> => ({
  models:
    uses?.models.filter(({ dataset }) => dataset === version).map((each) => `${each.model}@v${each.version}`) ?? [],
  runs: uses?.runs.filter((run) => run.version === version).length ?? 0,
});

const COLUMNS: readonly Column<Row>[] = [
  {
    id: 'version',
    header: 'version',
    value: ({ version }) => version,
    cell: ({ version }) => <strong>v{version}</strong>,
  },
  {
    id: 'state',
    header: 'contract',
    value: ({ state }) => state,
    cell: ({ state, broken, checks }) => (
      <Status
        health={state === 'refused' ? 'bad' : checks === 0 ? 'unknown' : 'good'}
        word={state === 'refused' ? `refused, ${broken.length} broken` : checks === 0 ? 'no contract' : 'kept'}
        title={broken.join('\n')}
      />
    ),
  },
  {
    id: 'rows',
    header: 'rows',
    numeric: true,
    value: ({ rowCount }) => rowCount,
    cell: ({ rowCount }) => <span title={exact(rowCount)}>{count(rowCount)}</span>,
  },
  {
    id: 'size',
    header: 'size',
    numeric: true,
    value: ({ sizeBytes }) => sizeBytes,
    cell: ({ sizeBytes }) => <span title={`${exact(sizeBytes)} B`}>{bytes(sizeBytes)}</span>,
  },
  { id: 'files', header: 'files', numeric: true, value: ({ fileCount }) => fileCount },
  {
    id: 'time',
    header: 'event time to',
    value: ({ timeRange }) => timeRange?.max,
    cell: ({ timeRange }) => <EventTime at={timeRange?.max} />,
  },
  {
    id: 'made',
    header: 'made',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
  { id: 'runs', header: 'runs', title: 'Pipeline runs that settled on it', numeric: true, value: ({ runs }) => runs },
  {
    id: 'models',
    header: 'model versions',
    value: ({ models }) => models.join(', '),
    cell: ({ models }) => (models.length === 0 ? '—' : <span title={models.join('\n')}>{models.join(', ')}</span>),
  },
];

/** What one version is, in one line that wraps. */
export function VersionFacts({ version }: { readonly version: Version }) {
  const { timeRange, files } = version;
  const facts = [
    ['version', `v${version.version}`],
    ['rows', number(version.rowCount)],
    ['columns', String(version.schema.length)],
    ['size', `${bytes(version.sizeBytes)} in ${files.length} ${files.length === 1 ? 'file' : 'files'}`],
    ['made', <RelativeTime key="m" at={version.createdAt} />],
    ...(timeRange
      ? [
          [
            timeRange.column,
            <span key="t">
              <EventTime at={timeRange.min} /> to <EventTime at={timeRange.max} />
            </span>,
          ] as const,
        ]
      : []),
    ['source', <code key="s">{version.source}</code>],
  ] as const;
  return (
    <dl className={classes['facts']}>
      {facts.map(([name, value]) => (
        <div key={String(name)}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
