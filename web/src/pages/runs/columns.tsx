import { placeOfRun } from '../../domain/places.ts';
import { RunStatus } from '../../domain/run-status.tsx';
import { duration, exact, number } from '../../ui/format.ts';
import { Id } from '../../ui/id.tsx';
import { GoLink } from '../../ui/link.tsx';
import type { Column } from '../../ui/table.tsx';
import { RelativeTime } from '../../ui/time.tsx';
import type { RunRow } from './table-data.ts';

const NAME: Column<RunRow> = { id: 'name', header: 'run', value: ({ name }) => name, width: 230 };

/** What every run has, whatever it logged. */
export const FACTS: readonly Column<RunRow>[] = [
  {
    id: 'status',
    header: 'state',
    value: ({ status }) => status.toLowerCase(),
    cell: ({ status }) => <RunStatus status={status} />,
    width: 104,
  },
  {
    id: 'started',
    header: 'started',
    value: ({ startedAt }) => startedAt,
    cell: ({ startedAt }) => <RelativeTime at={startedAt} />,
    width: 112,
  },
  {
    id: 'took',
    header: 'took',
    title: 'from start to end',
    numeric: true,
    value: tookMs,
    cell: (run) => <span>{duration(tookMs(run))}</span>,
    width: 104,
  },
  {
    id: 'from',
    header: 'from',
    title: 'the pipeline and step that made it',
    value: ({ pipeline, step }) => (pipeline === null ? null : `${pipeline} / ${step ?? ''}`),
    cell: ({ pipeline, pipelineRun, step }) =>
      pipeline === null ? '—' : <GoLink to={placeOfRun(pipeline, pipelineRun ?? '')}>{`${pipeline} / ${step}`}</GoLink>,
    width: 132,
  },
  { id: 'user', header: 'user', value: ({ user }) => (user === '' ? null : user), width: 96 },
  { id: 'id', header: 'id', value: ({ id }) => id, cell: ({ id }) => <Id id={id} />, width: 92 },
];

export function tookMs({ startedAt, endedAt }: RunRow): number | null {
  return endedAt === null ? null : Math.max(0, endedAt - startedAt);
}

/** `params.depth` is a parameter called depth. */
export const keyOf = (id: string): string => id.slice(id.indexOf('.') + 1);
export const kindOf = (id: string): string => id.slice(0, id.indexOf('.'));

const WORDS: Readonly<Record<string, string>> = { metrics: 'metric, last value', params: 'parameter', tags: 'tag' };

/** The name, the facts, and a column for each that was asked for. */
export function columnsOf(
  logged: readonly string[],
  experiments: ReadonlyMap<string, string>,
): readonly Column<RunRow>[] {
  return [NAME, ...FACTS, experimentColumn(experiments), ...logged.map(toColumn)];
}

const experimentColumn = (names: ReadonlyMap<string, string>): Column<RunRow> => ({
  id: 'experiment',
  header: 'experiment',
  value: ({ experiment }) => names.get(experiment) ?? experiment,
  width: 120,
});

function toColumn(id: string, index: number): Column<RunRow> {
  const isNumber = kindOf(id) === 'metrics';
  return {
    id,
    header: keyOf(id),
    title: `${WORDS[kindOf(id)]}: ${keyOf(id)}`,
    numeric: isNumber,
    value: ({ cells }) => sortable(cells[index] ?? null, isNumber),
    ...(isNumber && {
      cell: ({ cells }) => (
        <span title={exact(cells[index] as number | null)}>{number(cells[index] as number | null)}</span>
      ),
    }),
    width: Math.min(220, Math.max(84, keyOf(id).length * 7.4 + 30)),
  };
}

/** Parameters are texts; those that are numbers sort as numbers. */
function sortable(cell: string | number | null, isNumber: boolean): string | number | null {
  if (isNumber || typeof cell !== 'string' || cell.trim() === '') return cell;
  const value = Number(cell);
  return Number.isNaN(value) ? cell : value;
}
