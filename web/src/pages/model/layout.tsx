import { Skeleton } from '@mantine/core';
import { Outlet, useParams } from '@tanstack/react-router';
import { useGet } from '../../api/queries.ts';
import type { ModelStatus } from '../../domain/model-facts.tsx';
import { Empty, Failure } from '../../ui/states.tsx';
import { useViewState } from '../../ui/view-state.ts';
import { ModelHeader } from './header.tsx';
import classes from './layout.module.css';
import { Notices } from './notices.tsx';
import { ModelTabs } from './tabs.tsx';

export type { ModelStatus } from '../../domain/model-facts.tsx';

export const useModelName = (): string => (useParams({ strict: false }) as { name: string }).name;

/** The endpoints that the model has, each with its own lights and shares; one row without an endpoint where it has none. */
function useRows(): readonly ModelStatus[] {
  const name = useModelName();
  return (useGet('GET /status').data?.models ?? []).filter((model) => model.name === name);
}

/** The model that the address names, as the status tells it; of several endpoints the one that the address chose. */
export function useModel(): ModelStatus | undefined {
  const rows = useRows();
  const [endpoint] = useViewState('endpoint');
  return rows.find((row) => row.endpoint === endpoint) ?? rows[0];
}

/** A model is one place: what is live with its lights, what needs somebody, and five tabs. */
export default function ModelLayout() {
  const name = useModelName();
  const { data, error, refetch } = useGet('GET /status');
  const rows = useRows();
  const model = useModel();
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Waiting />;
  if (!model)
    return (
      <Empty command="levain models">
        There is no model called <bdi>{name}</bdi>.
      </Empty>
    );
  return (
    <article className={classes['model']}>
      <ModelHeader model={model} endpoints={rows.flatMap(({ endpoint }) => endpoint ?? [])} />
      <Notices model={model} />
      <ModelTabs />
      <Outlet />
    </article>
  );
}

function Waiting() {
  return (
    <div role="status" aria-label="Loading" className={classes['skeleton']}>
      <Skeleton height={26} width="40%" />
      <Skeleton height={18} width="55%" />
      <Skeleton height={34} />
      <Skeleton height={260} />
    </div>
  );
}
