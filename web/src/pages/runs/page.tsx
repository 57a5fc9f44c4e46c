import { Button, SegmentedControl } from '@mantine/core';
import { useDeferredValue, useEffect, useMemo, useState } from 'react';
import { useGet } from '../../api/queries.ts';
import { useExperiments } from '../../domain/experiments.ts';
import { Lifecycle } from '../../domain/run-lifecycle.tsx';
import { useGo } from '../../ui/link.tsx';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { exportCsv, Table } from '../../ui/table.tsx';
import { type TableView, useTableView, useViewState } from '../../ui/view-state.ts';
import { ColumnMenu } from './column-menu.tsx';
import { columnsOf } from './columns.tsx';
import { filterRuns, isGrammar } from './filter.ts';
import { ExperimentMenu, StateMenu } from './filters.tsx';
import { useLazyViewState } from './lazy-view-state.ts';
import { PipelineRuns } from './pipeline-runs.tsx';
import classes from './runs.module.css';
import { SearchBox } from './search-box.tsx';
import type { Held } from './table-data.ts';
import { useRunTable } from './table-query.ts';

const KINDS = [
  { value: '', label: 'Tracked runs' },
  { value: 'pipelines', label: 'Pipeline runs' },
];
const MAX_COMPARED = 20;

/** All runs: those that code logged through MLflow and those that pipelines made. */
export default function RunsPage() {
  const [kind, setKind] = useViewState('kind');
  const [text, setText] = useLazyViewState('q');
  const tools = <SegmentedControl size="xs" data={KINDS} value={kind} onChange={setKind} aria-label="Which runs" />;
  return (
    <Page title="Runs" actions={tools}>
      {kind === 'pipelines' ? (
        <>
          <SearchBox
            value={text}
            onChange={setText}
            error={null}
            placeholder="Words: pipeline, state, who, what came of it"
          />
          <PipelineRuns words={text} />
        </>
      ) : (
        <TrackedRuns text={text} onText={setText} />
      )}
    </Page>
  );
}

function TrackedRuns({ text, onText }: { readonly text: string; readonly onText: (text: string) => void }) {
  const [experiment, setExperiment] = useViewState('exp');
  const [states, setStates] = useViewState('state');
  const [chosen, setChosen] = useViewState('cols');
  const view = useRunsView();
  const chosenStates = useMemo(() => states.split(',').filter(Boolean), [states]);
  const isDeleted = chosenStates.includes('deleted');
  const wanted = useMemo(() => parseColumns(chosen), [chosen]);
  const { data, error, refetch } = useRunTable({
    experiment,
    view: isDeleted ? 'deleted' : 'active',
    columns: wanted,
  });
  const typed = useDeferredValue(text);
  const grammar = useRested(isGrammar(typed) ? typed : '');
  const words = isGrammar(typed) ? '' : typed;
  const match = useGet(
    'GET /runs/matches',
    {
      query: { filter: grammar, view: isDeleted ? 'deleted' : 'active', ...(experiment !== '' && { experiment }) },
    },
    { enabled: grammar !== '' },
  );
  const problem = grammar === '' ? null : match.error;
  const matches = useMemo(
    () => (grammar !== '' && match.data ? new Set(match.data.ids) : undefined),
    [grammar, match.data],
  );
  const shown = useMemo(
    () =>
      filterRuns(data?.rows ?? [], {
        words,
        states: chosenStates.filter((state) => state !== 'deleted'),
        matches,
      }),
    [data, words, chosenStates, matches],
  );
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={14} />;
  if (data.total === 0 && !isDeleted && experiment === '') return <NoRuns />;
  return (
    <>
      <div className={classes['bar']}>
        <SearchBox value={text} onChange={onText} error={problem} />
        <ExperimentMenu value={experiment} onChange={setExperiment} />
        <StateMenu rows={data.rows} chosen={chosenStates} onChoose={(next) => setStates(next.join(','))} />
        <ColumnMenu
          shown={wanted ?? data.columns}
          onShow={(next) => setChosen(next && toText(next))}
          hidden={view.hidden}
          onHide={view.onHide}
        />
        <Count shown={shown.length} data={data} />
      </div>
      <RunTable data={data} rows={shown} view={view} isDeleted={isDeleted} />
    </>
  );
}

