import { getRunDetail, type RunDetail, type WhyStep, whyStep } from '../../pipelines/index.ts';
import type { Finder } from './types.ts';

export const ofRun: Finder = async (deps, actor, id) => {
  const detail = await getRunDetail(deps.pipelines, actor.projectId, id);
  const { run, steps } = detail;
  return {
    kind: 'run',
    id: run.id,
    answer: answerOf(detail),
    details: steps.map(
      (step) =>
        `  ${step.name}: ${step.state}${step.reason ? `, ${step.reason}` : ''}${step.failure ? `, ${step.failure.message}` : ''}`,
    ),
    next: [
      ...(run.trigger.kind === 'alert' ? [`levain why ${incidentOf(run.trigger.key)}`] : []),
      ...(run.model && run.version ? [`levain why ${run.model}@v${run.version}`] : []),
      ...steps
        .filter(({ failure }) => failure)
        .slice(0, 1)
        .map(({ name }) => `levain logs ${run.id.slice(-7)}/${name}`),
      ...steps.slice(0, 3).map((step) => `levain why ${run.id.slice(-7)}/${step.name}`),
    ],
    links: { run: `/pipeline-runs/${run.id}` },
    data: { run, steps },
  };
};

const incidentOf = (key: string): string => key.split('/')[0]!;

const STARTED: Readonly<Record<string, string>> = {
  manual: 'somebody asked for it',
  cron: 'its schedule said so',
  data: 'new data came',
  alert: 'an alert asked for retraining',
  rehearsal: 'a rehearsal asked for it',
  after: 'the run before it ended',
  adopt: 'levain adopt filed what it had run',
};

function answerOf({ run, steps }: RunDetail): string {
  const { trigger } = run;
  const by =
    trigger.kind === 'manual' ? `${run.startedBy} asked for it` : (STARTED[trigger.kind] ?? `of ${trigger.kind}`);
  const more = trigger.kind === 'alert' ? ` (incident ${incidentOf(trigger.key)})` : '';
  const failed = steps.find(({ failure }) => failure);
  const ended =
    run.state === 'succeeded' || run.state === 'running' || run.state === 'pending'
      ? `It ${run.state === 'succeeded' ? 'succeeded' : `is ${run.state}`}${run.summary ? `: ${run.summary}` : ''}`
      : `It ended ${run.state.replace('_', ' ')} because ${failed ? `step ${failed.name} failed: ${failed.failure!.message}` : (run.failure?.message ?? run.summary ?? 'it was stopped')}`;
  const left =
    run.state === 'waiting'
      ? `It came through and left the decision to a human: ${run.summary ?? 'an approval'}`
      : ended;
  const cached = steps.filter(({ state }) => state === 'cached').length;
  const reused =
    cached === 0 ? '' : ` ${cached} of its ${steps.length} steps did not change and were taken from before.`;
  return `Run ${run.id.slice(-7)} of ${run.pipeline}${run.draft ? ' (a draft)' : ''} started because ${by}${more}. ${left.replace(/\.$/, '')}.${reused}`;
}

export const ofStep: Finder = async (deps, actor, id) => {
  const at = id.lastIndexOf('/');
  if (at <= 0) return undefined;
  const step = await whyStep(deps.pipelines, actor.projectId, { id: id.slice(0, at), step: id.slice(at + 1) });
  const changed = step.parts.filter((part) => part.changed);
  return {
    kind: 'step',
    id,
    answer: stepAnswer(step),
    details: changed.map((part) => `  changed: ${part.what} (${short(part.before)} → ${short(part.now)})`),
    next: [
      ...(step.state === 'failed' ? [`levain logs ${id}`] : []),
      `levain why ${id.slice(0, at)}`,
      ...(step.comparedWith === null ? [] : [`levain why ${step.comparedWith.slice(-7)}`]),
    ],
    links: { run: `/pipeline-runs/${step.run}` },
    data: step,
  };
};

const short = (digest: string | null): string => digest?.slice(0, 7) ?? 'none';

function stepAnswer(step: WhyStep): string {
  const changed = step.parts.filter((part) => part.changed).map(({ what }) => what);
  const before = step.comparedWith === null ? null : step.comparedWith.slice(-7);
  const name = `Step ${step.step} of run ${step.run.slice(-7)}`;
  if (step.state === 'cached')
    return `${name} was not run again because nothing that it depends on changed${before ? ` since run ${before}` : ''}: ${step.parts.map(({ what }) => what).join(', ')} are the same${step.reason ? ` (${step.reason})` : ''}.`;
  const cause =
    before === null
      ? 'no run before it had tried it'
      : changed.length > 0
        ? `${listed(changed)} changed since run ${before}`
        : `the one in run ${before} gave nothing to reuse`;
  const isOver = step.state === 'ok' || step.state === 'failed' || step.state === 'lost';
  const verb = isOver ? 'ran' : step.state === 'running' ? 'runs' : `is ${step.state}`;
  const why =
    step.state === 'skipped' || step.state === 'cancelled' ? (step.reason ?? 'the run ended before it') : cause;
  const ended =
    step.state === 'failed' || step.state === 'lost'
      ? ` It ${step.state === 'lost' ? 'was lost' : 'failed'}${step.reason ? `: ${step.reason}` : ''}.`
      : '';
  return `${name} ${verb} because ${why}.${ended}`;
}

const listed = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
