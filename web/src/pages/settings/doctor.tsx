import { Button } from '@mantine/core';
import { useGet } from '../../api/queries.ts';
import { Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { type Health, Status } from '../../ui/status.tsx';
import classes from './settings.module.css';

const HEALTH: Readonly<Record<string, Health>> = { ok: 'good', warning: 'watch', missing: 'bad' };

/** What the server needs of its machine, looked at now. */
export function Doctor() {
  const { data, error, refetch, isFetching } = useGet('GET /server/doctor');
  return (
    <Part
      title="Doctor"
      tools={
        <Button size="compact-xs" variant="default" loading={isFetching} onClick={() => void refetch()}>
          Look again
        </Button>
      }
    >
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={6} />
      ) : (
        <ul className={classes['findings']}>
          {data.findings.map(({ name, state, detail, fix }) => (
            <li key={name}>
              <Status health={HEALTH[state] ?? 'unknown'} word={name} title={state} />
              <span className={classes['detail']}>
                {state === 'ok' ? detail : `${state}: ${detail}`}
                {fix && <span className="muted"> — {fix}</span>}
              </span>
            </li>
          ))}
        </ul>
      )}
      <p className="muted">
        <code>levain doctor</code> looks at your own machine and folder in the same way.
      </p>
    </Part>
  );
}
