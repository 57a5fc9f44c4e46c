import type { AnswerOf } from '../../../api/routes.ts';

export type History = AnswerOf<'GET /endpoints/:name/rollout'>;
export type Rollout = History['rollout'];
export type Transition = History['transitions'][number];
export type Evidence = NonNullable<Rollout['evidence']>;
export type Pairs = Evidence['shadow'];

export interface StepView {
  readonly key: string;
  readonly title: string;
  readonly is: 'done' | 'now' | 'paused' | 'stopped' | 'ahead' | 'skipped';
  /** How long it took or takes, by the event clock where there is one, ms. */
  readonly tookMs: number | null;
}

const FINISHED: readonly string[] = ['done', 'aborted'];
export const isFinished = ({ state }: Pick<Rollout, 'state'>): boolean => FINISHED.includes(state);

/** Everything that a rollout goes through, in order, with where it is: loading, the plan's steps, all traffic, standing by. */
export function stepsOf({ rollout, transitions }: History, now: number): readonly StepView[] {
  const { plan, state } = rollout;
  const titles = ['loads', ...plan.steps.map(titleOf), '100 %', ...(plan.bakeMs > 0 ? ['stands by'] : [])];
  const places = transitions.map(placeOf(plan.steps.length));
  const reached = Math.max(-1, ...places.filter((place) => place !== null));
  return titles.map((title, at) => {
    const index = at - 1;
    const first = places.indexOf(index);
    const isSeen = first >= 0;
    const next = transitions.find((_, i) => i > first && places[i] !== null && places[i] !== index);
    const end = next ?? (isFinished(rollout) ? transitions.at(-1) : undefined);
    return {
      key: `${index}`,
      title,
      is: whereOf(state, index, reached, isSeen),
      tookMs: isSeen ? spanOf(transitions[first]!, end, rollout, now) : null,
    };
  });
}

/** Which place of the list a transition led to; null for a pause, an abort and an end, which lead nowhere else. */
const placeOf =
  (steps: number) =>
  ({ to, step }: Transition): number | null => {
    if (to === 'preflight') return -1;
    if (to === 'promoting') return steps;
    if (to === 'baking') return steps + 1;
    return to === 'shadow' || to === 'canary' ? step : null;
  };

function whereOf(state: string, index: number, reached: number, isSeen: boolean): StepView['is'] {
  if (state === 'done') return isSeen || index > reached ? 'done' : 'skipped';
  if (index > reached) return 'ahead';
  if (index < reached) return isSeen ? 'done' : 'skipped';
  if (state === 'aborted' || state === 'aborting') return 'stopped';
  return state === 'paused' ? 'paused' : 'now';
}

function spanOf(start: Transition, end: Transition | undefined, { eventClock }: Rollout, now: number): number {
  const [from, to] = [start.eventAt, end ? end.eventAt : eventClock];
  const byEvents = from !== null && to !== null ? Date.parse(to) - Date.parse(from) : 0;
  // What takes no event time, such as loading, took some of ours.
  return byEvents > 0 ? byEvents : (end ? Date.parse(end.at) : now) - Date.parse(start.at);
}

export function titleOf(step: Rollout['plan']['steps'][number]): string {
  return step.kind === 'canary' ? shareWords(step.weight) : step.kind;
}

export const shareWords = (share: number): string => `${Number((share * 100).toFixed(1))}\u202f%`;

/** What the replay said: kept with the step that it ended, whatever came later. */
export const replayOf = ({ rollout, transitions }: History): Pairs | null =>
  rollout.evidence?.replay ?? transitions.findLast(({ evidence }) => evidence?.replay)?.evidence?.replay ?? null;
