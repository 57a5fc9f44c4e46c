import { AppError } from '../../kernel/errors.ts';
import type { Actor } from '../../wire/route.ts';
import { budgetOf, DEFAULT_BUDGET, PERSISTENT } from '../evaluation/rules.ts';
import type { LightState, MonitoringDeps } from '../types.ts';
import { RULES, type RuleFacts } from './rule-words.ts';
import { evaluationsOf, isoOf, judgedIn, spanOf } from './span.ts';

/** One rule over event time with everything that it decided by. */
export interface RuleView extends RuleFacts {
  readonly rule: string;
  readonly light: string;
  /** Alarms only when two of three windows exceed. */
  readonly persistent: boolean;
  readonly falseAlarms: { readonly count: number; readonly perDays: number; readonly ofRule: number | null };
  readonly windows: readonly {
    readonly start: string;
    readonly version: number | null;
    readonly state: LightState;
    /** This window alone is beyond the threshold. */
    readonly exceeds: boolean;
    readonly value: number | null;
    readonly threshold: number | null;
    readonly n: number;
    readonly sentence: string;
    /** What the rule computed beside its value: columns are left out, they have a view of their own. */
    readonly details: Readonly<Record<string, unknown>>;
    readonly evaluatedAt: string;
  }[];
}

/** Why a light is as it is: a rule's value, threshold and window, and its part of the false alarms. Throws `not_found`. */
export async function getRule(
  deps: MonitoringDeps,
  actor: Actor,
  input: { readonly model: string; readonly rule: string; readonly days: number },
): Promise<RuleView> {
  const facts = Object.hasOwn(RULES, input.rule) ? RULES[input.rule] : undefined;
  if (!facts)
    throw new AppError('not_found', `There is no rule "${input.rule}"; there are ${Object.keys(RULES).join(', ')}`);
  const span = await spanOf(deps, actor, input);
  const rows = await evaluationsOf(deps, span, input.rule);
  const versions = await judgedIn(
    deps,
    rows.map((row) => row.version_id),
  );
  const file = (await deps.serving.appliedFile(span.projectId, span.endpoint.model))?.file;
  const stated = budgetOf(file?.monitor?.falseAlarms ?? DEFAULT_BUDGET);
  return {
    ...facts,
    rule: input.rule,
    light: input.rule.split('.')[0]!,
    persistent: PERSISTENT.has(input.rule),
    falseAlarms: {
      count: stated.count,
      perDays: stated.perMs / stated.windowMs,
      ofRule: facts.share === null ? null : facts.share * stated.count,
    },
    windows: rows.map((row) => {
      const { columns: _, ...details } = JSON.parse(row.details) as Record<string, unknown>;
      return {
        start: isoOf(row.window_start),
        version: versions.get(row.version_id)?.version.version ?? null,
        state: row.state as LightState,
        exceeds: row.exceeds === 1,
        value: row.value,
        threshold: row.threshold,
        n: row.sample_size,
        sentence: row.sentence,
        details,
        evaluatedAt: isoOf(row.evaluated_at),
      };
    }),
  };
}
