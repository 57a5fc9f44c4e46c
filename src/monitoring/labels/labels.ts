import { recordActivity } from '../../identity/index.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Tx } from '../../ports/db.ts';
import { type Endpoint, getEndpoint, listEndpoints } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import type { LabelPendingTable, LabelTable } from '../tables.ts';
import { type LabelRow, type LabelsAccepted, type LabelsInput, type MonitoringDeps, WINDOW_MS } from '../types.ts';
import * as store from './labels.store.ts';
import { eventTimeOf, type LabelRef, resolveLabels } from './resolve.ts';

/** Rows of one write: short transactions, so that nobody waits. */
const CHUNK = 1_000;
const PENDING_LIMIT = 50_000;

/** A label whose prediction is known. */
interface Placed {
  readonly predictionId: string;
  readonly value: string;
  readonly availableAt: number;
  readonly source: string;
}

/**
 * Takes labels: what came true for predictions, in the terms of the target column. Said again, nothing changes; said otherwise,
 * the last one counts and the one before is kept as history. One whose prediction is not known yet waits for it.
 */
export async function sendLabels(deps: MonitoringDeps, actor: Actor, input: LabelsInput): Promise<LabelsAccepted> {
  const endpoint = await endpointFor(deps, actor, input.endpoint);
  input.labels.forEach(checkRow);
  const clock = clockOf(endpoint);
  const at = { projectId: actor.projectId, endpoint: endpoint.name, clock };
  const ids = await resolveLabels(deps, at, input.labels);
  const placed: Placed[] = [];
  const pending: LabelPendingTable[] = [];
  input.labels.forEach((row, i) => {
    const id = ids[i];
    const facts = { value: canonicalJson(row.value), availableAt: row.availableAt ?? 0, source: row.source ?? 'api' };
    if (id) placed.push({ predictionId: id, ...facts });
    else pending.push(toPending(at.projectId, at.endpoint, row, facts, deps.clock.now()));
  });
  const counts = await placeLabels(deps, at, placed);
  for (const part of chunksOf(pending, CHUNK)) await deps.db.write((tx) => store.upsertPending(tx, dedupe(part)));
  await tellLabels(deps, actor, endpoint, counts, pending.length);
  deps.runtime.wake();
  return { endpoint: endpoint.name, received: input.labels.length, ...counts, pending: pending.length };
}

function checkRow(row: LabelRow, index: number): void {
  const named = [row.predictionId, row.callerId, row.entity].filter((ref) => ref !== undefined).length;
  if (named !== 1)
    throw new AppError(
      'invalid',
      `Label ${index + 1} names ${named} predictions; give exactly one of predictionId, callerId and entity`,
    );
}

/** The endpoint of that name or model; without a name, the only one. */
export async function endpointFor(
  deps: Pick<MonitoringDeps, 'serving'>,
  actor: Pick<Actor, 'projectId'>,
  name: string | undefined,
): Promise<Endpoint> {
  if (name !== undefined) return getEndpoint(deps.serving, actor, name);
  const all = await listEndpoints(deps.serving, actor);
  if (all.length === 1) return all[0]!;
  const names = all.map((endpoint) => endpoint.name).join(', ');
  throw new AppError(
    'invalid',
    all.length === 0
      ? 'Nothing is deployed yet, so there is no prediction to label'
      : `Say which endpoint the labels are for: one of ${names}`,
  );
}

export const clockOf = (endpoint: Pick<Endpoint, 'eventClock'>): number | null =>
  endpoint.eventClock === null ? null : Date.parse(endpoint.eventClock);

const toPending = (
  projectId: string,
  endpoint: string,
  ref: LabelRef,
  facts: Omit<Placed, 'predictionId'>,
  now: number,
): LabelPendingTable => ({
  project_id: projectId,
  endpoint,
  kind: ref.entity === undefined ? 'caller' : 'entity',
  ref: ref.entity ?? ref.callerId ?? ref.predictionId ?? '',
  at: ref.entity === undefined ? 0 : (ref.at ?? Number.MAX_SAFE_INTEGER),
  value: facts.value,
  available_at: facts.availableAt,
  source: facts.source,
  received_at: now,
});

/** The last one said of the same prediction counts; PostgreSQL refuses two in one statement. */
const dedupe = (rows: readonly LabelPendingTable[]): LabelPendingTable[] => [
  ...new Map(rows.map((row) => [`${row.kind}\u0000${row.ref}\u0000${row.at}`, row])).values(),
];

type At = { readonly projectId: string; readonly endpoint: string };

