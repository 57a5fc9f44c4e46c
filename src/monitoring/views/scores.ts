import { countersOf } from '../../serving/index.ts';
import { emptyWindow, mergeWindow } from '../../stats/profile.ts';
import type { Actor } from '../../wire/route.ts';
import { startOfWindow } from '../labels/labels.ts';
import type { MonitoringDeps } from '../types.ts';
import { quantilesOf } from './distribution.ts';
import { busiest, evaluationsOf, isoOf, judgedIn, spanOf } from './span.ts';

/** What a model answered, day by day. */
export interface ScoresView {
  readonly model: string;
  readonly days: readonly {
    readonly start: string;
    readonly version: number | null;
    readonly rows: number;
    readonly mean: number;
    /** p5, p25, p50, p75, p95 of the scores. */
    readonly quantiles: readonly number[];
    /** Answers by label: counts. */
    readonly labels: Readonly<Record<string, number>>;
    readonly effect: number | null;
    readonly state: string | null;
  }[];
}

/** Scores of every day, from the counters; a day is its busiest version's. */
export async function getScores(
  deps: MonitoringDeps,
  actor: Actor,
  input: { readonly model: string; readonly days: number },
): Promise<ScoresView> {
  const span = await spanOf(deps, actor, input);
  const { projectId, endpoint } = span;
  const range = { projectId, endpoint: endpoint.name, from: startOfWindow(span.from), to: span.to };
  const hours = await countersOf(deps.serving, range);
  const rules = await evaluationsOf(deps, span, 'predictions.scores');
  const versions = await judgedIn(
    deps,
    hours.map(({ versionId }) => versionId),
  );
  const groups = Map.groupBy(hours, (hour) => `${startOfWindow(hour.windowStart)}/${hour.versionId}`);
  const days = [...groups.values()].flatMap((parts) => {
    const { versionId, windowStart } = parts[0]!;
    const judged = versions.get(versionId);
    if (!judged?.profile) return [];
    const { score } = judged.profile;
    const counters = parts.reduce((sum, part) => mergeWindow(sum, part.counters), emptyWindow(judged.profile));
    const n = counters.scoreBins.reduce((a, b) => a + b, 0);
    if (n === 0) return [];
    const start = startOfWindow(windowStart);
    const rule = rules.find((row) => row.window_start === start && row.version_id === versionId);
    return [
      {
        start,
        rows: n,
        version: judged.version.version,
        mean: counters.scoreSum / n,
        quantiles: quantilesOf(score.edges, counters.scoreBins, {
          min: score.edges[0] ?? 0,
          max: score.edges.at(-1) ?? 1,
        }),
        labels: counters.labels,
        effect: rule?.value ?? null,
        state: rule?.state ?? null,
      },
    ];
  });
  return {
    model: endpoint.model,
    days: busiest(days).map(({ start, ...day }) => ({ start: isoOf(start), ...day })),
  };
}
