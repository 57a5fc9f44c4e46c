import { recordActivity } from '../../identity/index.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import type { Tx } from '../../ports/db.ts';
import { controlRollout, type Endpoint, getEndpoint, getRollout } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import { type Judged, judgedBy } from '../evaluation/versions.ts';
import { grouped } from '../labels/labels.ts';
import type { RehearsalTable } from '../tables.ts';
import {
  type ColumnFault,
  type MonitoringDeps,
  type RehearsalInput,
  type RehearsalKind,
  rehearsalSchema,
} from '../types.ts';
import { rehearseModel } from './faulty-model.ts';
import { rehearseLabels } from './late-labels.ts';
import { planSentence } from './plan.ts';
import * as store from './rehearsals.store.ts';
import { type RehearsalReport, type RehearsalView, toView } from './rehearsals.ts';
import { rehearseData } from './spoiled-data.ts';
import { type Spoiler, spoilerOf } from './spoilers.ts';
import { resolveItsIncidents } from './watching.ts';

/** What a rehearsal works with while it runs. */
export interface Rehearsing {
  readonly deps: MonitoringDeps;
  readonly row: RehearsalTable;
  readonly input: ReturnType<typeof rehearsalSchema.parse>;
  readonly signal: AbortSignal;
  /** Stores what is known so far, for whoever watches. */
  note(report: Partial<RehearsalReport>, change?: Partial<RehearsalTable>): Promise<RehearsalReport>;
}

export const EMPTY_REPORT: RehearsalReport = {
  sentence: 'begins',
  requests: 0,
  rows: 0,
  alarmAfterRequests: null,
  alarmAfterRows: null,
  alarm: null,
  acted: [],
  cost: null,
};

/**
 * Starts a rehearsal on a living endpoint and answers at once; it goes on by itself and ends with a report. Its requests are
 * tagged: they count into windows of their own and move no clock. One at a time an endpoint.
 */
export async function startRehearsal(deps: MonitoringDeps, actor: Actor, raw: RehearsalInput): Promise<RehearsalView> {
  const input = rehearsalSchema.parse(raw);
  const endpoint = await getEndpoint(deps.serving, actor, input.endpoint ?? input.model);
  if (endpoint.championId === null)
    throw new AppError('conflict', `"${endpoint.name}" has no version yet; deploy ${endpoint.model} before rehearsing`);
  const { rollout } = endpoint;
  if (isModelFault(input.kind) && rollout && rollout.state !== 'baking')
    throw new AppError(
      'conflict',
      `v${rollout.version} of ${endpoint.model} is being rolled out (${rollout.state}); rehearse a faulty model when that is over`,
      { hint: `levain rollout ${endpoint.model}` },
    );
  const possible = await checkPossible(deps, endpoint, input);
  const row = newRow(deps, actor, endpoint, input);
  if (input.dryRun) {
    await deps.db.read((tx) => assertNoneRuns(tx, row));
    const report = { ...EMPTY_REPORT, sentence: planSentence({ endpoint, input, ...possible }) };
    return toView({ ...row, state: 'planned', report: canonicalJson(report as never) });
  }
  await deps.db.write(async (tx) => {
    await assertNoneRuns(tx, row);
    await store.insertRehearsal(tx, row);
    await recordActivity(tx, deps.identity, {
      projectId: actor.projectId,
      at: deps.clock.now(),
      eventAt: endpoint.eventClock === null ? null : Date.parse(endpoint.eventClock),
      kind: 'rehearsal',
      subject: endpoint.model,
      sentence: `REHEARSAL ${input.kind} of ${endpoint.model} begins`,
      command: `levain rehearse --show ${row.id}`,
      actor: actor.user,
    });
  });
  deps.runtime.track((signal) => run(deps, row, input, signal));
  return toView(row);
}

const newRow = (
  deps: MonitoringDeps,
  actor: Actor,
  endpoint: Endpoint,
  input: Rehearsing['input'],
): RehearsalTable => ({
  project_id: actor.projectId,
  id: uuidv7(deps.clock.now(), deps.random.fill),
  model: endpoint.model,
  endpoint: endpoint.name,
  kind: input.kind,
  state: 'running',
  params: canonicalJson(input as never),
  report: canonicalJson(EMPTY_REPORT as never),
  incident: null,
  rollout_id: null,
  started_by: actor.user,
  started_at: deps.clock.now(),
  finished_at: null,
});

async function assertNoneRuns(tx: Tx, { project_id, endpoint }: RehearsalTable): Promise<void> {
  const running = (await store.selectRunning(tx)).find(
    (other) => other.project_id === project_id && other.endpoint === endpoint,
  );
  if (running)
    throw new AppError('conflict', `A rehearsal (${running.kind}) of "${endpoint}" is under way; wait for its end`);
}

