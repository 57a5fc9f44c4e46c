import { useQueries } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { call } from '../api/client.ts';
import { useGet } from '../api/queries.ts';
import type { AnswerOf } from '../api/routes.ts';
import { count, shortId } from '../ui/format.ts';
import { GoLink } from '../ui/link.tsx';
import { RelativeTime } from '../ui/time.tsx';
import classes from './lineage.module.css';
import { placeOfData, placeOfModel, placeOfRun, placeOfVersion } from './places.ts';

type Version = AnswerOf<'GET /models/:model/versions/:version'>;

interface LineageProps {
  readonly version: Version;
  readonly endpoint: string | null;
}

/** From data to endpoint: what a version was made of, and where it answers; every link of the chain leads to its page. */
export function Lineage({ version, endpoint }: LineageProps) {
  const stages = [
    <Made key="made" version={version} />,
    <Ran key="ran" version={version} />,
    <Became key="became" version={version} />,
  ];
  return (
    <ol className={classes['strip']} aria-label="From data to endpoint">
      {stages.map((stage) => (
        <li key={stage.key} className={classes['stage']}>
          {stage}
        </li>
      ))}
      {endpoint !== null && (
        <li className={classes['stage']}>
          <Answers version={version} endpoint={endpoint} />
        </li>
      )}
    </ol>
  );
}

/** Data, code and environment: three things that a version stands on. */
function Made({ version }: { readonly version: Version }) {
  const { data, source, environment, model, version: n } = version;
  const datasets = useQueries({
    queries: data.map(({ dataset, version: wanted }) => ({
      queryKey: ['GET /datasets/:name/versions', { params: { name: dataset }, at: wanted }],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        call('GET /datasets/:name/versions', { params: { name: dataset }, query: { limit: 200 } as never, signal }),
      staleTime: Number.POSITIVE_INFINITY,
    })),
  });
  return (
    <>
      {data.map(({ dataset, version: of, asOf }, index) => {
        const found = datasets[index]?.data?.items.find((each) => each.version === of);
        return (
          <Chip
            key={dataset}
            kind={`data${asOf === null ? '' : ` until ${asOf.slice(0, 10)}`}`}
            to={placeOfData(dataset, of)}
            when={found?.createdAt}
          >
            {dataset} v{of}
            {found && <span className="muted"> {count(found.rowCount)} rows</span>}
          </Chip>
        );
      })}
      {source && (
        <Chip kind="code" to={`${placeOfVersion(model, n)}#code`}>
          <span className="mono">{source.slice(0, 7)}</span>
        </Chip>
      )}
      {environment && (
        <Chip kind="environment" to={`${placeOfVersion(model, n)}#code`}>
          <span className="mono">{environment.slice(0, 7)}</span>
        </Chip>
      )}
      {data.length === 0 && !source && !environment && <Chip kind="data, code">not known</Chip>}
    </>
  );
}

function Ran({ version }: { readonly version: Version }) {
  const { runId, pipelineRunId, model } = version;
  const run = useGet('GET /runs/:id', { params: { id: runId ?? '' } }, { enabled: runId !== null });
  return (
    <>
      {pipelineRunId !== null && (
        <Chip kind="pipeline run" to={placeOfRun(model, pipelineRunId)}>
          <span className="mono">{shortId(pipelineRunId)}</span>
        </Chip>
      )}
      {runId === null ? (
        <Chip kind="run">not known</Chip>
      ) : (
        <Chip kind="run" to={`/runs/${encodeURIComponent(runId)}`} when={run.data?.endedAt ?? run.data?.startedAt}>
          {run.data?.name ? `${run.data.name} ` : ''}
          <span className="mono">{shortId(runId)}</span>
        </Chip>
      )}
    </>
  );
}

function Became({ version }: { readonly version: Version }) {
  const { model, version: n, createdAt, gate } = version;
  return (
    <Chip
      kind={gate ? `version, gate ${gate.outcome.replace('_', ' ')}` : 'version'}
      to={placeOfVersion(model, n)}
      when={createdAt}
      isHere
    >
      {model} v{n}
    </Chip>
  );
}

/** When it came to answer there: the start of its rollout that ended well. */
function Answers({ version, endpoint }: { readonly version: Version; readonly endpoint: string }) {
  const { data } = useGet('GET /endpoints/:name/rollouts', {
    params: { name: endpoint },
    query: { limit: 100 } as never,
  });
  const rollout = data?.items.find((each) => each.versionId === version.id);
  return (
    <Chip kind="endpoint" to={placeOfModel(version.model, 'live')} when={rollout?.startedAt}>
      {endpoint}
      {rollout && (
        <span className="muted">
          {' '}
          {rollout.state === 'done' ? rollout.plan.strategy.replace('_', '/') : rollout.state}
        </span>
      )}
    </Chip>
  );
}

interface ChipProps {
  readonly kind: string;
  readonly to?: string;
  readonly when?: string | null | undefined;
  readonly isHere?: boolean;
  readonly children: ReactNode;
}

function Chip({ kind, to, when, isHere, children }: ChipProps) {
  const body = (
    <>
      <span className={classes['kind']}>{kind}</span>
      <span className={classes['title']}>{children}</span>
      {when && (
        <span className={classes['when']}>
          <RelativeTime at={when} />
        </span>
      )}
    </>
  );
  if (to === undefined) return <span className={classes['chip']}>{body}</span>;
  return (
    <GoLink to={to} className={classes['chip']} data-here={isHere || undefined}>
      {body}
    </GoLink>
  );
}
