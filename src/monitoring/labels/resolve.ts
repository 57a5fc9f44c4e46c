import { type Cell, cellAt, findColumn } from '../../kernel/frame.ts';
import { timeOfUuidv7 } from '../../kernel/ids.ts';
import { readPredictions } from '../../serving/index.ts';
import type { MonitoringDeps } from '../types.ts';

/** A label that names its prediction in one of three ways. */
export interface LabelRef {
  readonly predictionId?: string | undefined;
  readonly callerId?: string | undefined;
  readonly entity?: string | undefined;
  readonly at?: number | undefined;
}

const OURS = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Predictions that a batch of labels is matched with: as many as one read of the log gives. */
const SEARCHED_ROWS = 1_000_000;
const SEARCHED_MS = 90 * 86_400_000;

/** The prediction id of each label; null where its prediction is not in the log (yet). Ours need no look-up. */
export async function resolveLabels(
  deps: MonitoringDeps,
  input: { readonly projectId: string; readonly endpoint: string; readonly clock: number | null },
  refs: readonly LabelRef[],
): Promise<readonly (string | null)[]> {
  const others = refs.filter((ref) => !isOurs(ref));
  if (others.length === 0) return refs.map((ref) => ref.predictionId!);
  const index = await indexOf(deps, input, others);
  return refs.map((ref) => {
    if (isOurs(ref)) return ref.predictionId!;
    if (ref.entity !== undefined) return index.latest(ref.entity, ref.at ?? Number.MAX_SAFE_INTEGER);
    return index.byCaller.get(ref.callerId ?? ref.predictionId!) ?? null;
  });
}

export const isOurs = (ref: LabelRef): boolean => ref.predictionId !== undefined && OURS.test(ref.predictionId);

/** Event time of one of our predictions, by its id. */
export const eventTimeOf = (predictionId: string): number => timeOfUuidv7(predictionId);

async function indexOf(
  deps: MonitoringDeps,
  {
    projectId,
    endpoint,
    clock,
  }: { readonly projectId: string; readonly endpoint: string; readonly clock: number | null },
  refs: readonly LabelRef[],
) {
  const end = (clock ?? deps.clock.now()) + 86_400_000;
  const dated = refs.every((ref) => ref.entity !== undefined && ref.at !== undefined);
  const latest = dated ? Math.min(end, refs.reduce((max, { at }) => Math.max(max, at!), 0) + 1) : end;
  const earliest = refs.reduce((min, { at }) => Math.min(min, at ?? end), end) - SEARCHED_MS;
  const frame = await readPredictions(deps.serving, {
    projectId,
    endpoint,
    from: Math.max(0, earliest),
    to: latest,
    columns: ['prediction_id', 'caller_id', 'entity', 'event_time'],
    limit: SEARCHED_ROWS,
  });
  const column = (name: string) => findColumn(frame, name)?.values ?? [];
  const [ids, callers, entities, times] = ['prediction_id', 'caller_id', 'entity', 'event_time'].map(column);
  const byCaller = new Map<string, string>();
  const byEntity = new Map<string, { readonly at: number; readonly id: string }[]>();
  for (let row = 0; row < frame.rowCount; row++) {
    const id = String(cellAt(ids!, row));
    const caller: Cell = cellAt(callers!, row);
    const entity: Cell = cellAt(entities!, row);
    if (caller !== null) byCaller.set(String(caller), id);
    if (entity === null) continue;
    const list = byEntity.get(String(entity));
    const entry = { at: Number(cellAt(times!, row)), id };
    if (list) list.push(entry);
    else byEntity.set(String(entity), [entry]);
  }
  return {
    byCaller,
    latest: (entity: string, at: number) => byEntity.get(entity)?.findLast((entry) => entry.at <= at)?.id ?? null,
  };
}
