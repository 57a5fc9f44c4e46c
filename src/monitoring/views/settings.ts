import type { Light } from '../../project-file/index.ts';
import type { Actor } from '../../wire/route.ts';
import { coverageOf, GRACE_DAYS, usualLag } from '../evaluation/coverage.ts';
import { findProgress } from '../evaluation/evaluations.store.ts';
import { MIN_COVERAGE, MIN_LABELS } from '../evaluation/performance-rules.ts';
import { DEFAULT_BUDGET, SHARES } from '../evaluation/rules.ts';
import { DEFAULT_LIMITS } from '../evaluation/service-rules.ts';
import { judgedBy } from '../evaluation/versions.ts';
import { clockOf, startOfWindow } from '../labels/labels.ts';
import { type LabelStatus, labelStatus } from '../labels/status.ts';
import { type MonitoringDeps, WINDOW_MS } from '../types.ts';
import { isoOf, spanOf } from './span.ts';

/** What is watched, as levain.yaml was applied: defaults are filled in. Addresses of notifiers are not given out. */
export interface MonitorSettings {
  readonly model: string;
  readonly endpoint: string;
  /** null where no file of this model was applied. */
  readonly applied: boolean;
  readonly columns: readonly string[];
  readonly task: string | null;
  readonly target: string | null;
  readonly metrics: readonly string[];
  readonly falseAlarms: { readonly count: number; readonly perDays: number };
  /** The part of each group of rules. */
  readonly shares: Readonly<Record<string, number>>;
  readonly limits: { readonly errorRate: number; readonly latencyP99Ms: number };
  readonly page: readonly Light[];
  readonly to: { readonly page: string | null; readonly ticket: string | null };
  readonly retrainOn: readonly Light[];
  readonly eventTime: string;
  readonly labels: {
    readonly source: {
      readonly dataset: string;
      readonly join: 'prediction' | 'entity';
      readonly key: string | null;
      readonly column: string | null;
      readonly at: string | null;
    } | null;
    readonly horizonDays: number | null;
    readonly minimum: number;
    readonly minimumCoverage: number;
    /** Days with traffic that labels are behind now, the most that is usual (null: being learned), and what alarms. */
    readonly lag: number;
    readonly usualLag: number | null;
    readonly graceDays: number;
    readonly reaches: string | null;
    readonly waiting: number;
    readonly status: LabelStatus;
  };
  readonly eventClock: string | null;
  readonly evaluatedTo: string | null;
  readonly evaluatedAt: string | null;
}

export async function getSettings(
  deps: MonitoringDeps,
  actor: Actor,
  input: { readonly model: string },
): Promise<MonitorSettings> {
  const { endpoint, projectId, clock } = await spanOf(deps, actor, { ...input, days: 1 });
  const file = (await deps.serving.appliedFile(projectId, endpoint.model))?.file;
  const judged = endpoint.championId === null ? undefined : await judgedBy(deps, endpoint.championId);
  const progress = await deps.db.read((tx) => findProgress(tx, projectId, endpoint.name));
  const budget = file?.monitor?.falseAlarms ?? DEFAULT_BUDGET;
  const at = { projectId, endpoint: endpoint.name, end: startOfWindow(clock) };
  const hasTraffic = clockOf(endpoint) !== null;
  const coverage = hasTraffic ? await coverageOf(deps, at) : { lag: 0, reaches: null, waiting: 0 };
  const labels = file?.monitor?.labels ?? null;
  return {
    model: endpoint.model,
    endpoint: endpoint.name,
    applied: file !== undefined,
    columns: judged?.profile?.features.map(({ name }) => name) ?? [],
    task: judged?.task ?? null,
    target: file?.model?.target?.column ?? null,
    metrics: file?.monitor?.metrics ?? [],
    falseAlarms: { count: budget.count, perDays: budget.perMs / WINDOW_MS },
    shares: SHARES,
    limits: { ...DEFAULT_LIMITS, ...file?.deploy[endpoint.name]?.abortOn },
    page: file?.monitor?.page ?? [],
    to: file?.monitor?.to ?? { page: null, ticket: null },
    retrainOn: file?.triggers?.flatMap((trigger) => (trigger.kind === 'alert' ? [trigger.light] : [])) ?? [],
    eventTime: file?.deploy[endpoint.name]?.eventTime ?? 'server',
    labels: {
      source: labels?.data
        ? { dataset: labels.data, join: labels.join, key: labels.key, column: labels.column, at: labels.at }
        : null,
      horizonDays: labels?.horizonMs === null || labels === null ? null : labels.horizonMs / WINDOW_MS,
      minimum: MIN_LABELS,
      minimumCoverage: MIN_COVERAGE,
      ...coverage,
      reaches: coverage.reaches === null ? null : isoOf(coverage.reaches),
      usualLag: hasTraffic ? await usualLag(deps, at) : null,
      graceDays: GRACE_DAYS,
      status: await labelStatus(deps, actor, endpoint.name, 30),
    },
    eventClock: endpoint.eventClock,
    evaluatedTo: progress ? isoOf(progress.evaluated_to) : null,
    evaluatedAt: progress ? isoOf(progress.updated_at) : null,
  };
}
