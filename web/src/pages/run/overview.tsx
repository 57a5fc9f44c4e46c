import { useGet } from '../../api/queries.ts';
import { useExperiments } from '../../domain/experiments.ts';
import { placeOfRun, placeOfWhy } from '../../domain/places.ts';
import { Facts } from '../../ui/facts.tsx';
import { Id } from '../../ui/id.tsx';
import { GoLink } from '../../ui/link.tsx';
import { Part, Split } from '../../ui/page.tsx';
import { ChildRuns } from './children.tsx';
import { Curves } from './curves.tsx';
import { Code, DataUsed } from './lineage.tsx';
import { pipelineOf, tagsOf } from './made-by.ts';
import { MetricTable } from './metric-table.tsx';
import { Models } from './models.tsx';
import { Note } from './note.tsx';
import type { Run } from './page.tsx';
import { ParameterTable } from './parameter-table.tsx';
import classes from './run.module.css';
import { Tags } from './tags.tsx';

/** Where it came from at the left; what it was given and what it measured wide. */
export function Overview({ run }: { readonly run: Run }) {
  const { datasets, diff, note, own } = tagsOf(run);
  return (
    <Split
      side={
        <div className={classes['side']}>
          <Origin run={run} />
          <Note key={`note ${run.id}`} run={run} note={note} />
          <Part title="Data used">
            <DataUsed run={run} datasets={datasets} />
          </Part>
          <Part title="Code and environment">
            <Code run={run} diff={diff} />
          </Part>
          <Tags key={`tags ${run.id}`} run={run} tags={own} />
        </div>
      }
    >
      <Curves run={run} />
      <MetricTable run={run} />
      <ParameterTable run={run} />
      <Models run={run} />
      <ChildRuns run={run} />
    </Split>
  );
}

function Origin({ run }: { readonly run: Run }) {
  const experiments = useExperiments();
  const made = pipelineOf(run);
  const parent = run.tags['mlflow.parentRunId'];
  return (
    <Facts
      facts={[
        ['run', <Id key="id" id={run.id} />],
        [
          'experiment',
          <GoLink key="e" to={`/runs?exp=${run.experimentId}`}>
            {experiments.get(run.experimentId) ?? run.experimentId}
          </GoLink>,
        ],
        ...(parent === undefined ? [] : [['part of', <Parent key="p" id={parent} />] as const]),
        ...(made
          ? [
              [
                'made by',
                <GoLink key="m" to={placeOfRun(made.pipeline ?? '', made.run)}>
                  {made.pipeline ?? 'a pipeline'} / {made.step}
                </GoLink>,
              ] as const,
              [
                'why',
                <GoLink key="w" to={placeOfWhy(`${made.run}/${made.step}`)}>
                  why it ran
                </GoLink>,
              ] as const,
            ]
          : []),
      ]}
    />
  );
}

function Parent({ id }: { readonly id: string }) {
  const { data } = useGet('GET /runs/:id', { params: { id } });
  return <GoLink to={`/runs/${id}`}>{data?.name ?? id.slice(-7)}</GoLink>;
}
