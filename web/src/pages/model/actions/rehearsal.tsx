import { Button, Group, Modal, Stack } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { call } from '../../../api/client.ts';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import type { ModelStatus } from '../../../domain/model-facts.tsx';
import { placeOfIncident, placeOfVersion, placeOfWhy } from '../../../domain/places.ts';
import { type Opened, Refusal } from '../../../ui/confirm.tsx';
import { count } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Rows } from '../../../ui/states.tsx';
import { type Health, Status } from '../../../ui/status.tsx';
import { RelativeTime } from '../../../ui/time.tsx';
import { DoLink } from './do.tsx';

export type Rehearsal = AnswerOf<'GET /rehearsals/:id'>;

const WAIT_SECONDS = 20;
const SHOWN = 5;

/** The rehearsal as it goes on: the server answers when something changed. */
function useRehearsal(id: string) {
  const stamp = useRef<string | undefined>(undefined);
  return useQuery({
    queryKey: ['GET /rehearsals/:id', { params: { id } }],
    queryFn: async ({ signal }) => {
      const since = stamp.current;
      const query = since === undefined ? {} : { since, wait: WAIT_SECONDS };
      const found = await call('GET /rehearsals/:id', { params: { id }, query: query as never, signal });
      stamp.current = found.state === 'running' ? found.stamp : undefined;
      return found;
    },
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? 1 : false),
    staleTime: 0,
  });
}

interface RehearsalDialogProps {
  readonly id: string;
  readonly model: ModelStatus;
  readonly opened: Opened;
  readonly onBack: () => void;
}

/** How a rehearsal goes, and in the end how it went. */
export function RehearsalDialog({ id, model, opened, onBack }: RehearsalDialogProps) {
  const { data, error } = useRehearsal(id);
  return (
    <Modal
      {...stateOf(opened)}
      title={data ? `REHEARSAL ${data.kind} of ${data.model}` : 'REHEARSAL'}
      centered
      size="xl"
    >
      <Stack gap="sm">
        {error && <Refusal error={error} />}
        {!data && !error && <Rows count={3} />}
        {data && <Report rehearsal={data} model={model} />}
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={onBack}>
            Another one
          </Button>
          <Button size="xs" onClick={opened.onClose}>
            Close
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

const stateOf = ({ isOpen, onClose }: Opened) => ({ opened: isOpen, onClose });

const HEALTH: Readonly<Record<Rehearsal['state'], Health>> = {
  planned: 'unknown',
  running: 'running',
  done: 'good',
  failed: 'bad',
};

function Report({ rehearsal, model }: { readonly rehearsal: Rehearsal; readonly model: ModelStatus }) {
  const { state, report, incident, startedAt, startedBy, id } = rehearsal;
  const { sentence, acted, cost, requests, version } = report;
  return (
    <>
      <div aria-live="polite" style={{ display: 'grid', gap: 6 }}>
        <Status health={HEALTH[state]} word={state} />
        <p style={{ overflowWrap: 'anywhere' }}>{sentence}</p>
        {state === 'running' && <p className="muted num">{count(requests)} tagged requests so far</p>}
      </div>
      {acted.length > 0 && (
        <ul style={{ margin: 0, paddingLeft: 18 }}>
          {acted.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {cost !== null && <p className="muted">Cost: {cost}</p>}
      <p style={{ display: 'flex', flexWrap: 'wrap', gap: '4px 16px' }}>
        {incident !== null && <GoLink to={placeOfIncident(incident)}>incident {incident}</GoLink>}
        {version !== undefined && <GoLink to={placeOfVersion(rehearsal.model, version)}>v{version}</GoLink>}
        {state !== 'running' && <GoLink to={placeOfWhy(id)}>why</GoLink>}
        {model.hold !== null && state === 'done' && <DoLink what="resume">resume {model.name}</DoLink>}
        <span className="muted">
          begun by {startedBy} <RelativeTime at={startedAt} />
        </span>
      </p>
    </>
  );
}

interface EarlierProps {
  readonly model: ModelStatus;
  readonly onOpen: (id: string) => void;
}

/** The last few of this model; each opens its report. */
export function EarlierRehearsals({ model, onOpen }: EarlierProps) {
  const { data } = useGet('GET /rehearsals', { query: { limit: 100 } as never });
  const own = (data?.items ?? []).filter((each) => each.model === model.name).slice(0, SHOWN);
  if (own.length === 0) return null;
  return (
    <section style={{ display: 'grid', gap: 4 }}>
      <h3>Earlier rehearsals</h3>
      {own.map((each) => (
        <div key={each.id} style={{ display: 'flex', gap: 10, minWidth: 0 }}>
          <Status health={HEALTH[each.state]} word={each.state} iconOnly />
          <Button size="compact-xs" variant="subtle" style={{ flex: 'none' }} onClick={() => onOpen(each.id)}>
            {each.kind}
          </Button>
          <span
            className="muted"
            title={each.report.sentence}
            style={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap', minWidth: 0 }}
          >
            <RelativeTime at={each.startedAt} /> · {each.report.sentence}
          </span>
        </div>
      ))}
    </section>
  );
}
