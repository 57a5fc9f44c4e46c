import type { ServableSpec } from '../../engines/types.ts';
import { AppError } from '../../kernel/errors.ts';
import { type Cell, cellAt, type Frame, findColumn, takeRows } from '../../kernel/frame.ts';
import { backgroundOf, type ModelVersion } from '../../registry/index.ts';
import { getEndpoint, readPredictions } from '../../serving/index.ts';
import { grouped } from '../labels/labels.ts';
import { WINDOW_MS } from '../types.ts';
import type { Rehearsing } from './start.ts';

export type Inputs = ServableSpec['signature']['inputs'];

/** Below so many logged rows training rows go along. */
const ENOUGH_LOGGED = 300;
/** How many rows are sent where nobody said it: of the log, and where training rows help out. */
const DEFAULT_ROWS = { logged: 2_000, training: 600 } as const;

/** Rows to send, and what they are in words. */
export interface Replayed {
  readonly frame: Frame;
  readonly times: readonly number[];
  readonly words: string;
}

/** Real rows of the last day; where few were logged, with training rows of the version, over and over if they are few. */
export async function rowsToReplay(rehearsing: Rehearsing, version: ModelVersion): Promise<Replayed> {
  const { deps, input } = rehearsing;
  const inputs = version.spec!.signature.inputs;
  const wanted = input.rows;
  const logged = await lastDay(rehearsing, inputs, wanted ?? DEFAULT_ROWS.logged);
  const { rowCount } = logged.frame;
  if (rowCount >= Math.min(wanted ?? ENOUGH_LOGGED, ENOUGH_LOGGED))
    return { ...logged, words: `${grouped(rowCount)} logged rows` };
  const training = (await backgroundOf(deps.registry, version))?.rows;
  if (!training || training.rowCount === 0) {
    if (rowCount > 0) return { ...logged, words: `${grouped(rowCount)} logged rows` };
    throw new AppError(
      'precondition_failed',
      `No request was logged yet and v${version.version} kept no training rows, so there is nothing to rehearse with; ask the endpoint a few times first`,
      { hint: `levain predict ${rehearsing.row.endpoint}` },
    );
  }
  const more = Math.max(0, (wanted ?? DEFAULT_ROWS.training) - rowCount);
  const picked = takeRows(
    training,
    Array.from({ length: more }, (_, i) => i % training.rowCount),
  );
  const now = logged.clock;
  return {
    frame: append(logged.frame, picked, inputs),
    times: [...logged.times, ...new Array<number>(more).fill(now)],
    words: sourceWords(rowCount, more, training.rowCount),
  };
}

function sourceWords(logged: number, more: number, kept: number): string {
  const times = more > kept ? ` (${grouped(kept)} kept ones, again and again)` : '';
  const training = `${grouped(more)} training rows${times}`;
  return logged === 0
    ? `${training}, for no request was logged yet,`
    : `${grouped(logged)} logged rows and ${training}`;
}

function append(first: Frame, second: Frame, inputs: Inputs): Frame {
  return {
    rowCount: first.rowCount + second.rowCount,
    columns: inputs.map(({ name }) => ({
      name,
      values: [first, second].flatMap((frame) => {
        const values = findColumn(frame, name)?.values ?? [];
        return Array.from({ length: frame.rowCount }, (_, i) => cellAt(values, i));
      }),
    })),
  };
}

/** Real rows of the last day of event time, with the raw columns of the signature; fewer days back where that day is thin. */
async function lastDay({ deps, row }: Rehearsing, inputs: Inputs, limit: number) {
  const columns = ['event_time', 'status', ...inputs.map(({ name }) => name)];
  const { projectId, endpoint, clock } = await clockOfRow({ deps, row });
  let frame: Frame = { rowCount: 0, columns: [] };
  for (const days of [1, 7, 60]) {
    const range = { projectId, endpoint, from: clock - days * WINDOW_MS, to: clock + WINDOW_MS };
    const found = await readPredictions(deps.serving, { ...range, columns, limit: 200_000 });
    const good = Array.from({ length: found.rowCount }, (_, i) => i).filter(
      (i) => cellAt(findColumn(found, 'status')!.values, i) === 0,
    );
    frame = takeRows(found, good.slice(-limit));
    if (frame.rowCount >= Math.min(limit, ENOUGH_LOGGED)) break;
  }
  const times = findColumn(frame, 'event_time')?.values ?? [];
  return { frame, times: Array.from({ length: frame.rowCount }, (_, i) => Number(cellAt(times, i))), clock };
}

async function clockOfRow({ deps, row }: Pick<Rehearsing, 'deps' | 'row'>) {
  const endpoint = await getEndpoint(deps.serving, { projectId: row.project_id }, row.endpoint);
  const clock = endpoint.eventClock === null ? deps.clock.now() : Date.parse(endpoint.eventClock);
  return { projectId: row.project_id, endpoint: row.endpoint, clock };
}

/** An Open Inference Protocol request of rows, dated by the last of them. */
export function inferBody(frame: Frame, inputs: Inputs, eventTime: number | null): unknown {
  const shape = [frame.rowCount];
  return {
    ...(eventTime !== null && { parameters: { event_time: new Date(eventTime).toISOString() } }),
    inputs: inputs.flatMap(({ name, type }) => {
      const values = findColumn(frame, name)?.values;
      if (!values) return [];
      const cells = Array.from({ length: frame.rowCount }, (_, i) => cellAt(values, i));
      const datatype = datatypeOf(cells, type);
      return [{ name, shape, datatype, data: cells.map((cell) => toWire(cell, type, datatype)) }];
    }),
  };
}

type Datatype = 'BYTES' | 'BOOL' | 'FP64';

/** A category may hold numbers or booleans: they are sent as what they are, or they would be unknown. */
function datatypeOf(cells: readonly Cell[], type: Inputs[number]['type']): Datatype {
  if (type === 'string' || type === 'datetime') return 'BYTES';
  if (type === 'boolean') return 'BOOL';
  if (type !== 'category') return 'FP64';
  const present = cells.filter((cell) => cell !== null);
  if (present.length > 0 && present.every((cell) => typeof cell === 'number')) return 'FP64';
  return present.length > 0 && present.every((cell) => typeof cell === 'boolean') ? 'BOOL' : 'BYTES';
}

function toWire(cell: Cell, type: Inputs[number]['type'], datatype: Datatype): Cell {
  if (cell === null) return null;
  if (type === 'datetime') return typeof cell === 'number' ? new Date(cell).toISOString() : cell;
  return datatype === 'BYTES' ? String(cell) : cell;
}

export interface Answered {
  readonly ok: boolean;
  readonly status: number;
}

/** Sends requests, a few at a time, in order of the frame; `each` is told of every answer. */
export async function sendAll(
  { deps, row, signal }: Rehearsing,
  bodies: readonly unknown[],
  concurrency = 4,
): Promise<readonly Answered[]> {
  const answers: Answered[] = new Array(bodies.length);
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < bodies.length) {
      signal.throwIfAborted();
      const index = next++;
      const { status } = await deps.caller.call(row.endpoint, bodies[index], { rehearsal: row.id, signal });
      answers[index] = { ok: status < 400, status };
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, bodies.length) }, one));
  return answers;
}
