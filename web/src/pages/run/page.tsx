import { Tabs } from '@mantine/core';
import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { MetricGrid } from '../../domain/metric-grid.tsx';
import { toChartRuns } from '../../domain/metric-series.ts';
import { placeOfVersion } from '../../domain/places.ts';
import { RunStatus } from '../../domain/run-status.tsx';
import { useRunVersions } from '../../domain/run-versions.ts';
import { duration } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { RelativeTime, useNow } from '../../ui/time.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { RunActions } from './actions.tsx';
import { Files } from './files.tsx';
import { Overview } from './overview.tsx';
import classes from './run.module.css';

export type Run = AnswerOf<'GET /runs/:id'>;

/** One run: what it was given, what it measured, what it left, on which data, code and environment. */
export default function RunPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { data, error, refetch } = useGet('GET /runs/:id', { params: { id } });
  if (error && data?.id !== id) return <Failure error={error} retry={() => void refetch()} />;
  if (!data || data.id !== id) return <Rows count={12} />;
  return (
    <Page title={data.name} status={<State run={data} />} actions={<RunActions run={data} />}>
      <RunTabs run={data} />
    </Page>
  );
}

function State({ run }: { readonly run: Run }) {
  const now = useNow();
  const version = useRunVersions().get(run.id);
  const end = run.endedAt === null ? now : Date.parse(run.endedAt);
  const took = duration(Math.max(0, end - Date.parse(run.startedAt)));
  return (
    <>
      <RunStatus status={run.status} />
      {run.lifecycle === 'deleted' && <strong>DELETED</strong>}
      <span>
        started <RelativeTime at={run.startedAt} />
      </span>
      <span>{run.endedAt === null ? `running for ${took}` : `took ${took}`}</span>
      {run.user !== '' && <span>by {run.user}</span>}
      {version && (
        <span>
          became{' '}
          <GoLink className={classes['inText']} to={placeOfVersion(version.model, version.version)}>
            {version.model} v{version.version}
          </GoLink>
          {version.isChampion && ', the champion'}
        </span>
      )}
    </>
  );
}

function RunTabs({ run }: { readonly run: Run }) {
  const [tab, setTab] = useViewState('tab', 'overview');
  const metrics = useMemo(() => run.latest.map(({ key }) => key), [run.latest]);
  const runs = useMemo(() => toChartRuns([{ id: run.id, name: run.name }]), [run.id, run.name]);
  const known = ['overview', 'charts', 'files'].includes(tab) ? tab : 'overview';
  return (
    <Tabs
      value={known}
      onChange={(next) => setTab(next === 'overview' ? undefined : (next ?? undefined))}
      keepMounted={false}
    >
      <Tabs.List>
        <Tabs.Tab value="overview">Overview</Tabs.Tab>
        <Tabs.Tab value="charts">
          Charts {metrics.length > 0 && <span className="muted">{metrics.length}</span>}
        </Tabs.Tab>
        <Tabs.Tab value="files">Artifacts</Tabs.Tab>
      </Tabs.List>
      <Tabs.Panel value="overview" pt="md">
        <Overview run={run} />
      </Tabs.Panel>
      <Tabs.Panel value="charts" pt="md">
        <div style={{ display: 'grid', gap: 16 }}>
          {metrics.length === 0 ? (
            <Empty command='mlflow.log_metric("loss", loss, step=step)'>This run measured nothing yet.</Empty>
          ) : (
            <MetricGrid runs={runs} metrics={metrics} />
          )}
        </div>
      </Tabs.Panel>
      <Tabs.Panel value="files" pt="md">
        <Files run={run} />
      </Tabs.Panel>
    </Tabs>
  );
}
