import type { DomainEvent } from '../kernel/events.ts';
import { shortId, uuidv7 } from '../kernel/ids.ts';
import type { Tx } from '../ports/db.ts';
import type { TriggerSection } from '../project-file/index.ts';
import { findHoldIn } from '../registry/index.ts';
import { appliedFileIn, listApplied } from './applied.ts';
import { type CronSection, cronId, slotsDue } from './cron.ts';
import type { PipelinesDeps } from './deps.ts';
import { findRun, listOpenRuns, updateRun } from './runs.store.ts';
import { appliedForRunIn, startRunIn } from './runs.ts';
import { insertTriggerEvent, listDueCron, putCronTrigger } from './triggers.store.ts';
import type { PipelineRun, TriggerKind } from './types.ts';
import { wakeEngines } from './wake.ts';

type Deps = Pick<PipelinesDeps, 'db' | 'clock' | 'random' | 'log' | 'outbox' | 'identity'>;

/** Something happened that a trigger of a pipeline may answer. `key` names it once and for all. */
export interface TriggerEvent {
  readonly projectId: string;
  readonly pipeline: string;
  readonly kind: Exclude<TriggerKind, 'manual' | 'rehearsal' | 'adopt'>;
  readonly key: string;
  readonly asOf: number | null;
  readonly dataMode: PipelineRun['dataMode'];
}

export type TriggerOutcome = 'started' | 'coalesced' | 'skipped' | 'held' | 'repeated' | 'unknown';

/**
 * Answers one event, once however often it is told: a run, or none where the model is held, or where one is waiting already
 * and the file says `coalesce`, or one is open and it says `skip`.
 */
export async function fire(
  deps: Deps,
  event: TriggerEvent,
): Promise<{ readonly outcome: TriggerOutcome; readonly runId: string | null }> {
  const answer = await deps.db.write((tx) => fireIn(tx, deps, event));
  if (answer.outcome === 'held')
    deps.log.info('pipelines: a trigger was not followed, the model is held', {
      pipeline: event.pipeline,
      kind: event.kind,
    });
  wakeEngines(deps.db);
  return answer;
}

/** A new version of data: pipelines with `triggers: [{ data: NAME }]`, but for runs' own looks at the source. */
export async function onDataVersionCreated(deps: Deps, event: DomainEvent<'data.version_created'>): Promise<void> {
  const { dataset, versionId } = event.payload;
  for (const { pipeline } of await pipelinesWith(
    deps,
    event.projectId,
    (trigger) => trigger.kind === 'data' && trigger.dataset === dataset,
  )) {
    const open = await deps.db.read((tx) => listOpenRuns(tx, { projectId: event.projectId, pipeline }));
    const isOwn = open.some((run) => run.dataMode === 'latest' && run.createdAt <= event.createdAt);
    if (!isOwn)
      await fire(deps, {
        projectId: event.projectId,
        pipeline,
        kind: 'data',
        key: versionId,
        asOf: null,
        dataMode: 'current',
      });
  }
}

/** An incident asks for retraining; the event clock's time cuts the labels. */
export async function onAlertFired(deps: Deps, event: DomainEvent<'monitoring.alert_fired'>): Promise<void> {
  const { model, light, incident, asOf } = event.payload;
  const matching = await pipelinesWith(
    deps,
    event.projectId,
    (trigger) => trigger.kind === 'alert' && trigger.light === light,
  );
  for (const { pipeline } of matching.filter((applied) => applied.pipeline === model)) {
    await fire(deps, {
      projectId: event.projectId,
      pipeline,
      kind: 'alert',
      // An incident whose challenger was refused asks again, after its cool-down, at a later event time.
      key: `${incident}/${light}/${asOf}`,
      asOf,
      dataMode: 'latest',
    });
  }
}

/** A run ended: pipelines that come after it. */
export async function onRunFinished(deps: Deps, event: DomainEvent<'pipelines.run_finished'>): Promise<void> {
  const { runId, pipeline: finished, status } = event.payload;
  const end = status === 'succeeded' || status === 'waiting' ? 'succeeded' : 'failed';
  const follows = (trigger: TriggerSection): boolean =>
    trigger.kind === 'after' &&
    trigger.pipeline === finished &&
    (trigger.status === 'finished' || trigger.status === end);
  for (const { pipeline } of await pipelinesWith(deps, event.projectId, follows)) {
    const run = await deps.db.read((tx) => findRun(tx, event.projectId, runId));
    await fire(deps, {
      projectId: event.projectId,
      pipeline,
      kind: 'after',
      key: runId,
      asOf: run?.trigger.asOf ?? null,
      dataMode: 'current',
    });
  }
}

