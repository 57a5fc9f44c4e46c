import { LIGHTS, type Light } from '../../project-file/index.ts';
import type { Actor } from '../../wire/route.ts';
import { selectEvaluations } from '../evaluation/evaluations.store.ts';
import { judgedBy } from '../evaluation/versions.ts';
import type { EvaluationTable, IncidentTable } from '../tables.ts';
import { type LightState, type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { chartOf, type EvidenceChart } from './evidence-charts.ts';
import { columnChart } from './evidence-column.ts';
import { getRow } from './incidents.ts';
import { type IncidentSpan, spanOf } from './span.ts';

const BEFORE_MS = 21 * WINDOW_MS;
const AFTER_MS = 10 * WINDOW_MS;

/** What an incident stands on: the numbers of its rules around its time, and how every light was in the window that opened it. */
export interface IncidentEvidence {
  readonly from: string;
  readonly to: string;
  readonly charts: readonly EvidenceChart[];
  /** Where another version began to answer, and where the incident is. */
  readonly marks: readonly { readonly at: string; readonly label: string; readonly kind: 'version' | 'incident' }[];
  /** What changed and what did not: the lights in the window that opened it. */
  readonly lights: readonly {
    readonly light: Light;
    readonly state: LightState;
    readonly sentence: string;
    /** The light of the incident itself. */
    readonly isOwn: boolean;
  }[];
  /** Columns of that window by how far they moved, where drift was judged. */
  readonly columns: readonly { readonly name: string; readonly effect: number; readonly importance: number | null }[];
}

export async function getEvidence(
  deps: MonitoringDeps,
  actor: Pick<Actor, 'projectId'>,
  number: number,
): Promise<IncidentEvidence> {
  const row = await deps.db.read((tx) => getRow(tx, actor.projectId, number));
  const span = await spanOf(deps, row);
  const end = Math.min(span.to, (span.windows.at(-1) ?? row.since) + WINDOW_MS);
  const from = row.since - BEFORE_MS;
  const to = end + AFTER_MS;
  const range = { projectId: row.project_id, endpoint: row.endpoint, from, to };
  const { real, rehearsed } = await deps.db.read(async (tx) => ({
    real: await selectEvaluations(tx, range),
    rehearsed: row.rehearsal === null ? [] : await selectEvaluations(tx, { ...range, rehearsal: row.rehearsal }),
  }));
  const opened = openingRows(row, span, real, rehearsed);
  const rules = [
    ...new Set((JSON.parse(row.details) as { rules?: { rule: string }[] }).rules?.map(({ rule }) => rule)),
  ];
  const column = await columnChart(deps, row, span, opened);
  return {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    charts: [...(column ? [column] : []), ...rules.flatMap((rule) => chartOf(rule, answeringRows(real), rehearsed))],
    marks: await marksOf(deps, row, real),
    lights: lightsIn(row, opened),
    columns: columnsIn(opened),
  };
}

/** The rows of the window that opened it, of the version that it is about. */
function openingRows(
  row: IncidentTable,
  span: IncidentSpan,
  real: readonly EvaluationTable[],
  rehearsed: readonly EvaluationTable[],
): readonly EvaluationTable[] {
  const rows = rehearsed.length > 0 ? rehearsed : real.filter(({ version_id: id }) => id === row.version_id);
  const window = span.windows[0] ?? Math.floor(row.since / WINDOW_MS) * WINDOW_MS;
  return rows.filter(({ window_start: start }) => start === window);
}

/** One row a window and rule: of two versions that share a day, the one that answered more. */
function answeringRows(rows: readonly EvaluationTable[]): readonly EvaluationTable[] {
  const most = new Map<string, EvaluationTable>();
  for (const row of rows) {
    const key = `${row.window_start}/${row.rule}`;
    const known = most.get(key);
    if (!known || row.sample_size > known.sample_size) most.set(key, row);
  }
  return [...most.values()];
}

async function marksOf(
  deps: MonitoringDeps,
  row: IncidentTable,
  real: readonly EvaluationTable[],
): Promise<IncidentEvidence['marks']> {
  const first = new Map<string, number>();
  for (const { version_id: id, window_start: start } of real) if (!first.has(id)) first.set(id, start);
  const marks: { at: string; label: string; kind: 'version' | 'incident' }[] = [];
  const earliest = real[0]?.window_start;
  for (const [id, start] of first) {
    const version = (await judgedBy(deps, id))?.version.version;
    if (start !== earliest && version !== undefined)
      marks.push({ at: new Date(start).toISOString(), label: `v${version}`, kind: 'version' });
  }
  return [...marks, { at: new Date(row.since).toISOString(), label: `incident ${row.number}`, kind: 'incident' }];
}

const ORDER: Readonly<Record<string, number>> = { grey: 0, green: 1, amber: 2, red: 3 };

function lightsIn(row: IncidentTable, opened: readonly EvaluationTable[]): IncidentEvidence['lights'] {
  return LIGHTS.flatMap((light) => {
    const rows = opened.filter((each) => each.light === light);
    if (rows.length === 0) return [];
    const worst = rows.reduce((a, b) => (ORDER[b.state]! > ORDER[a.state]! ? b : a));
    const told = worst.state === 'green' ? rows.filter(({ state }) => state === 'green') : [worst];
    return [
      {
        light,
        state: worst.state as LightState,
        sentence: told.map(({ sentence }) => sentence).join('; '),
        isOwn: light === row.light,
      },
    ];
  });
}

function columnsIn(opened: readonly EvaluationTable[]): IncidentEvidence['columns'] {
  const drift = opened.find(({ rule }) => rule === 'data.drift');
  const { columns = [] } = JSON.parse(drift?.details ?? '{}') as {
    columns?: { name: string; effect: number; importance?: number | null }[];
  };
  return columns
    .map(({ name, effect, importance }) => ({ name, effect, importance: importance ?? null }))
    .sort((a, b) => b.effect - a.effect);
}
