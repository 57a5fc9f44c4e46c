import { AppError } from '../../kernel/errors.ts';
import type { Cell } from '../../kernel/frame.ts';
import { parsePageToken, toPageToken } from '../../kernel/pages.ts';
import { getVersion } from '../../registry/index.ts';
import { type ListInput, listPredictions, type Prediction } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import type { MonitoringDeps } from '../types.ts';
import { newestLabelTime, selectLabels } from './labels.store.ts';
import { endpointFor } from './labels.ts';

/** A prediction and what came true of it; null while nobody has said. */
export interface LabelledPrediction extends Prediction {
  readonly truth: { readonly value: Cell; readonly source: string; readonly availableAt: string } | null;
}

export interface LabelledPage {
  readonly items: readonly LabelledPrediction[];
  /** Where the next page begins; absent where this is the end of the log. */
  readonly next?: string;
  /** How far back was looked, where the page is short because what is wanted is rare. */
  readonly searchedTo?: string;
}

export interface LabelledInput extends Pick<ListInput, 'text' | 'status' | 'entity' | 'callerId' | 'rehearsal'> {
  readonly endpoint?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly version?: number | undefined;
  readonly label?: 'known' | 'missing' | undefined;
  readonly limit: number;
  readonly after?: string | undefined;
}

/** Rows of the log that one page looks at, where only some of them have the label state that is wanted. */
const MAX_LOOKED_AT = 5_000;
const IDS_A_STATEMENT = 500;

/** Where a page begins: rows before this event time, less those of it that were told already. */
interface Place {
  readonly to: number;
  readonly skip: number;
}

/** Logged predictions with their labels, newest first. */
export async function listLabelled(
  deps: MonitoringDeps,
  actor: Pick<Actor, 'projectId'>,
  input: LabelledInput,
): Promise<LabelledPage> {
  const { projectId } = actor;
  const endpoint = await endpointFor(deps, actor, input.endpoint);
  const versionId =
    input.version === undefined
      ? undefined
      : (await getVersion(deps.registry, actor, { model: endpoint.model, version: input.version })).id;
  const filter = { ...input, projectId, endpoint: endpoint.name, versionId, from: input.from ?? 0 };
  let place = await startOf(deps, projectId, endpoint.name, input);
  const items: LabelledPrediction[] = [];
  for (let seen = 0; seen < MAX_LOOKED_AT; ) {
    const wanted = input.label === undefined ? input.limit - items.length : input.limit;
    const rows = await listPredictions(deps.serving, { ...filter, ...place, limit: wanted });
    for (const row of await labelled(deps, projectId, endpoint.name, rows)) {
      if (items.length === input.limit) break;
      place = after(place, Date.parse(row.eventTime));
      if (input.label === undefined || (row.truth !== null) === (input.label === 'known')) items.push(row);
    }
    if (items.length === input.limit) return { items, next: toPageToken([place.to, place.skip]) };
    if (rows.length < wanted) return { items };
    seen += rows.length;
  }
  return { items, next: toPageToken([place.to, place.skip]), searchedTo: new Date(place.to - 1).toISOString() };
}

async function startOf(
  deps: MonitoringDeps,
  projectId: string,
  endpoint: string,
  input: Pick<LabelledInput, 'after' | 'label' | 'to'>,
): Promise<Place> {
  if (input.after !== undefined) {
    const [to, skip] = parsePageToken(input.after).map(Number);
    if (Number.isSafeInteger(to) && Number.isSafeInteger(skip)) return { to: to!, skip: skip! };
    throw new AppError('invalid', 'The page token is not one of ours; start from the first page');
  }
  const to = input.to ?? Number.MAX_SAFE_INTEGER;
  if (input.label !== 'known') return { to, skip: 0 };
  // Labels come late: what is younger than the newest of them needs no look.
  const newest = await deps.db.read((tx) => newestLabelTime(tx, projectId, endpoint));
  return { to: Math.min(to, (newest ?? -1) + 1), skip: 0 };
}

/** The place behind a row of that event time. */
const after = ({ to, skip }: Place, at: number): Place =>
  at + 1 === to ? { to, skip: skip + 1 } : { to: at + 1, skip: 1 };

async function labelled(
  deps: MonitoringDeps,
  projectId: string,
  endpoint: string,
  rows: readonly Prediction[],
): Promise<readonly LabelledPrediction[]> {
  const labels = new Map<string, LabelledPrediction['truth']>();
  for (let i = 0; i < rows.length; i += IDS_A_STATEMENT) {
    const ids = rows.slice(i, i + IDS_A_STATEMENT).map(({ id }) => id);
    for (const label of await deps.db.read((tx) => selectLabels(tx, projectId, endpoint, ids)))
      labels.set(label.prediction_id, {
        value: JSON.parse(label.value) as Cell,
        source: label.source,
        availableAt: new Date(label.available_at).toISOString(),
      });
  }
  return rows.map((row) => ({ ...row, truth: labels.get(row.id) ?? null }));
}
