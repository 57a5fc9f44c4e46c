import { listVersions } from '../../data/index.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Actor } from '../../wire/route.ts';
import { judgedBy } from '../evaluation/versions.ts';
import { listIncidents } from '../incidents/incidents.ts';
import type { MonitoringDeps } from '../types.ts';
import { busiest, evaluationsOf, isoOf, judgedIn, spanOf } from './span.ts';

/** Something that happened at a moment of event time. */
export interface MonitorMark {
  readonly at: string;
  readonly kind: 'deploy' | 'incident' | 'data';
  /** `v12`, `incident 14`, `flights v12`. */
  readonly label: string;
  readonly sentence: string;
  readonly version?: number;
  readonly incident?: { readonly number: number; readonly light: string; readonly until: string | null };
  readonly dataset?: { readonly name: string; readonly version: number };
}

const MAX_MARKS = 200;

/** Oldest first. A deploy stands at the first window that another version answered; data at its newest row. */
export async function getMarks(
  deps: MonitoringDeps,
  actor: Actor,
  input: { readonly model: string; readonly days: number },
): Promise<readonly MonitorMark[]> {
  const span = await spanOf(deps, actor, input);
  const isInside = (at: string): boolean => Date.parse(at) >= span.from && Date.parse(at) < span.to;
  const marks = [
    ...(await deploysIn(deps, span)),
    ...(await incidentsOf(deps, actor, span.endpoint.model)),
    ...(await dataOf(deps, actor, span.endpoint.championId)),
  ];
  return marks
    .filter(({ at }) => isInside(at))
    .sort((a, b) => (a.at < b.at ? -1 : 1))
    .slice(-MAX_MARKS);
}

async function deploysIn(deps: MonitoringDeps, span: Awaited<ReturnType<typeof spanOf>>): Promise<MonitorMark[]> {
  const rows = await evaluationsOf(deps, span, 'data.refused');
  const versions = await judgedIn(
    deps,
    rows.map((row) => row.version_id),
  );
  const windows = busiest(
    rows.map((row) => ({ start: row.window_start, rows: row.sample_size, versionId: row.version_id })),
  );
  return windows.flatMap(({ start, versionId }, i) => {
    const version = versions.get(versionId)?.version.version;
    if (version === undefined || windows[i - 1]?.versionId === versionId) return [];
    const before = windows[i - 1] && versions.get(windows[i - 1]!.versionId)?.version.version;
    const sentence =
      before === undefined ? `v${version} answers` : `v${version} answers most rows, before it v${before}`;
    return [{ at: isoOf(start), kind: 'deploy' as const, label: `v${version}`, sentence, version }];
  });
}

async function incidentsOf(deps: MonitoringDeps, actor: Actor, model: string): Promise<MonitorMark[]> {
  const { items } = await listIncidents(deps, actor, { model, limit: 200 });
  return items
    .filter(({ rehearsal }) => rehearsal === null)
    .map(({ number, since, light, sentence, resolvedEvent }) => ({
      at: since,
      kind: 'incident',
      label: `incident ${number}`,
      sentence,
      incident: { number, light, until: resolvedEvent },
    }));
}

/** Versions of the datasets that the champion was trained on. */
async function dataOf(deps: MonitoringDeps, actor: Actor, championId: string | null): Promise<MonitorMark[]> {
  const judged = championId === null ? undefined : await judgedBy(deps, championId);
  const names = new Set(judged?.version.facts.data.map(({ dataset }) => dataset) ?? []);
  const marks: MonitorMark[] = [];
  for (const name of names) {
    const page = await listVersions(deps.data, actor, { dataset: name, limit: 200 }).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'not_found') return { items: [] };
      throw error;
    });
    for (const { version, state, timeRange, rowCount } of page.items)
      if (timeRange)
        marks.push({
          at: isoOf(timeRange.max),
          kind: 'data',
          label: `${name} v${version}`,
          sentence: `${name} v${version}: ${rowCount.toLocaleString('en-US')} rows${state === 'ok' ? '' : ', refused by its contract'}`,
          dataset: { name, version },
        });
  }
  return marks;
}
