import { useNavigate } from '@tanstack/react-router';
import type { AnswerOf } from '../../api/routes.ts';
import { FiveLights } from '../../domain/lights.tsx';
import { percent } from '../../ui/format.ts';
import { type Column, Table } from '../../ui/table.tsx';
import { EventTime, RelativeTime } from '../../ui/time.tsx';

type Model = AnswerOf<'GET /status'>['models'][number];

const live = ({ live }: Model): string =>
  live.length === 0 ? 'not deployed' : live.map(({ version, share }) => `v${version} ${percent(share)}`).join(' · ');

const COLUMNS: readonly Column<Model>[] = [
  { id: 'name', header: 'model', value: ({ name }) => name, cell: ({ name }) => <strong>{name}</strong> },
  {
    id: 'lights',
    header: 'lights',
    value: ({ lights }) => lights.service.state,
    cell: ({ lights }) => <FiveLights lights={lights} iconOnly />,
  },
  { id: 'live', header: 'live', value: live },
  {
    id: 'rollout',
    header: 'rollout',
    value: ({ rollout }) => (rollout ? `v${rollout.version} ${rollout.state}` : null),
  },
  { id: 'held', header: 'hold', value: ({ held }) => (held === null ? null : `HELD: ${held}`) },
  {
    id: 'labels',
    header: 'labels',
    numeric: true,
    value: ({ labelCoverage }) => labelCoverage,
    cell: ({ labelCoverage }) => percent(labelCoverage),
  },
  {
    id: 'clock',
    header: 'event clock',
    value: ({ eventClock }) => eventClock,
    cell: ({ eventClock }) => <EventTime at={eventClock} />,
  },
  {
    id: 'deploy',
    header: 'last deploy',
    value: ({ lastDeploy }) => lastDeploy?.at,
    cell: ({ lastDeploy }) =>
      lastDeploy ? (
        <>
          v{lastDeploy.version} <RelativeTime at={lastDeploy.at} />
        </>
      ) : (
        '—'
      ),
  },
];

export function ModelRows({ models }: { readonly models: readonly Model[] }) {
  const navigate = useNavigate();
  return (
    <Table
      label="Models"
      rows={models}
      columns={COLUMNS}
      rowId={({ name, endpoint }) => `${name}/${endpoint ?? ''}`}
      onOpen={({ name }) => void navigate({ to: `/m/${encodeURIComponent(name)}` })}
    />
  );
}
