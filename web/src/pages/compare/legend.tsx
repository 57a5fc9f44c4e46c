import { ActionIcon } from '@mantine/core';
import type { AnswerOf } from '../../api/routes.ts';
import type { ChartRun } from '../../domain/metric-series.ts';
import { RunStatus } from '../../domain/run-status.tsx';
import type { RunVersion } from '../../domain/run-versions.ts';
import { GoLink } from '../../ui/link.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import classes from './compare.module.css';

export type Run = AnswerOf<'GET /runs/:id'>;

interface LegendProps {
  readonly runs: readonly Run[];
  readonly charted: readonly ChartRun[];
  readonly versions: ReadonlyMap<string, RunVersion>;
  readonly onRemove: (id: string) => void;
}

/** Which runs these are, in the colours of the charts. */
export function Legend({ runs, charted, versions, onRemove }: LegendProps) {
  return (
    <ul className={classes['legend']}>
      {runs.map((run, i) => {
        const version = versions.get(run.id);
        return (
          <li key={run.id}>
            <Swatch colour={charted[i]!.colour} />
            <GoLink to={`/runs/${run.id}`} title={run.name}>
              {charted[i]!.label}
            </GoLink>
            <RunStatus status={run.status} />
            <span className="muted">
              {version && `${version.model} v${version.version}${version.isChampion ? ', champion' : ''} · `}
              <RelativeTime at={run.startedAt} />
            </span>
            <ActionIcon
              size="xs"
              variant="subtle"
              color="gray"
              aria-label={`Leave out ${run.name}`}
              onClick={() => onRemove(run.id)}
            >
              ×
            </ActionIcon>
          </li>
        );
      })}
    </ul>
  );
}

export function Swatch({ colour }: { readonly colour: string }) {
  return <span className={classes['swatch']} style={{ background: `var(${colour})` }} aria-hidden="true" />;
}
