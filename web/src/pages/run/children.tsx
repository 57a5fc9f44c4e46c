import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { measured, RunStatus } from '../../domain/run-status.tsx';
import { exact, number } from '../../ui/format.ts';
import { GoLink } from '../../ui/link.tsx';
import { Part } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { useTableView } from '../../ui/view-state.ts';
import type { Run } from './page.tsx';

type Child = AnswerOf<'GET /runs'>['items'][number];

const MAX_CHILDREN = 200;
const MAX_METRICS = 4;
const MAX_COMPARED = 20;
const HEIGHT = 360;

/** Runs nested below this one, such as the trials of a search. */
export function ChildRuns({ run }: { readonly run: Run }) {
  const filter = `tags.mlflow.parentRunId = '${run.id}'`;
  const { data } = useGet('GET /runs', { query: { filter, limit: MAX_CHILDREN } });
  const view = useTableView('c');
  const children = data?.items ?? [];
  if (children.length === 0) return null;
  const metrics = [...new Set(children.flatMap((child) => Object.keys(child.metrics)))].slice(0, MAX_METRICS);
  const ids = children.slice(0, MAX_COMPARED).map(({ id }) => id);
  return (
    <Part
      title="Child runs"
      tools={
        ids.length > 1 && (
          <GoLink to={`/compare?runs=${ids.join(',')}`}>
            Compare {ids.length === children.length ? 'them' : `the newest ${ids.length}`}
          </GoLink>
        )
      }
    >
      <Table
        label="Child runs"
        rows={children}
        columns={columnsOf(metrics)}
        rowId={({ id }) => id}
        sort={view.sort}
        onSort={view.onSort}
        to={({ id }) => `/runs/${id}`}
        height={HEIGHT}
      />
      {data?.next !== undefined && <p className="muted">The newest {MAX_CHILDREN}.</p>}
    </Part>
  );
}

const columnsOf = (metrics: readonly string[]): readonly Column<Child>[] => [
  { id: 'name', header: 'run', value: ({ name }) => name },
  {
    id: 'state',
    header: 'state',
    value: ({ status }) => status,
    cell: ({ status }) => <RunStatus status={status} />,
  },
  ...metrics.map(
    (key): Column<Child> => ({
      id: key,
      header: key,
      numeric: true,
      value: (child) => measured(child.metrics[key]),
      cell: (child) => {
        const value = measured(child.metrics[key]);
        return <span title={exact(value)}>{number(value)}</span>;
      },
    }),
  ),
];
