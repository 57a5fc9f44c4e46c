import { isAppError, messageOf } from '../../kernel/errors.ts';
import { type Endpoint, rollback } from '../../serving/index.ts';
import { timeOf } from '../evaluation/unit-rule.ts';
import { grouped } from '../labels/labels.ts';
import type { EvaluationTable } from '../tables.ts';
import type { MonitoringDeps } from '../types.ts';
import type { CauseRule } from './causes.ts';

/** What an incident says: four lines, and the facts behind them. */
export interface Verdict {
  readonly lines: readonly string[];
  readonly since: number;
  readonly affected: number;
  readonly details: Readonly<Record<string, unknown>>;
}

const HEADS: Readonly<Record<CauseRule['cause'], string>> = {
  failing: 'SERVICE failing',
  broken: 'DATA broken',
  drift: 'DATA drifted',
  scores: 'MODEL answers shifted',
  performance: 'MODEL performance off',
  labels: 'DATA labels stopped',
  rolled_back: 'MODEL rolled back',
};

/** Written when the incident opens: what and since when; cause and what did not change; rollback; safe actions. */
export async function verdictOf(
  deps: MonitoringDeps,
  input: {
    readonly projectId: string;
    readonly endpoint: Endpoint;
    readonly rule: CauseRule;
    readonly alarms: readonly EvaluationTable[];
    readonly others: readonly EvaluationTable[];
    readonly rehearsal: string | null;
  },
): Promise<Verdict> {
  const { endpoint, rule, alarms, others, rehearsal } = input;
  const since = sinceOf(alarms);
  const affected = Math.max(...alarms.map((row) => row.sample_size));
  const back = await rollbackHelp(deps, input);
  const mark = rehearsal === null ? '' : ' REHEARSAL.';
  const unchanged = unchangedLights(rule, others);
  const lines = [
    `${HEADS[rule.cause]} since ${timeOf(since)}.${mark} Model unchanged (v${endpoint.champion}).`,
    `${alarms.map((row) => row.sentence).join('; ')}.${unchanged}`,
    `${impactOf(rule, affected)} ${back.sentence}${rule.cause === 'broken' ? ' Retraining is held back while this lasts.' : ''}`,
    `Safe: ${safeActions(rule, endpoint)}`,
  ];
  return {
    lines,
    since,
    affected,
    details: {
      affected,
      rollback: back,
      rules: alarms.map(({ rule, value, sentence }) => ({ rule, value, sentence })),
    },
  };
}

function sinceOf(alarms: readonly EvaluationTable[]): number {
  const stated = alarms
    .map((row) => (JSON.parse(row.details) as { since?: number | null }).since)
    .filter((since) => typeof since === 'number');
  return stated.length > 0 ? Math.min(...stated) : Math.min(...alarms.map((row) => row.window_start));
}

function unchangedLights(rule: CauseRule, others: readonly EvaluationTable[]): string {
  const lights = ['service', 'data', 'predictions', 'performance'].filter((light) => light !== rule.light);
  const calm = lights.filter((light) => {
    const rows = others.filter((row) => row.light === light);
    return (
      rows.some((row) => row.state === 'green') && rows.every((row) => row.state === 'green' || row.state === 'grey')
    );
  });
  return calm.length === 0 ? '' : ` As before: ${calm.join(', ')}.`;
}

function impactOf(rule: CauseRule, affected: number): string {
  if (rule.cause === 'performance') return `Judged on ${grouped(affected)} labelled predictions.`;
  if (rule.cause === 'labels')
    return `${grouped(affected)} predictions wait for their labels; that the model gets worse would not be seen.`;
  return `${grouped(affected)} predictions are affected.`;
}

interface RollbackHelp {
  readonly helps: boolean | null;
  readonly requests: number;
  readonly differing: number;
  readonly sentence: string;
}

/** The last 500 requests on the version before. What comes in broken stays broken whichever version reads it. */
async function rollbackHelp(
  deps: MonitoringDeps,
  { projectId, endpoint, rule }: { readonly projectId: string; readonly endpoint: Endpoint; readonly rule: CauseRule },
): Promise<RollbackHelp> {
  const none = { helps: null, requests: 0, differing: 0 };
  if (rule.cause === 'labels') return { ...none, helps: false, sentence: 'A rollback brings no labels.' };
  if (endpoint.previous === null)
    return { ...none, sentence: `There is no version before v${endpoint.champion} to roll back to.` };
  try {
    const actor = { projectId, user: 'levain', kind: 'system' as const };
    const { compared } = await rollback(deps.serving, actor, { name: endpoint.name, dryRun: true });
    if (!compared || compared.requests === 0)
      return { ...none, sentence: `v${endpoint.previous} could not be compared.` };
    const { requests, differing } = compared;
    const told = `v${endpoint.previous} answers ${grouped(differing)} of the last ${grouped(requests)} requests otherwise`;
    if (rule.cause === 'broken')
      return {
        helps: false,
        requests,
        differing,
        sentence: `Rollback will NOT help: ${told}, on the same broken rows.`,
      };
    return { helps: null, requests, differing, sentence: `Rollback: ${told}.` };
  } catch (error) {
    if (!isAppError(error)) deps.log.warn('a rollback could not be compared', { reason: messageOf(error) });
    return { ...none, sentence: `v${endpoint.previous} could not be compared (${messageOf(error)}).` };
  }
}

function safeActions(rule: CauseRule, endpoint: Endpoint): string {
  if (rule.cause === 'labels')
    return `levain labels status ${endpoint.name} · levain labels send FILE · levain monitor ${endpoint.model}`;
  const back = endpoint.previous !== null && rule.cause !== 'broken' ? [`levain rollback ${endpoint.name}`] : [];
  return [`levain fallback ${endpoint.name}`, ...back, `levain monitor ${endpoint.model}`].join(' · ');
}
