import { Button, Select } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { placeOfVersion } from '../../domain/places.ts';
import { FilterBar } from '../../ui/filter-bar.tsx';
import { useGo } from '../../ui/link.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { exportCsv, Table } from '../../ui/table.tsx';
import { useTableView, useViewState } from '../../ui/view-state.ts';
import { useModel, useModelName } from './layout.tsx';
import { metricOf, reachOf, versionColumns } from './versions/columns.tsx';
import { usePrevious, useVersions } from './versions/use-versions.ts';
import { stageOf, type Version } from './versions/verdict.ts';

const KINDS: Readonly<Record<string, { readonly label: string; readonly has: (version: Version) => boolean }>> = {
  all: { label: 'all versions', has: () => true },
  real: { label: 'without rehearsals', has: ({ rehearsal }) => rehearsal === null },
  waiting: { label: 'that wait for approval', has: ({ approval }) => approval === 'waiting' },
  passed: { label: 'that passed the gate', has: ({ gate }) => gate?.outcome === 'passed' },
  failed: { label: 'that did not pass', has: ({ gate }) => gate?.outcome === 'failed' || gate?.outcome === 'refused' },
};

/** Every version with its verdict, against the champion of its time. */
export default function VersionsTab() {
  const name = useModelName();
  const { versions, error, refetch } = useVersions(name);
  useOldAddress(name);
  if (error && !versions) return <Failure error={error} retry={() => void refetch()} />;
  if (!versions) return <Rows />;
  if (versions.length === 0) return <Empty command="levain run">{name} has no version yet.</Empty>;
  return <Versions name={name} versions={versions} />;
}

/** `?version=7` is an older way to write `versions/7`. */
function useOldAddress(name: string): void {
  const [version] = useViewState('version');
  const navigate = useNavigate();
  useEffect(() => {
    if (version === '') return;
    void navigate({ to: '/m/$name/versions/$version', params: { name, version }, replace: true });
  }, [name, version, navigate]);
}

function Versions({ name, versions }: { readonly name: string; readonly versions: readonly Version[] }) {
  const model = useModel();
  const previous = usePrevious(model?.endpoint ?? null);
  const [words, setWords] = useViewState('q');
  const [kind, setKind] = useViewState('show', 'all');
  const [picked, pick] = useViewState('pick');
  const view = useTableView();
  const go = useGo();
  const columns = useMemo(
    () => versionColumns({ model, previous, reach: reachOf(versions), metric: metricOf(versions) }),
    [model, previous, versions],
  );
  const shown = useMemo(() => {
    const has = (KINDS[kind] ?? KINDS['all']!).has;
    return versions.filter((each) => has(each) && matches(each, words, stageOf(each, model, previous)));
  }, [versions, kind, words, model, previous]);
  const selected = new Set(picked === '' ? [] : picked.split(','));
  return (
    <div style={{ display: 'grid', gap: 10, minWidth: 0 }}>
      <FilterBar
        label="Filter versions"
        placeholder="Filter: number, alias, data, words of the gate"
        value={words}
        onChange={setWords}
        columns={columns}
        hidden={view.hidden}
        onHide={view.onHide}
        onCsv={() => exportCsv(`${name} versions`, shown, columns)}
      >
        <Select
          size="xs"
          w={190}
          aria-label="Which versions"
          allowDeselect={false}
          data={Object.entries(KINDS).map(([value, { label }]) => ({ value, label }))}
          value={KINDS[kind] ? kind : 'all'}
          onChange={(next) => setKind(next === 'all' ? undefined : (next ?? undefined))}
        />
      </FilterBar>
      <Table
        label="Versions"
        rows={shown}
        columns={columns}
        rowId={({ version }) => String(version)}
        to={({ version }) => placeOfVersion(name, version)}
        selected={selected}
        onSelect={(ids) => pick([...ids].join(','))}
        selectionBar={(ids) => (
          <CompareButton ids={ids} onCompare={(a, b) => go(`${placeOfVersion(name, a)}?with=${b}#compare`)} />
        )}
        sort={view.sort}
        onSort={view.onSort}
        hidden={view.hidden}
        empty="No version is like that."
      />
    </div>
  );
}

interface CompareProps {
  readonly ids: ReadonlySet<string>;
  readonly onCompare: (newer: number, older: number) => void;
}

function CompareButton({ ids, onCompare }: CompareProps) {
  const [older, newer] = [...ids].map(Number).sort((a, b) => a - b);
  return (
    <Button
      size="compact-xs"
      disabled={ids.size !== 2}
      onClick={() => newer !== undefined && older !== undefined && onCompare(newer, older)}
    >
      {ids.size === 2 ? `Compare v${newer} with v${older}` : 'Compare: select two'}
    </Button>
  );
}

function matches(version: Version, words: string, stage: readonly string[]): boolean {
  if (words === '') return true;
  const { data, approval, gate, decision } = version;
  const all = [
    `v${version.version}`,
    ...stage,
    approval,
    ...data.map(({ dataset, version: n }) => `${dataset} v${n}`),
    gate?.sentence,
    gate?.outcome.replace('_', ' '),
    decision?.reason,
    decision?.by,
  ]
    .join(' ')
    .toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}
