import { placeOfModel, placeOfRun, placeOfVersion } from '../../domain/places.ts';
import { Facts } from '../../ui/facts.tsx';
import { duration } from '../../ui/format.ts';
import { Id } from '../../ui/id.tsx';
import { GoLink } from '../../ui/link.tsx';
import { Part } from '../../ui/page.tsx';
import type { Health } from '../../ui/status.tsx';
import { Status } from '../../ui/status.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import { useTableView } from '../../ui/view-state.ts';
import type { Uses } from './page.tsx';

/** Applied files that name the dataset, model versions made of it, runs that settled on it; of one version, or of all. */
export function UsedBy({ uses, version }: { readonly uses: Uses; readonly version?: number }) {
  const models = useTableView('models-');
  const runs = useTableView('runs-');
  const isOf = (n: number | null): boolean => version === undefined || n === version;
  return (
    <>
      <Part title="Applied files">
        {uses.pipelines.length === 0 ? (
          <p className="muted">No applied levain.yaml names this dataset.</p>
        ) : (
          uses.pipelines.map((pipeline) => <Pipeline key={pipeline.pipeline} pipeline={pipeline} />)
        )}
      </Part>
      <Part title={version === undefined ? 'Model versions' : `Model versions made of v${version}`}>
        <Table
          label="Model versions"
          rows={uses.models.filter(({ dataset }) => isOf(dataset))}
          columns={MODELS}
          rowId={(each) => `${each.model}@v${each.version}`}
          sort={models.sort}
          onSort={models.onSort}
          to={(each) => placeOfVersion(each.model, each.version)}
          height={300}
          empty="No model version was made of it."
        />
      </Part>
      <Part title={version === undefined ? 'Runs' : `Runs that saw v${version}`}>
        <Table
          label="Runs"
          rows={uses.runs.filter((run) => isOf(run.version))}
          columns={RUNS}
          rowId={({ id }) => id}
          sort={runs.sort}
          onSort={runs.onSort}
          to={({ pipeline, id }) => placeOfRun(pipeline, id)}
          height={300}
          empty="No run saw it."
        />
      </Part>
    </>
  );
}

function Pipeline({ pipeline }: { readonly pipeline: Uses['pipelines'][number] }) {
  return (
    <Facts
      facts={[
        [
          'pipeline',
          <GoLink key="p" to={placeOfModel(pipeline.pipeline, 'pipeline')}>
            {pipeline.pipeline}
          </GoLink>,
        ],
        ['source', <code key="s">{pipeline.from}</code>],
        ['in', <code key="f">{pipeline.folder}</code>],
        ['key', pipeline.key.join(', ') || 'none: a row is told by its values'],
        ['event time', pipeline.time ?? 'none'],
        ['window', pipeline.windowMs === null ? 'all rows' : `the last ${duration(pipeline.windowMs)}`],
        ['promises about', pipeline.expects.join(', ') || 'nothing'],
        ['read by steps', pipeline.steps.join(', ') || 'none'],
        ...(pipeline.labels ? ([['labels', 'its rows become labels']] as const) : []),
      ]}
    />
  );
}

const MODELS: readonly Column<Uses['models'][number]>[] = [
  {
    id: 'version',
    header: 'version',
    value: ({ model, version }) => `${model}@v${version}`,
    cell: ({ model, version }) => <strong>{`${model}@v${version}`}</strong>,
  },
  { id: 'alias', header: 'alias', value: ({ aliases }) => aliases.join(', ') || null },
  { id: 'dataset', header: 'of data', value: ({ dataset }) => `v${dataset}` },
  {
    id: 'gate',
    header: 'gate',
    value: ({ gate }) => gate,
    cell: ({ gate }) => (
      <Status
        health={gate === 'passed' ? 'good' : gate === 'failed' ? 'bad' : 'unknown'}
        word={gate?.replace('_', ' ') ?? 'has not run'}
      />
    ),
  },
  {
    id: 'made',
    header: 'made',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
];

const RUN_HEALTH: Readonly<Record<string, Health>> = {
  succeeded: 'good',
  failed: 'bad',
  gate_failed: 'watch',
  running: 'running',
  pending: 'running',
};

const RUNS: readonly Column<Uses['runs'][number]>[] = [
  { id: 'id', header: 'run', value: ({ id }) => id, cell: ({ id }) => <Id id={id} /> },
  { id: 'pipeline', header: 'pipeline', value: ({ pipeline }) => pipeline },
  {
    id: 'state',
    header: 'state',
    value: ({ state }) => state,
    cell: ({ state }) => <Status health={RUN_HEALTH[state] ?? 'unknown'} word={state.replaceAll('_', ' ')} />,
  },
  { id: 'data', header: 'saw', value: ({ version }) => (version === null ? null : `v${version}`) },
  {
    id: 'made',
    header: 'made',
    value: ({ model, modelVersion }) => (modelVersion === null ? null : `${model}@v${modelVersion}`),
  },
  {
    id: 'failure',
    header: 'failure',
    value: ({ failure }) => failure,
    cell: ({ failure }) => (failure ? <span title={failure}>{failure}</span> : '—'),
  },
  {
    id: 'at',
    header: 'when',
    value: ({ createdAt }) => createdAt,
    cell: ({ createdAt }) => <RelativeTime at={createdAt} />,
  },
];
