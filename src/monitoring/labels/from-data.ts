import { gateRows } from '../../data/index.ts';
import type { DomainEvent } from '../../kernel/events.ts';
import { type Cell, cellAt, findColumn } from '../../kernel/frame.ts';
import { listApplied } from '../../pipelines/index.ts';
import type { DataSection, LabelsSection, ProjectFile } from '../../project-file/index.ts';
import { listEndpoints } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import { type LabelRow, MAX_LABELS, type MonitoringDeps } from '../types.ts';
import { chunksOf, sendLabels } from './labels.ts';

const MAX_ROWS = 1_000_000;

/** A dataset that some file names under `monitor.labels` has a new version: its rows become labels of the file's endpoints. */
export async function onDataVersion(deps: MonitoringDeps, event: DomainEvent<'data.version_created'>): Promise<void> {
  const { dataset, versionId } = event.payload;
  const actor: Actor = { projectId: event.projectId, user: 'levain', kind: 'system' };
  for (const { file, pipeline } of await listApplied(deps.pipelines, event.projectId)) {
    const labels = file.monitor.labels;
    const section = file.data[dataset];
    if (labels?.data !== dataset || !section) continue;
    const endpoints = (await listEndpoints(deps.serving, actor)).filter(({ model }) => model === pipeline);
    if (endpoints.length === 0) continue;
    const rows = await labelRows(deps, { versionId, labels, section, file, dataset });
    for (const { name } of endpoints)
      for (const part of chunksOf(rows, MAX_LABELS))
        await sendLabels(deps, actor, { endpoint: name, labels: [...part] });
  }
}

async function labelRows(
  deps: MonitoringDeps,
  input: {
    readonly versionId: string;
    readonly labels: LabelsSection;
    readonly section: DataSection;
    readonly file: ProjectFile;
    readonly dataset: string;
  },
): Promise<LabelRow[]> {
  const { versionId, labels, section, dataset } = input;
  const keyColumn = labels.key ?? section.key[0];
  if (keyColumn === undefined || labels.column === null) return [];
  // The whole version: every row falls into a share of 1.
  const { frame } = await gateRows(deps.data, {
    versionId,
    section: { ...section, windowMs: null },
    split: { kind: 'hash', share: 1, key: [keyColumn] },
    asOf: null,
    limit: MAX_ROWS,
    seed: 1,
  });
  const column = (name: string | null) => (name === null ? undefined : findColumn(frame, name)?.values);
  const [keys, values, times] = [column(keyColumn), column(labels.column), column(labels.at)];
  if (!keys || !values) {
    deps.log.warn('labels could not be read: a column is missing', { dataset, key: keyColumn, column: labels.column });
    return [];
  }
  return Array.from({ length: frame.rowCount }, (_, i) => i).flatMap((i) =>
    toLabel(labels, dataset, cellAt(keys, i), cellAt(values, i), times ? cellAt(times, i) : null),
  );
}

function toLabel(labels: LabelsSection, dataset: string, key: Cell, value: Cell, time: Cell): LabelRow[] {
  if (key === null || value === null) return [];
  const at = timeOf(time);
  const facts = { value, source: dataset, ...(at !== null && { availableAt: at }) };
  if (labels.join === 'prediction') return [{ predictionId: String(key), ...facts }];
  return [{ entity: String(key), ...facts, ...(at !== null && { at }) }];
}

function timeOf(cell: Cell): number | null {
  const time = typeof cell === 'number' ? cell : Date.parse(String(cell));
  return cell === null || Number.isNaN(time) ? null : time;
}
