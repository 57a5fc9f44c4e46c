import { SegmentedControl } from '@mantine/core';
import { useMemo } from 'react';
import { useChange } from '../../../api/queries.ts';
import { placeOfIncident, placeOfVersion, placeOfWhy } from '../../../domain/places.ts';
import { Confirm } from '../../../ui/confirm.tsx';
import { type Fact, Facts } from '../../../ui/facts.tsx';
import { duration, shortId } from '../../../ui/format.ts';
import { Graph } from '../../../ui/graph.tsx';
import { Id } from '../../../ui/id.tsx';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Failure, Rows } from '../../../ui/states.tsx';
import { Status } from '../../../ui/status.tsx';
import { EventTime, RelativeTime } from '../../../ui/time.tsx';
import { useViewState } from '../../../ui/view-state.ts';
import { Changes } from './file.tsx';
import classes from './pipeline.module.css';
import { StartRun } from './start-run.tsx';
import { StepDetail } from './step.tsx';
import { Timeline } from './timeline.tsx';
import { useRun } from './use-run.ts';
import { healthOf, incidentOf, type Run, type Step, stepWord, tookMs, triggerWord, wordOf } from './words.ts';

/** One run: how it stands, its steps as graph or on a scale of time, and the step that is looked at. */
export function OneRun({ id }: { readonly id: string }) {
  const { data, error, refetch } = useRun(id);
  const [chosen, choose] = useViewState('step');
  const [view, setView] = useViewState('view', 'graph');
  if (!data) return error ? <Failure error={error} retry={() => void refetch()} /> : <Rows count={8} />;
  const { run, steps } = data;
  const step = steps.find(({ name }) => name === chosen) ?? interesting(steps);
  return (
    <>
      <Part
        title={`Run ${shortId(run.id)}`}
        tools={
          <span className={classes['tools']}>
            <SegmentedControl
              size="xs"
              aria-label="How to show the steps"
              data={['graph', 'timeline']}
              value={view === 'timeline' ? 'timeline' : 'graph'}
              onChange={(next) => setView(next === 'graph' ? undefined : next)}
            />
            {run.finishedAt === null ? <Cancel run={run} /> : <StartRun pipeline={run.pipeline} like={run} />}
          </span>
        }
      >
        <p className={classes['sentence']}>
          <Status health={healthOf(run.state)} word={wordOf(run.state)} /> {run.draft && <strong>DRAFT </strong>}
          {run.cancelRequested && run.finishedAt === null && 'is being cancelled. '}
          {run.failure?.message ?? run.summary}
        </p>
        <div className={classes['runFacts']}>
          <Facts facts={startFacts(run)} />
          <Facts facts={endFacts(run)} />
        </div>
        <Changes run={run} />
        {view === 'timeline' ? (
          <Timeline steps={steps} selected={step?.name ?? ''} onSelect={choose} />
        ) : (
          <StepGraph steps={steps} selected={step?.name} onSelect={choose} />
        )}
      </Part>
      {step && <StepDetail run={run} step={step} />}
    </>
  );
}

/** What one would look at first: what failed, what runs, else the last step of the user's that said something. */
const interesting = (steps: readonly Step[]): Step | undefined =>
  steps.find(({ failure }) => failure !== null) ??
  steps.find(({ state }) => state === 'running' || state === 'leased') ??
  steps.findLast(({ kind }) => kind === 'run' || kind === 'notebook') ??
  steps[0];

function StepGraph({
  steps,
  selected,
  onSelect,
}: {
  readonly steps: readonly Step[];
  readonly selected: string | undefined;
  readonly onSelect: (name: string) => void;
}) {
  const nodes = useMemo(
    () =>
      steps.map((step) => ({ id: step.name, title: step.name, health: healthOf(step.state), word: stepWord(step) })),
    [steps],
  );
  const edges = useMemo(() => {
    const needs = new Map(steps.map((step) => [step.name, step.needs]));
    const below = (name: string): readonly string[] =>
      (needs.get(name) ?? []).flatMap((need) => [need, ...below(need)]);
    // An arrow that another way implies says nothing.
    return steps.flatMap(({ name, needs: own }) =>
      own
        .filter((need) => !own.some((other) => other !== need && below(other).includes(need)))
        .map((need) => [need, name] as const),
    );
  }, [steps]);
  return <Graph label="Steps" nodes={nodes} edges={edges} selected={selected} onSelect={onSelect} height={220} />;
}

function Cancel({ run }: { readonly run: Run }) {
  const cancel = useChange('POST /pipeline-runs/:id/cancel');
  return (
    <Confirm
      verb="Cancel"
      title={`Cancel run ${shortId(run.id)}`}
      danger
      disabled={run.cancelRequested}
      consequence={
        <>
          <p>Steps that run are ended; nothing is registered by this run.</p>
          <p>What its steps have put out stays in the cache, and what is live goes on answering.</p>
        </>
      }
      act={() => cancel.mutateAsync({ params: { id: run.id } })}
    />
  );
}

function startFacts(run: Run): readonly Fact[] {
  const incident = incidentOf(run.trigger);
  const params = Object.entries(run.params);
  return [
    ['id', <Id key="i" id={run.id} />],
    [
      'started by',
      <span key="t">
        {triggerWord(run.trigger.kind)}
        {incident && (
          <>
            {' '}
            of <GoLink to={placeOfIncident(incident)}>incident {incident}</GoLink>
          </>
        )}
        , {run.startedBy}
        {run.rehearsal !== null && <strong> REHEARSAL</strong>}
      </span>,
    ],
    ['when', <RelativeTime key="w" at={run.createdAt} />],
    ...(run.trigger.asOf === null ? [] : [['as of', <EventTime key="a" at={run.trigger.asOf} />] as const]),
    ['data', run.dataMode === 'latest' ? 'looks for newer data' : 'as it is known'],
    [
      'parameters',
      params.length === 0
        ? 'as in the file'
        : params.map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join(', '),
    ],
  ];
}

const endFacts = (run: Run): readonly Fact[] => [
  ['took', duration(tookMs(run))],
  ['waited', duration(run.startedAt === null ? null : Date.parse(run.startedAt) - Date.parse(run.createdAt))],
  [
    'version',
    run.model !== null && run.version !== null ? (
      <GoLink key="v" to={placeOfVersion(run.model, run.version)}>
        {run.model} v{run.version}
      </GoLink>
    ) : (
      'none'
    ),
  ],
  [
    'code',
    <code key="c" title={run.sourceDigest}>
      {run.sourceDigest.slice(0, 7)}
    </code>,
  ],
  [
    'more',
    <GoLink key="m" to={placeOfWhy(run.id)}>
      why, in words
    </GoLink>,
  ],
];
