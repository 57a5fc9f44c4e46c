import { useMemo } from 'react';
import { useGet } from '../../api/queries.ts';
import { MetricChart } from '../../domain/metric-chart.tsx';
import { toChartRuns } from '../../domain/metric-series.ts';
import { GoLink } from '../../ui/link.tsx';
import { Part } from '../../ui/page.tsx';
import type { Run } from './page.tsx';
import classes from './run.module.css';

const MAX_CURVES = 4;
const HEIGHT = 150;

/** The first metrics that were measured more than once, so that a glance says how it went. */
export function Curves({ run }: { readonly run: Run }) {
  const { data } = useGet('GET /runs/:id/metric-summaries', { params: { id: run.id } });
  const runs = useMemo(() => toChartRuns([{ id: run.id, name: run.name }]), [run.id, run.name]);
  const curves = (data?.items ?? []).filter(({ key, low, high }) => low !== high && !key.startsWith('system/'));
  if (curves.length === 0) return null;
  return (
    <Part title="Curves" tools={<GoLink to={`/runs/${run.id}?tab=charts`}>All charts</GoLink>}>
      <div className={classes['curves']}>
        {curves.slice(0, MAX_CURVES).map(({ key }) => (
          <MetricChart
            key={key}
            runs={runs}
            metric={key}
            axis="step"
            smoothing={0}
            log={false}
            height={HEIGHT}
            syncKey="curves"
          />
        ))}
      </div>
    </Part>
  );
}