interface RunTableProps {
  readonly data: Held;
  readonly rows: Held['rows'];
  readonly view: TableView;
  readonly isDeleted: boolean;
}

function RunTable({ data, rows, view, isDeleted }: RunTableProps) {
  const go = useGo();
  const [selected, select] = useSelection();
  const experiments = useExperiments();
  const columns = useMemo(() => columnsOf(data.columns, experiments), [data.columns, experiments]);
  return (
    <Table
      label="Runs"
      rows={rows}
      columns={columns}
      rowId={({ id }) => id}
      hidden={view.hidden}
      sort={view.sort}
      onSort={view.onSort}
      to={({ id }) => `/runs/${id}`}
      selected={selected}
      onSelect={select}
      selectionBar={(ids) => (
        <>
          <Button
            size="xs"
            disabled={ids.size < 2 || ids.size > MAX_COMPARED}
            title={ids.size > MAX_COMPARED ? `at most ${MAX_COMPARED} at once` : ''}
            onClick={() => go(`/compare?runs=${[...ids].join(',')}`)}
          >
            Compare
          </Button>
          <Button
            size="xs"
            variant="default"
            onClick={() =>
              exportCsv(
                'runs',
                rows.filter(({ id }) => ids.has(id)),
                columns,
              )
            }
          >
            CSV
          </Button>
          <Lifecycle ids={[...ids]} isDeleted={isDeleted} onDone={() => select(new Set())} />
        </>
      )}
      height={TABLE_HEIGHT}
      empty={isDeleted ? 'No deleted run is like that.' : 'No run is like that. Escape in the search box shows all.'}
    />
  );
}

const TABLE_HEIGHT = 640;

function Count({ shown, data }: { readonly shown: number; readonly data: Held }) {
  const all = data.total.toLocaleString('en-US');
  const some = shown.toLocaleString('en-US');
  const cut = data.rows.length < data.total ? `, the newest ${data.rows.length.toLocaleString('en-US')} are here` : '';
  return (
    <output className={classes['count']}>
      {shown === data.total ? `${all} runs` : `${some} of ${all} runs`}
      {cut}
    </output>
  );
}

function NoRuns() {
  return (
    <Empty command={`import mlflow\nmlflow.set_tracking_uri("${location.origin}")`}>
      No run yet. Code that logs with MLflow needs one line; what pipelines run is here by itself.
    </Empty>
  );
}

const TYPING_MS = 60;

/** A filter goes to the server once typing rests for a moment; taken away, it is gone at once. */
function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return text === '' ? '' : rested;
}

const USUALLY_HIDDEN = 'id,experiment';

/** As of any table, but some facts are hidden until they are asked for. */
function useRunsView(): TableView {
  const view = useTableView();
  const [hide, setHide] = useViewState('hide', USUALLY_HIDDEN);
  return {
    ...view,
    hidden: useMemo(() => (hide === 'none' ? [] : hide.split(',')), [hide]),
    onHide: (next) => setHide(next.length === 0 ? 'none' : next.join(',')),
  };
}

/** A few selected rows stand in the address, so that back brings them back; many do not fit there. */
function useSelection(): readonly [ReadonlySet<string>, (ids: ReadonlySet<string>) => void] {
  const [text, setText] = useViewState('sel');
  const [many, setMany] = useState<ReadonlySet<string>>();
  const selected = useMemo(() => many ?? new Set(text.split(',').filter(Boolean)), [many, text]);
  const select = (ids: ReadonlySet<string>): void => {
    const isFew = ids.size <= MAX_COMPARED;
    setMany(isFew ? undefined : ids);
    setText(isFew ? [...ids].join(',') : undefined);
  };
  return [selected, select];
}

/** Keys may hold commas and worse. */
const toText = (columns: readonly string[]): string =>
  columns.length === 0 ? 'none' : columns.map(encodeURIComponent).join(',');

function parseColumns(text: string): readonly string[] | undefined {
  if (text === '') return undefined;
  if (text === 'none') return [];
  return text.split(',').flatMap((part) => {
    try {
      return [decodeURIComponent(part)];
    } catch {
      return [];
    }
  });
}
