import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useGet } from '../../api/queries.ts';
import { placeOfVersion } from '../../domain/places.ts';
import { duration, shortId } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { useTableView, useViewState } from '../../ui/view-state.ts';
import { useModelName } from './layout.tsx';
import { AppliedFile } from './pipeline/file.tsx';
import classes from './pipeline/pipeline.module.css';
import { OneRun } from './pipeline/run.tsx';
import { StartRun } from './pipeline/start-run.tsx';
import { Triggers } from './pipeline/triggers.tsx';
import { healthOf, type Run, tookMs, triggerWord, wordOf } from './pipeline/words.ts';

const FIRST = 30;
const MOST = 200;

/** Runs of the pipeline, one of them with its steps and logs, what starts them, and the file that they go by. */
export default function PipelineTab() {
  const pipeline = useModelName();
  const [limit, setLimit] = useState(FIRST);
  const { data, error, refetch } = useGet('GET /pipeline-runs', { query: { pipeline, limit } });
  const [chosen, choose] = useChosen();
  const view = useTableView('r');
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={10} />;
  const run = chosen === '' ? data.items[0]?.id : chosen;
  return (
    <div className={classes['tab']}>
      <Part title="Runs" tools={<StartRun pipeline={pipeline} primary />}>
        {data.items.length === 0 ? (
          <Empty command="levain run">No run of {pipeline} yet.</Empty>
        ) : (
          <Table
            label="Runs"
            rows={data.items}
            columns={COLUMNS}
            rowId={({ id }) => id}
            sort={view.sort}
            onSort={view.onSort}
            selected={new Set(run === undefined ? [] : [fullId(data.items, run)])}
            onOpen={({ id }) => choose(id)}
            height={250}
          />
        )}
        {data.next !== undefined && limit < MOST && (
          <button type="button" className={classes['link']} onClick={() => setLimit(MOST)}>
            Show older runs
          </button>
        )}
      </Part>
      {run !== undefined && <OneRun key={run} id={run} />}
      <Triggers pipeline={pipeline} />
      <AppliedFile pipeline={pipeline} />
    </div>
  );
}

/** Which run is shown. Another one begins with its own most telling step, and back leads to the one before. */
function useChosen(): readonly [string, (id: string) => void] {
  const [run] = useViewState('run');
  const navigate = useNavigate();
  const choose = (id: string): void => {
    const search = (before: object): object => ({ ...before, run: id, step: undefined, attempt: undefined });
    void navigate({ to: '.', resetScroll: false, search: search as never });
  };
  return [run, choose];
}

/** A link may name a run by the end of its id. */
const fullId = (runs: readonly Run[], id: string): string => runs.find((run) => run.id.endsWith(id))?.id ?? id;

const COLUMNS: readonly Column<Run>[] = [
  { id: 'id', header: 'run', value: ({ id }) => id, cell: ({ id }) => <code title={id}>{shortId(id)}</code> },
  {
    id: 'state',
    header: 'state',
    value: ({ state }) => wordOf(state),
    cell: ({ state, draft, rehearsal }) => (
      <>
        <Status health={healthOf(state)} word={wordOf(state)} /> {draft && <strong>DRAFT</strong>}{' '}
        {rehearsal !== null && <strong>REHEARSAL</strong>}
      </>
    ),
  },
  { id: 'trigger', header: 'started by', value: ({ trigger }) => triggerWord(trigger.kind) },
  {
    id: 'at',
    header: 'when',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
  {
    id: 'took',
    header: 'took',
    numeric: true,
    value: (run) => tookMs(run),
    cell: (run) => duration(tookMs(run)),
  },
  {
    id: 'version',
    header: 'version',
    value: ({ version }) => (version === null ? null : `v${version}`),
    cell: ({ model, version }) =>
      model === null || version === null ? '—' : <GoLink to={placeOfVersion(model, version)}>v{version}</GoLink>,
  },
  {
    id: 'summary',
    header: 'what came out',
    value: ({ failure, summary }) => failure?.message ?? summary,
    cell: ({ failure, summary }) => {
      const text = failure?.message ?? summary ?? '—';
      return <span title={text}>{text}</span>;
    },
  },
];
