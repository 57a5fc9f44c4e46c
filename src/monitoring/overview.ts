import { detectableShift, persistentAlpha, singleAlpha, windowsIn } from '../stats/false-alarms.ts';
import type { Actor } from '../wire/route.ts';
import { selectEvaluations } from './evaluation/evaluations.store.ts';
import type { Day } from './evaluation/performance-rules.ts';
import { budgetOf, DEFAULT_BUDGET, SHARES } from './evaluation/rules.ts';
import { type Judged, judgedBy } from './evaluation/versions.ts';
import { clockOf, endpointFor } from './labels/labels.ts';
import { lightsOf } from './lights.ts';
import type { LightState, Lights, MonitoringDeps } from './types.ts';
import { WINDOW_MS } from './types.ts';
import { newestDrift } from './views/span.ts';

export interface MonitorView {
  readonly model: string;
  readonly endpoint: string;
  readonly version: number | null;
  readonly eventClock: string | null;
  readonly lights: Lights;
  readonly windows: readonly {
    readonly start: string;
    readonly version: number | null;
    readonly findings: readonly {
      readonly rule: string;
      readonly light: string;
      readonly state: LightState;
      readonly value: number | null;
      readonly threshold: number | null;
      readonly n: number;
      readonly sentence: string;
    }[];
  }[];
  /** Of the champion's newest window, or before it has one the endpoint's: every watched column. */
  readonly features: readonly Readonly<Record<string, unknown>>[];
  /** By day of the predictions. */
  readonly performance: readonly (Omit<Day, 'start'> & {
    readonly day: string;
    readonly version: number | null;
    /** The loss that the gate measured, or the first days; null where neither did. */
    readonly reference: number | null;
  })[];
  /** The versions that the windows speak of, with what their gates measured: what performance is compared with. */
  readonly versions: readonly {
    readonly version: number;
    readonly gate: {
      readonly metric: string;
      readonly challenger: number | null;
      readonly champion: number | null;
      readonly championVersion: number | null;
    } | null;
  }[];
  /** The one number, and what it buys. */
  readonly falseAlarms: {
    readonly count: number;
    readonly perDays: number;
    readonly windows: number;
    readonly thresholds: Readonly<Record<string, number>>;
    /** Standard deviations that a numeric column must move by to be found in a window of the usual size, 8 times in 10. */
    readonly detectableShift: number | null;
  };
}

/** What the monitor knows of a model: lights, windows, columns, performance over event time, and its own error rates. */
export async function getMonitor(
  deps: MonitoringDeps,
  actor: Actor,
  input: { readonly model: string; readonly days: number },
): Promise<MonitorView> {
  const { projectId } = actor;
  const endpoint = await endpointFor(deps, actor, input.model);
  const clock = clockOf(endpoint) ?? deps.clock.now();
  const range = { projectId, endpoint: endpoint.name, from: clock - input.days * WINDOW_MS, to: clock + 1 };
  const rows = await deps.db.read((tx) => selectEvaluations(tx, range));
  const versions = new Map<string, number | null>();
  const gates = new Map<number, MonitorView['versions'][number]>();
  for (const { version_id: id } of rows) {
    if (versions.has(id)) continue;
    const judged = await judgedBy(deps, id);
    versions.set(id, judged?.version.version ?? null);
    if (judged) gates.set(judged.version.version, { version: judged.version.version, gate: gateOf(judged) });
  }
  const groups = Map.groupBy(rows, (row) => `${row.window_start}/${row.version_id}`);
  const drift = newestDrift(rows, endpoint.championId);
  const file = (await deps.serving.appliedFile(projectId, endpoint.model))?.file;
  return {
    model: endpoint.model,
    endpoint: endpoint.name,
    version: endpoint.champion,
    eventClock: endpoint.eventClock,
    lights: await lightsOf(deps, projectId, endpoint),
    windows: [...groups.values()].map((group) => ({
      start: new Date(group[0]!.window_start).toISOString(),
      version: versions.get(group[0]!.version_id) ?? null,
      findings: group.map((row) => ({
        rule: row.rule,
        light: row.light,
        state: row.state as LightState,
        value: row.value,
        threshold: row.threshold,
        n: row.sample_size,
        sentence: row.sentence,
      })),
    })),
    features: drift ? ((JSON.parse(drift.details) as { columns?: Record<string, unknown>[] }).columns ?? []) : [],
    performance: rows
      .filter((row) => row.rule === 'performance.day')
      .map((row) => {
        const { start, ...day } = JSON.parse(row.details) as Day & { readonly reference: number | null };
        return {
          ...day,
          day: new Date(start).toISOString().slice(0, 10),
          version: versions.get(row.version_id) ?? null,
        };
      }),
    versions: [...gates.values()].sort((a, b) => a.version - b.version),
    falseAlarms: await falseAlarmsOf(
      deps,
      endpoint.championId,
      file?.monitor?.falseAlarms ?? DEFAULT_BUDGET,
      drift?.sample_size ?? 0,
    ),
  };
}

function gateOf({ version: { gate } }: Judged): MonitorView['versions'][number]['gate'] {
  if (!gate) return null;
  const { metric, challenger, champion, championVersion } = gate;
  return { metric, challenger, champion, championVersion };
}

async function falseAlarmsOf(
  deps: MonitoringDeps,
  versionId: string | null,
  stated: { readonly count: number; readonly perMs: number },
  rows: number,
): Promise<MonitorView['falseAlarms']> {
  const budget = budgetOf(stated);
  const profile = versionId === null ? null : ((await judgedBy(deps, versionId))?.profile ?? null);
  const alpha = persistentAlpha(budget, SHARES.drift) / Math.max(1, profile?.features.length ?? 1);
  const reference = profile?.features[0]?.counts.reduce((a, b) => a + b, 0) ?? 0;
  const shift = rows === 0 || reference === 0 ? null : detectableShift(alpha / 3, 1, rows, reference);
  return {
    count: stated.count,
    perDays: stated.perMs / WINDOW_MS,
    windows: windowsIn(budget),
    thresholds: {
      drift: persistentAlpha(budget, SHARES.drift),
      scores: persistentAlpha(budget, SHARES.scores),
      quality: singleAlpha(budget, SHARES.quality),
      loss: singleAlpha(budget, SHARES.loss),
      calibration: singleAlpha(budget, SHARES.calibration),
    },
    detectableShift: shift,
  };
}
