import type { ServableSpec } from '../../engines/types.ts';
import { type Cell, cellAt, type Frame, findColumn, takeRows } from '../../kernel/frame.ts';
import { getEndpoint, readPredictions } from '../../serving/index.ts';
import { WINDOW_MS } from '../types.ts';
import type { Rehearsing } from './start.ts';

type Inputs = ServableSpec['signature']['inputs'];

/** Real rows of the last day of event time, with the raw columns of the signature; fewer days back where that day is thin. */
export async function lastDay(
  { deps, row }: Rehearsing,
  inputs: Inputs,
  limit: number,
): Promise<{ readonly frame: Frame; readonly times: readonly number[] }> {
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
    if (frame.rowCount >= Math.min(limit, 300)) break;
  }
  const times = findColumn(frame, 'event_time')?.values ?? [];
  return { frame, times: Array.from({ length: frame.rowCount }, (_, i) => Number(cellAt(times, i))) };
}

async function clockOfRow({ deps, row }: Pick<Rehearsing, 'deps' | 'row'>) {
  const endpoint = await getEndpoint(deps.serving, { projectId: row.project_id }, row.endpoint);
  const clock = endpoint.eventClock === null ? deps.clock.now() : Date.parse(endpoint.eventClock);
  return { projectId: row.project_id, endpoint: row.endpoint, clock };
}

const isText = (type: Inputs[number]['type']): boolean => ['string', 'category', 'datetime'].includes(type);

/** An Open Inference Protocol request of logged rows, dated by the last of them. */
export function inferBody(frame: Frame, inputs: Inputs, eventTime: number | null): unknown {
  const shape = [frame.rowCount];
  return {
    ...(eventTime !== null && { parameters: { event_time: new Date(eventTime).toISOString() } }),
    inputs: inputs.flatMap(({ name, type }) => {
      const values = findColumn(frame, name)?.values;
      if (!values) return [];
      const data = Array.from({ length: frame.rowCount }, (_, i) => toWire(cellAt(values, i), type));
      return [{ name, shape, datatype: type === 'boolean' ? 'BOOL' : isText(type) ? 'BYTES' : 'FP64', data }];
    }),
  };
}

function toWire(cell: Cell, type: Inputs[number]['type']): Cell {
  if (cell === null) return null;
  if (type === 'datetime') return typeof cell === 'number' ? new Date(cell).toISOString() : cell;
  if (isText(type)) return String(cell);
  return cell;
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
