import { Code, SegmentedControl } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import { useChange, useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Confirm } from '../../ui/confirm.tsx';
import { duration } from '../../ui/format.ts';
import { Graph } from '../../ui/graph.tsx';
import { Id } from '../../ui/id.tsx';
import { Part } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { useModelName } from './layout.tsx';
import classes from './pipeline.module.css';

type Run = AnswerOf<'GET /pipeline-runs'>['items'][number];
type Step = AnswerOf<'GET /pipeline-runs/:id'>['steps'][number];

const HEALTH: Readonly<Record<string, Health>> = {
  succeeded: 'good',
  ok: 'good',
  cached: 'good',
  failed: 'bad',
  lost: 'bad',
  refused: 'bad',
  gate_failed: 'watch',
  waiting: 'watch',
  running: 'running',
  leased: 'running',
};
const healthOf = (state: string): Health => HEALTH[state] ?? 'unknown';

/** Runs of the pipeline; one of them as graph and as timeline, with its live log and why each step ran or did not. */
export default function PipelineTab() {
  const pipeline = useModelName();
  const { data, error, refetch } = useGet('GET /pipeline-runs', { query: { pipeline, limit: 50 } });
  const [chosen, choose] = useViewState('run');
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows />;
  if (data.items.length === 0) return <Empty command="levain run">No run yet.</Empty>;
  const run = data.items.find(({ id }) => id === chosen) ?? data.items[0]!;
  return (
    <div style={{ display: 'grid', gap: 20 }}>
      <Table
        label="Runs"
        rows={data.items}
        columns={RUNS}
        rowId={({ id }) => id}
        selected={new Set([run.id])}
        onOpen={({ id }) => choose(id)}
        height={260}
      />
      <One key={run.id} run={run} />
    </div>
  );
}

const RUNS: readonly Column<Run>[] = [
  { id: 'id', header: 'run', value: ({ id }) => id, cell: ({ id }) => <Id id={id} /> },
  {
    id: 'state',
    header: 'state',
    value: ({ state }) => state,
    cell: ({ state }) => <Status health={healthOf(state)} word={state.replace('_', ' ')} />,
  },
  { id: 'trigger', header: 'started by', value: ({ trigger }) => trigger.kind },
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
    id: 'summary',
    header: 'what came out',
    value: ({ summary }) => summary,
    cell: ({ summary }) => <span title={summary ?? ''}>{summary ?? '—'}</span>,
  },
];

const tookMs = ({
  startedAt,
  finishedAt,
}: {
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}): number | null =>
  startedAt === null ? null : (finishedAt === null ? Date.now() : Date.parse(finishedAt)) - Date.parse(startedAt);

function One({ run }: { readonly run: Run }) {
  const isRunning = run.finishedAt === null;
  const { data } = useGet(
    'GET /pipeline-runs/:id',
    { params: { id: run.id } },
    { refetchInterval: isRunning ? 10_000 : false },
  );
  const [view, setView] = useViewState('view', 'graph');
  const [chosen, choose] = useState<string>();
  const cancel = useChange('POST /pipeline-runs/:id/cancel');
  const again = useChange('POST /pipelines/:name/runs');
  if (!data) return <Rows />;
  const step = data.steps.find(({ name }) => name === chosen);
  return (
    <Part
      title={`Run ${run.id.slice(-7)}`}
      tools={
        <span style={{ display: 'inline-flex', gap: 8 }}>
          <SegmentedControl size="xs" data={['graph', 'timeline']} value={view} onChange={setView} />
          {isRunning ? (
            <Confirm
              verb="Cancel the run"
              danger
              consequence="Running steps are ended. What earlier steps put out stays cached."
              act={() => cancel.mutateAsync({ params: { id: run.id } } as never)}
            />
          ) : (
            <Confirm
              verb="Run again"
              consequence="Steps whose inputs did not change are taken from the cache."
              act={() => again.mutateAsync({ params: { name: run.pipeline }, body: {} } as never)}
            />
          )}
        </span>
      }
    >
      {view === 'graph' ? (
        <Graph
          label="Steps"
          nodes={data.steps.map(({ name, state, progress }) => ({
            id: name,
            title: name,
            health: healthOf(state),
            word: progress ? `cell ${progress.cell} of ${progress.of}` : state,
          }))}
          edges={data.steps.flatMap(({ name, needs }) => needs.map((need) => [need, name] as const))}
          selected={chosen}
          onSelect={choose}
        />
      ) : (
        <Timeline steps={data.steps} onSelect={choose} />
      )}
      {step ? (
        <StepDetail run={run.id} step={step} />
      ) : (
        <p className="muted">Choose a step for its log and why it ran.</p>
      )}
    </Part>
  );
}