/** What the model has no column for, or nothing to be judged by, is refused at once. */
async function checkPossible(
  deps: MonitoringDeps,
  endpoint: Endpoint,
  input: Rehearsing['input'],
): Promise<{ readonly judged: Judged; readonly spoil: Spoiler | undefined }> {
  const judged = await judgedBy(deps, endpoint.championId!);
  const name = `${endpoint.model}@v${endpoint.champion}`;
  if (!judged?.version.spec) throw new AppError('precondition_failed', `${name} has no servable form to rehearse with`);
  if (isModelFault(input.kind) || input.kind === 'late-labels') return { judged, spoil: undefined };
  if (!judged.profile) throw new AppError('precondition_failed', `${name} has no profile to judge data by`);
  return { judged, spoil: spoilerFor(deps, judged, input) };
}

/** The fault that the model's own columns suggest, or the one that was asked for. */
export const spoilerFor = (deps: Pick<MonitoringDeps, 'random'>, judged: Judged, input: Rehearsing['input']): Spoiler =>
  spoilerOf({
    ...input,
    kind: input.kind as ColumnFault,
    profile: judged.profile!,
    inputs: judged.version.spec!.signature.inputs,
    random: () => deps.random.next(),
  });

async function run(
  deps: MonitoringDeps,
  row: RehearsalTable,
  input: Rehearsing['input'],
  signal: AbortSignal,
): Promise<void> {
  let report = EMPTY_REPORT;
  const rehearsing: Rehearsing = {
    deps,
    row,
    input,
    signal,
    async note(part, change = {}) {
      report = { ...report, ...part };
      await deps.db.write((tx) =>
        store.updateRehearsal(tx, row.project_id, row.id, { ...change, report: canonicalJson(report as never) }),
      );
      return report;
    },
  };
  try {
    await finish(rehearsing, 'done', await rehearse(rehearsing));
  } catch (error) {
    if (signal.aborted) return;
    deps.log.warn('a rehearsal failed', { rehearsal: row.id, reason: messageOf(error) });
    await finish(rehearsing, 'failed', { sentence: `failed: ${messageOf(error)}` });
  }
}

const isModelFault = (kind: RehearsalKind): boolean => kind === 'broken-model' || kind === 'slow-model';

function rehearse(rehearsing: Rehearsing): Promise<Partial<RehearsalReport>> {
  const { kind } = rehearsing.input;
  if (isModelFault(kind)) return rehearseModel(rehearsing);
  return kind === 'late-labels' ? rehearseLabels(rehearsing) : rehearseData(rehearsing);
}

async function finish(
  { deps, row, note }: Rehearsing,
  state: 'done' | 'failed',
  end: Partial<RehearsalReport>,
): Promise<void> {
  const { sentence } = await note(end, { state, finished_at: deps.clock.now() });
  await deps.db.write((tx) =>
    recordActivity(tx, deps.identity, {
      projectId: row.project_id,
      at: deps.clock.now(),
      kind: 'rehearsal',
      subject: row.model,
      sentence: `REHEARSAL ${row.kind} of ${row.model} is over: ${sentence}`,
      command: `levain rehearse --show ${row.id}`,
    }),
  );
}

/**
 * Rehearsals that a stopped server left behind do not go on: half of a rehearsal says nothing. What they opened ends with them: incidents, which would hold retraining back,
 * and a rollout that nobody sends requests to any more.
 */
export async function endAbandoned(deps: MonitoringDeps): Promise<void> {
  const running = await deps.db.read((tx) => store.selectRunning(tx));
  for (const row of running) {
    if (row.started_at >= deps.runtime.startedAt) continue;
    await resolveItsIncidents(deps, row, 'its rehearsal ended with the server that ran it');
    await abortItsRollout(deps, row);
    const report = JSON.parse(row.report) as RehearsalReport;
    const sentence = `failed: the server that ran it stopped after ${grouped(report.requests)} requests${report.alarm ? `, and after the alarm: ${report.alarm}` : ', before any alarm'}; run it again`;
    await deps.db.write(async (tx) => {
      await store.updateRehearsal(tx, row.project_id, row.id, {
        state: 'failed',
        finished_at: deps.clock.now(),
        report: canonicalJson({ ...report, sentence } as never),
      });
      await recordActivity(tx, deps.identity, {
        projectId: row.project_id,
        at: deps.clock.now(),
        kind: 'rehearsal',
        subject: row.model,
        sentence: `REHEARSAL ${row.kind} of ${row.model} ${sentence}`,
        command: `levain rehearse ${row.kind} ${row.model}`,
      });
    });
  }
}

async function abortItsRollout(deps: MonitoringDeps, row: RehearsalTable): Promise<void> {
  if (row.rollout_id === null) return;
  const actor: Actor = { projectId: row.project_id, user: 'levain', kind: 'system' };
  try {
    const { rollout } = await getRollout(deps.serving, actor, { name: row.endpoint, id: row.rollout_id });
    if (rollout.state === 'done' || rollout.state === 'aborted') return;
    const reason = 'its rehearsal ended with the server that ran it';
    await controlRollout(deps.serving, actor, { name: row.endpoint, action: 'abort', reason });
  } catch (error) {
    deps.log.warn('the rollout of an abandoned rehearsal could not be ended', {
      rehearsal: row.id,
      reason: messageOf(error),
    });
  }
}
