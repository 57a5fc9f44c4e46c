import { Tabs } from '@mantine/core';
import { Outlet, useNavigate, useParams, useRouterState } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { FiveLights } from '../../domain/lights.tsx';
import { percent } from '../../ui/format.ts';
import { Page } from '../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../ui/states.tsx';
import { ModelActions } from './actions.tsx';

export type ModelStatus = AnswerOf<'GET /status'>['models'][number];

const TABS = ['overview', 'live', 'monitor', 'versions', 'pipeline'] as const;

export const useModelName = (): string => (useParams({ strict: false }) as { name: string }).name;

/** The model that the address names, as the status tells it. */
export function useModel(): ModelStatus | undefined {
  const name = useModelName();
  return useGet('GET /status').data?.models.find((model) => model.name === name);
}

/** A model is one place: header with what is live and its lights, and five tabs. */
export default function ModelLayout() {
  const name = useModelName();
  const { data, error, refetch } = useGet('GET /status');
  const navigate = useNavigate();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Rows count={10} />;
  const model = data.models.find((each) => each.name === name);
  if (!model) return <Empty command="levain status">There is no model called {name}.</Empty>;
  const last = path.split('/').at(-1) ?? '';
  const tab = (TABS as readonly string[]).includes(last) ? last : 'overview';
  return (
    <Page
      title={name}
      status={
        <>
          <span>{liveOf(model)}</span>
          {model.held !== null && <strong title={model.held}>HELD</strong>}
          <FiveLights lights={model.lights} />
        </>
      }
      actions={<ModelActions model={model} />}
    >
      <Tabs
        value={tab}
        onChange={(next) => {
          const to = next === 'overview' ? '/m/$name' : `/m/$name/${next ?? ''}`;
          void navigate({ to: to as '/m/$name', params: { name }, search: {} as never });
        }}
        keepMounted={false}
      >
        <Tabs.List>
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {each[0]!.toUpperCase() + each.slice(1)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab} pt="md">
          <Outlet />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

const liveOf = ({ live }: ModelStatus): string =>
  live.length === 0 ? 'not deployed' : live.map(({ version, share }) => `v${version} ${percent(share)}`).join(' · ');
