import type { Cell } from '../../kernel/frame.ts';
import type { BlockDraft, ColumnDraft } from '../../serving/segment.ts';
import { type Batch, firstOf, type LoggedContext, type RareTexts } from './batch.ts';

/** The block of a segment that holds a batch; its columns are views of the batch, so encode it before `clear`. */
export function blockOf(batch: Batch): BlockDraft {
  const { projectId, endpoint } = batch.schema;
  return {
    projectId,
    endpoint,
    rows: { rowCount: batch.rows, columns: rowColumns(batch) },
    features: batch.featureFrame(),
  };
}

/** In the order of `LOG_COLUMNS`. What all rows share is said once. */
function rowColumns(batch: Batch): ColumnDraft[] {
  const { rows } = batch;
  const numbers = (name: string, values: Float64Array): ColumnDraft => ({ name, values: firstOf(values, rows) });
  return [
    { name: 'prediction_id', values: firstOf(batch.predictionIds, rows) },
    requestIds('request_id', batch),
    numbers('request_row', batch.rowOfRequest),
    rare('caller_id', batch.callerIds, rows),
    shared('version_id', batch, ({ version }) => version.spec.versionId),
    shared('role', batch, ({ role }) => role),
    shared('rollout_id', batch, ({ rolloutId }) => rolloutId),
    shared('revision', batch, ({ revision }) => revision),
    numbers('event_time', batch.eventTimes),
    numbers('received_at', batch.receivedAt),
    rare('entity', batch.entities, rows),
    units(batch),
    numbers('latency_us', batch.latencyUs),
    numbers('status', batch.status),
    rare('error', batch.errors, rows),
    { name: 'label', values: firstOf(batch.labels, rows) },
    numbers('score', batch.scores),
    shared('fallback', batch, ({ fallback }) => fallback),
    shared('rehearsal', batch, ({ rehearsal }) => rehearsal),
    shared('caller', batch, ({ caller }) => caller),
  ];
}

const requestIds = (name: string, batch: Batch): ColumnDraft =>
  batch.isOneRowEach ? { name, like: 0 } : { name, values: firstOf(batch.requestIds, batch.rows) };

/** The entity, or else the request. */
function units(batch: Batch): ColumnDraft {
  const { entities, requestIds: ids, rows } = batch;
  if (entities.isEmpty) return requestIds('unit', batch);
  return { name: 'unit', values: Array.from({ length: rows }, (_, row) => entities.get(row) ?? ids[row]!) };
}

function shared(name: string, batch: Batch, read: (context: LoggedContext) => Cell): ColumnDraft {
  const { contexts, rows } = batch;
  const first = contexts[0];
  if (!first) return { name, same: null };
  const same = read(first);
  if (contexts.every((context) => read(context) === same)) return { name, same };
  return { name, values: Array.from({ length: rows }, (_, row) => read(batch.contextOf(row))) };
}

const rare = (name: string, texts: RareTexts, rows: number): ColumnDraft =>
  texts.isEmpty ? { name, same: null } : { name, values: Array.from({ length: rows }, (_, row) => texts.get(row)) };
