import type { AnswerOf } from '../../api/routes.ts';

type Answer = AnswerOf<'GET /runs/table'>;
type LoggedColumn = Answer['columns'][number];

export type Cell = string | number | null;

export interface RunRow {
  readonly id: string;
  readonly name: string;
  readonly user: string;
  readonly status: string;
  readonly lifecycle: string;
  readonly experiment: string;
  readonly pipeline: string | null;
  readonly pipelineRun: string | null;
  readonly step: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** In the order of the table's logged columns; null where the run logged none. */
  readonly cells: readonly Cell[];
}

export interface Held {
  readonly rows: readonly RunRow[];
  readonly columns: readonly string[];
  readonly total: number;
  /** When the server read it, and when it last read all of it. */
  readonly at: number;
  readonly wholeAt: number;
}

/** The columns of an answer as rows. */
export function toHeld(answer: Answer): Held {
  const cellsOf = answer.columns.map(toCells);
  const [user, status, lifecycle, experiment, pipeline, pipelineRun, step] = [
    answer.user,
    answer.status,
    answer.lifecycle,
    answer.experiment,
    answer.pipeline,
    answer.pipelineRun,
    answer.step,
  ].map(textsOf) as [Texts, Texts, Texts, Texts, Texts, Texts, Texts];
  const rows = answer.ids.map(
    (id, i): RunRow => ({
      id,
      name: answer.names[i]!,
      user: user(i) ?? '',
      status: status(i) ?? '',
      lifecycle: lifecycle(i) ?? 'active',
      experiment: experiment(i) ?? '',
      pipeline: pipeline(i),
      pipelineRun: pipelineRun(i),
      step: step(i),
      startedAt: answer.startedAt[i]!,
      endedAt: answer.endedAt[i] ?? null,
      cells: cellsOf.map((cells) => cells(i)),
    }),
  );
  return { rows, columns: answer.columns.map(({ id }) => id), total: answer.total, at: answer.at, wholeAt: answer.at };
}

type Texts = (i: number) => string | null;

const textsOf =
  ({ texts, codes }: Answer['user']): Texts =>
  (i) =>
    texts[codes[i]!] ?? null;

const toCells = (column: LoggedColumn): ((i: number) => Cell) =>
  column.kind === 'text' ? textsOf(column) : (i) => toNumber(column.values[i] ?? null);

const toNumber = (value: string | number | null): number | null => (typeof value === 'string' ? Number(value) : value);

/**
 * What was held with newer rows put in: the changed ones in their place, new ones where they belong by start. undefined where the
 * two cannot be one table (a run was deleted), so that all must be read again.
 */
export function merge(held: Held, newer: Held): Held | undefined {
  const placeOf = new Map(held.rows.map(({ id }, i) => [id, i]));
  const rows = [...held.rows];
  const added: RunRow[] = [];
  for (const row of newer.rows) {
    const place = placeOf.get(row.id);
    if (place === undefined) added.push(row);
    else if (!isSame(rows[place]!, row)) rows[place] = row;
  }
  if (rows.length + added.length !== newer.total) return undefined;
  const all = added.length === 0 ? rows : [...rows, ...added].sort(byStart);
  const isAsBefore = added.length === 0 && rows.every((row, i) => row === held.rows[i]);
  return { ...held, rows: isAsBefore ? held.rows : all, total: newer.total, at: newer.at };
}

const byStart = (a: RunRow, b: RunRow): number => b.startedAt - a.startedAt || (a.id < b.id ? -1 : 1);

const isSame = (a: RunRow, b: RunRow): boolean => JSON.stringify(a) === JSON.stringify(b);