/** Starts what schedules ask for by now, and moves them on. Two servers may do it: a slot has one run. */
export async function fireDueCron(deps: Deps): Promise<void> {
  const due = await deps.db.read((tx) => listDueCron(tx, deps.clock.now()));
  for (const row of due) {
    await deps.db.write(async (tx) => {
      const applied = await appliedFileIn(tx, row.project_id, row.pipeline);
      const section = applied?.file.triggers.find(
        (trigger): trigger is CronSection => trigger.kind === 'cron' && cronId(trigger) === row.trigger_id,
      );
      if (!section || row.due_at === null) return putCronTrigger(tx, { ...row, due_at: null });
      const { slots, next } = slotsDue(section, row.due_at, deps.clock.now());
      for (const slot of slots) {
        const key = `${row.trigger_id}/${new Date(slot).toISOString()}`;
        await fireIn(tx, deps, {
          projectId: row.project_id,
          pipeline: row.pipeline,
          kind: 'cron',
          key,
          asOf: null,
          dataMode: 'latest',
        });
      }
      return putCronTrigger(tx, { ...row, due_at: next });
    });
    wakeEngines(deps.db);
  }
}

async function fireIn(
  tx: Tx,
  deps: Deps,
  event: TriggerEvent,
): Promise<{ readonly outcome: TriggerOutcome; readonly runId: string | null }> {
  const applied = await appliedForRunIn(tx, event.projectId, event.pipeline);
  if (!applied) return { outcome: 'unknown', runId: null };
  const id = uuidv7(deps.clock.now(), (bytes) => deps.random.fill(bytes));
  const { outcome, other } = await decide(
    tx,
    deps,
    event,
    applied.file.concurrency.onConflict,
    applied.file.model !== null,
  );
  const runId = outcome === 'started' ? id : other;
  const isNew = await insertTriggerEvent(tx, {
    project_id: event.projectId,
    pipeline: event.pipeline,
    kind: event.kind,
    key: event.key,
    run_id: runId,
    outcome,
    created_at: deps.clock.now(),
  });
  if (!isNew) return { outcome: 'repeated', runId: null };
  if (outcome !== 'started') return { outcome, runId };
  const { kind, key, asOf, dataMode, projectId } = event;
  await startRunIn(tx, deps, {
    ...applied,
    id,
    projectId,
    startedBy: 'levain',
    trigger: { kind, key, asOf },
    dataMode,
    params: {},
    rehearsal: null,
  });
  return { outcome, runId: id };
}

async function decide(
  tx: Tx,
  deps: Deps,
  event: TriggerEvent,
  onConflict: 'queue' | 'skip' | 'cancel_old' | 'coalesce',
  makesModel: boolean,
): Promise<{ readonly outcome: 'started' | 'coalesced' | 'skipped' | 'held'; readonly other: string | null }> {
  if (makesModel && (await findHoldIn(tx, event.projectId, event.pipeline))) return { outcome: 'held', other: null };
  const open = await listOpenRuns(tx, event);
  const waiting = open.find((run) => run.state === 'pending' && run.trigger.kind !== 'manual');
  if (onConflict === 'skip' && open.length > 0) return { outcome: 'skipped', other: open[0]!.id };
  if (onConflict === 'coalesce' && waiting) return { outcome: 'coalesced', other: waiting.id };
  if (onConflict === 'cancel_old') {
    for (const run of open) await updateRun(tx, run, ['pending', 'running'], { cancelRequested: true });
    if (open.length > 0)
      deps.log.info('pipelines: a newer event cancels runs', {
        pipeline: event.pipeline,
        runs: open.map((run) => shortId(run.id)),
      });
  }
  return { outcome: 'started', other: null };
}

async function pipelinesWith(deps: Deps, projectId: string, matches: (trigger: TriggerSection) => boolean) {
  const applied = await listApplied(deps, projectId);
  return applied.filter(({ file }) => file.triggers.some(matches));
}