async function placeLabels(deps: MonitoringDeps, at: At, labels: readonly Placed[]) {
  const last = [...new Map(labels.map((label) => [label.predictionId, label])).values()];
  last.sort((a, b) => (a.predictionId < b.predictionId ? -1 : 1));
  const counts = { created: 0, changed: 0, unchanged: labels.length - last.length };
  for (const part of chunksOf(last, CHUNK)) {
    const done = await deps.db.write((tx) => placeIn(tx, deps, at, part));
    counts.created += done.created;
    counts.changed += done.changed;
    counts.unchanged += part.length - done.created - done.changed;
  }
  return counts;
}

async function placeIn(tx: Tx, deps: MonitoringDeps, { projectId, endpoint }: At, labels: readonly Placed[]) {
  const now = deps.clock.now();
  const known = new Map(
    (
      await store.selectLabels(
        tx,
        projectId,
        endpoint,
        labels.map((label) => label.predictionId),
      )
    ).map((row) => [row.prediction_id, row]),
  );
  const rows: LabelTable[] = [];
  const replaced: LabelTable[] = [];
  for (const { predictionId, value, availableAt, source } of labels) {
    const before = known.get(predictionId);
    if (before?.value === value && before.available_at === availableAt) continue;
    if (before) replaced.push(before);
    rows.push({
      project_id: projectId,
      endpoint,
      prediction_id: predictionId,
      event_time: eventTimeOf(predictionId),
      value,
      available_at: availableAt,
      source,
      revision: (before?.revision ?? 0) + 1,
      updated_at: now,
    });
  }
  if (rows.length === 0) return { created: 0, changed: 0 };
  if (replaced.length > 0)
    await store.insertHistory(
      tx,
      replaced.map(({ event_time: _, updated_at: __, ...row }) => ({ ...row, replaced_at: now })),
    );
  await store.upsertLabels(tx, rows);
  for (const [start, inside] of [...Map.groupBy(rows, (row) => startOfWindow(row.event_time))].sort(
    ([a], [b]) => a - b,
  ))
    await store.bumpDay(tx, {
      project_id: projectId,
      endpoint,
      window_start: start,
      due_at: inside.reduce((max, row) => Math.max(max, row.available_at), 0),
    });
  return { created: rows.length - replaced.length, changed: replaced.length };
}

export const startOfWindow = (time: number): number => Math.floor(time / WINDOW_MS) * WINDOW_MS;

/** Labels that came before their predictions: called when rows came in. Answers how many found theirs. */
export async function placePending(deps: MonitoringDeps, at: At & { readonly clock: number | null }): Promise<number> {
  const waiting = await deps.db.read((tx) => store.selectPending(tx, at.projectId, at.endpoint, PENDING_LIMIT));
  if (waiting.length === 0) return 0;
  const refs = waiting.map((row) => (row.kind === 'entity' ? { entity: row.ref, at: row.at } : { callerId: row.ref }));
  const ids = await resolveLabels(deps, at, refs);
  const found = waiting.filter((_, i) => ids[i]);
  const placed = waiting.flatMap((row, i) => {
    const predictionId = ids[i];
    return predictionId ? [{ predictionId, value: row.value, availableAt: row.available_at, source: row.source }] : [];
  });
  await placeLabels(deps, at, placed);
  for (const part of chunksOf(found, CHUNK)) await deps.db.write((tx) => store.deletePending(tx, part));
  return found.length;
}

async function tellLabels(
  deps: MonitoringDeps,
  actor: Actor,
  endpoint: Endpoint,
  counts: { readonly created: number; readonly changed: number },
  pending: number,
): Promise<void> {
  if (counts.created + counts.changed < CHUNK && pending === 0) return;
  const parts = [
    `${grouped(counts.created)} labels`,
    ...(counts.changed > 0 ? [`${grouped(counts.changed)} corrected`] : []),
    ...(pending > 0 ? [`${grouped(pending)} wait for their predictions`] : []),
  ];
  await deps.db.write((tx) =>
    recordActivity(tx, deps.identity, {
      projectId: actor.projectId,
      at: deps.clock.now(),
      eventAt: clockOf(endpoint),
      kind: 'label',
      subject: endpoint.model,
      sentence: `${endpoint.name} got ${parts.join(', ')}`,
      command: `levain labels status ${endpoint.model}`,
      actor: actor.user,
    }),
  );
}

export const grouped = (n: number): string => Math.round(n).toLocaleString('en-US');

export function* chunksOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
