import type { AnswerOf } from '../../../api/routes.ts';
import { duration } from '../../../ui/format.ts';
import type { Health } from '../../../ui/status.tsx';

export type Run = AnswerOf<'GET /pipeline-runs'>['items'][number];
export type RunDetail = AnswerOf<'GET /pipeline-runs/:id'>;
export type Step = RunDetail['steps'][number];
export type TriggerList = AnswerOf<'GET /pipelines/:name/triggers'>;
export type Trigger = TriggerList['items'][number]['trigger'];

const HEALTH: Readonly<Record<Run['state'] | Step['state'], Health>> = {
  pending: 'unknown',
  ready: 'unknown',
  leased: 'running',
  running: 'running',
  succeeded: 'good',
  ok: 'good',
  cached: 'good',
  failed: 'bad',
  lost: 'bad',
  refused: 'bad',
  gate_failed: 'watch',
  waiting: 'watch',
  skipped: 'unknown',
  cancelled: 'unknown',
};
export const healthOf = (state: Run['state'] | Step['state']): Health => HEALTH[state];

const WORDS: Readonly<Record<string, string>> = {
  gate_failed: 'gate failed',
  waiting: 'waits for approval',
  leased: 'starting',
  ok: 'ran',
  refused: 'contract broken',
};
export const wordOf = (state: string): string => WORDS[state] ?? state;

interface Timed {
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
}

/** How long it took, or takes until now; null before it began. */
export const tookMs = ({ startedAt, finishedAt }: Timed, now = Date.now()): number | null =>
  startedAt === null ? null : Math.max(0, (finishedAt === null ? now : Date.parse(finishedAt)) - Date.parse(startedAt));

/** The number of the incident that an alert's key begins with. */
export const incidentOf = ({ kind, key }: { readonly kind: string; readonly key: string }): string | undefined =>
  kind === 'alert' ? /^(\d+)\//.exec(key)?.[1] : undefined;

const TRIGGERS: Readonly<Record<string, string>> = {
  manual: 'by hand',
  cron: 'schedule',
  data: 'new data',
  alert: 'alert',
  after: 'after another pipeline',
  rehearsal: 'rehearsal',
  adopt: 'adopted',
};
export const triggerWord = (kind: string): string => TRIGGERS[kind] ?? kind;

export function triggerWords(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'cron':
      return `schedule ${trigger.cron} in ${trigger.tz}`;
    case 'data':
      return `a new version of the data ${trigger.dataset}`;
    case 'alert':
      return `an alert of the light ${trigger.light}`;
    case 'after':
      return `the pipeline ${trigger.pipeline} ${trigger.status}`;
  }
}

const OUTCOMES: Readonly<Record<string, string>> = {
  started: 'started a run',
  coalesced: 'joined a run that was waiting',
  skipped: 'skipped: a run was open',
  held: 'not followed: the model was HELD',
};
export const outcomeWords = (outcome: string): string => OUTCOMES[outcome] ?? outcome;

/** State and how long, for a box of the graph. */
export const stepWord = (step: Step): string => {
  if (step.progress) return `cell ${step.progress.cell} of ${step.progress.of}`;
  const took = step.state === 'cached' ? null : tookMs(step);
  return `${wordOf(step.state)}${took === null ? '' : `, ${duration(took)}`}`;
};
