import { latestRuns, type PipelineRun } from '../pipelines/index.ts';
import type { Actor } from '../wire/route.ts';
import { iso } from './incidents/incidents.ts';
import type { ModelStatus } from './status.ts';
import type { MonitoringDeps } from './types.ts';

interface Common {
  readonly model: string;
  readonly sentence: string;
  /** What deals with it on the command line. */
  readonly command: string;
  /** Since when, by the wall clock; null where that is not kept. */
  readonly at: string | null;
}

/** One thing that waits for a person. */
export type Need =
  | (Common & {
      readonly kind: 'incident';
      readonly number: number;
      readonly light: string;
      readonly severity: 'page' | 'ticket';
      readonly rehearsal: string | null;
      readonly acknowledgedBy: string | null;
    })
  | (Common & { readonly kind: 'approval'; readonly version: number })
  | (Common & {
      readonly kind: 'run';
      readonly run: string;
      readonly state: PipelineRun['state'];
      readonly draft: boolean;
    })
  | (Common & {
      readonly kind: 'rollout';
      readonly endpoint: string;
      readonly rollout: string;
      readonly version: number;
    })
  | (Common & { readonly kind: 'hold' });

/** What needs somebody: incidents that nobody looks at, approvals, failed runs, paused rollouts, holds, then incidents that somebody has. */
export async function needsOf(
  deps: Pick<MonitoringDeps, 'pipelines'>,
  actor: Pick<Actor, 'projectId'>,
  models: readonly ModelStatus[],
): Promise<readonly Need[]> {
  const incidents = models.flatMap(ofIncidents);
  return [
    ...incidents.filter(({ acknowledgedBy }) => acknowledgedBy === null),
    ...models.flatMap(ofApprovals),
    ...(await latestRuns(deps.pipelines, actor.projectId)).filter(isStuck).map(ofRun),
    ...models.flatMap(ofRollout),
    ...models.flatMap(ofHold),
    ...incidents.filter(({ acknowledgedBy }) => acknowledgedBy !== null),
  ];
}

const ofIncidents = (model: ModelStatus): Extract<Need, { kind: 'incident' }>[] =>
  model.incidents.map(({ number, light, severity, rehearsal, acknowledgedBy, openedAt, sentence }) => ({
    kind: 'incident',
    model: model.name,
    sentence: `incident ${number}: ${model.name} ${sentence}`,
    command: `levain why ${number}`,
    at: openedAt,
    number,
    light,
    severity,
    rehearsal,
    acknowledgedBy,
  }));

/** A model with several endpoints stands in several rows; what is the model's own is told by the first. */
const ofApprovals = ({ name, waiting, isFirst }: ModelStatus): Need[] =>
  (isFirst ? waiting : []).map((version) => ({
    kind: 'approval',
    model: name,
    sentence: `${name}@v${version} waits for approval`,
    command: `levain approve ${name}@v${version}`,
    at: null,
    version,
  }));

const ofHold = ({ name, hold, isFirst }: ModelStatus): Need[] =>
  hold === null || !isFirst
    ? []
    : [
        {
          kind: 'hold',
          model: name,
          sentence: `${name} is HELD: ${hold.reason}`,
          command: `levain resume ${name}`,
          at: hold.setAt,
        },
      ];

const ofRollout = ({ name, endpoint, rollout }: ModelStatus): Need[] =>
  endpoint === null || rollout?.state !== 'paused'
    ? []
    : [
        {
          kind: 'rollout',
          model: name,
          sentence: `${name}@v${rollout.version} paused: ${rollout.reason ?? rollout.sentence}`,
          command: `levain rollout ${endpoint}`,
          at: null,
          endpoint,
          rollout: rollout.id,
          version: rollout.version,
        },
      ];

/** The newest run of its pipeline did not get through; a refused challenger is no failure, the gate did its work. */
const isStuck = ({ state }: PipelineRun): boolean => state === 'failed' || state === 'refused';

const ofRun = (run: PipelineRun): Need => ({
  kind: 'run',
  model: run.model ?? run.pipeline,
  sentence: `run ${run.id.slice(-7)} of ${run.pipeline}${run.draft ? ' (a draft)' : ''} ${run.state}: ${run.failure?.message ?? run.summary ?? 'it said nothing of why'}`,
  command: `levain why ${run.id.slice(-7)}`,
  at: iso(run.finishedAt),
  run: run.id,
  state: run.state,
  draft: run.draft,
});