function Timeline({ steps, onSelect }: { readonly steps: readonly Step[]; readonly onSelect: (name: string) => void }) {
  const times = steps.flatMap(({ startedAt, finishedAt }) => [startedAt, finishedAt]).filter((at) => at !== null);
  const from = Math.min(...times.map((at) => Date.parse(at)));
  const span = Math.max(1, Math.max(...times.map((at) => Date.parse(at)), from + 1) - from);
  return (
    <ol className={classes['timeline']}>
      {steps.map((step) => {
        const start = step.startedAt === null ? 0 : (Date.parse(step.startedAt) - from) / span;
        const width = step.startedAt === null ? 0 : (tookMs(step) ?? 0) / span;
        return (
          <li key={step.name}>
            <button type="button" className={classes['name']} onClick={() => onSelect(step.name)}>
              {step.name}
            </button>
            <span className={classes['track']}>
              <span
                className={classes['bar']}
                data-health={healthOf(step.state)}
                style={{ left: `${start * 100}%`, width: `max(3px, ${width * 100}%)` }}
              />
            </span>
            <span className="num">{step.startedAt === null ? step.state : duration(tookMs(step))}</span>
          </li>
        );
      })}
    </ol>
  );
}

function StepDetail({ run, step }: { readonly run: string; readonly step: Step }) {
  const why = useGet('GET /pipeline-runs/:id/steps/:step/why', { params: { id: run, step: step.name } });
  return (
    <Part title={step.name}>
      <p>
        <Status health={healthOf(step.state)} word={`${step.state}${step.reason ? `: ${step.reason}` : ''}`} />
      </p>
      {step.failure && (
        <p style={{ color: 'var(--bad)' }}>
          {step.failure.message} {step.failure.hint && <Code>{step.failure.hint}</Code>}
        </p>
      )}
      {why.data && (
        <ul className={classes['parts']}>
          {why.data.parts.map((part) => (
            <li key={part.what} data-changed={part.changed || undefined}>
              {part.changed ? 'changed' : 'the same'}: {part.what}
            </li>
          ))}
        </ul>
      )}
      <Log key={`${run}/${step.name}/${step.attempt}`} run={run} step={step.name} />
    </Part>
  );
}

const MAX_LOG_CHARACTERS = 400_000;
const TAIL_BYTES = 65_536;

/** The end of the log, then what comes, as it comes; bounded however long it is. */
function Log({ run, step }: { readonly run: string; readonly step: string }) {
  const [text, setText] = useState('');
  const place = useRef<HTMLPreElement>(null);
  useEffect(() => {
    const stopping = new AbortController();
    void follow(run, step, stopping.signal, (more) => setText((before) => (before + more).slice(-MAX_LOG_CHARACTERS)));
    return () => stopping.abort();
  }, [run, step]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what moves it
  useEffect(() => {
    place.current?.scrollTo({ top: place.current.scrollHeight });
  }, [text]);
  return (
    <pre ref={place} className={classes['log']} tabIndex={0} aria-label={`log of ${step}`}>
      {text || 'No output.'}
    </pre>
  );
}

async function follow(run: string, step: string, signal: AbortSignal, onText: (text: string) => void): Promise<void> {
  let offset = -TAIL_BYTES;
  while (!signal.aborted) {
    const chunk = await call('GET /pipeline-runs/:id/steps/:step/log', {
      params: { id: run, step },
      query: { offset, wait: offset < 0 ? 0 : 20 } as never,
      signal,
    }).catch(() => undefined);
    if (!chunk) return;
    if (chunk.text !== '') onText(chunk.text);
    offset = chunk.nextOffset;
    if (chunk.finished && chunk.text === '') return;
  }
}
