import { Button, Code, SegmentedControl } from '@mantine/core';
import { useState } from 'react';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';
import { useViewState } from '../../ui/view-state.ts';
import classes from './activity.module.css';

type Line = AnswerOf<'GET /activity'>['items'][number];

const KINDS = ['all', 'data', 'run', 'gate', 'approval', 'deploy', 'rollout', 'incident', 'rehearsal', 'hold'];
const PAGE = 100;

/** The one timeline of everything that happened. Batches of labels are left out unless asked for. */
export default function ActivityPage() {
  const [kind, setKind] = useViewState('kind', 'all');
  const [size, setSize] = useState(PAGE);
  const { data, error, refetch } = useGet('GET /activity', { query: { limit: Math.min(200, size) } as never });
  const lines = (data?.items ?? []).filter((line) => (kind === 'all' ? line.kind !== 'label' : line.kind === kind));
  return (
    <Page title="Activity">
      <SegmentedControl
        size="xs"
        data={KINDS}
        value={kind}
        onChange={(next) => setKind(next === 'all' ? undefined : next)}
        className={classes['kinds']!}
      />
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !data ? (
        <Rows count={12} />
      ) : lines.length === 0 ? (
        <Empty>Nothing of this kind happened yet.</Empty>
      ) : (
        <Timeline lines={lines} />
      )}
      {data?.next && size < 200 && (
        <Button size="xs" variant="default" onClick={() => setSize(size + PAGE)}>
          Older
        </Button>
      )}
    </Page>
  );
}

export function Timeline({ lines }: { readonly lines: readonly Line[] }) {
  return (
    <ol className={classes['lines']}>
      {lines.map((line) => (
        <li key={line.id}>
          <span className={classes['when']}>
            {line.eventAt ? <EventTime at={line.eventAt} /> : <RelativeTime at={line.at} />}
          </span>
          <span className={classes['kind']}>{line.kind}</span>
          <span className={classes['what']}>
            {line.sentence} {line.command && <Code>{line.command}</Code>}
          </span>
          <span className={`${classes['who']} muted`}>{line.actor}</span>
        </li>
      ))}
    </ol>
  );
}
