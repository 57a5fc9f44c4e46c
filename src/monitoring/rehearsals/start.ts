import { recordActivity } from '../../identity/index.ts';
import { canonicalJson } from '../../kernel/canonical-json.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import { getEndpoint } from '../../serving/index.ts';
import type { Actor } from '../../wire/route.ts';
import type { RehearsalTable } from '../tables.ts';
import { type MonitoringDeps, type RehearsalInput, rehearsalSchema } from '../types.ts';
import { rehearseModel } from './broken-model.ts';
import * as store from './rehearsals.store.ts';
import { type RehearsalReport, type RehearsalView, toView } from './rehearsals.ts';
import { rehearseData } from './spoiled-data.ts';

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
  if (input.kind === 'broken-model' && rollout && rollout.state !== 'baking')
    throw new AppError(
      'conflict',
      `v${rollout.version} of ${endpoint.model} is being rolled out (${rollout.state}); rehearse a broken model when that is over`,
      { hint: `levain rollout ${endpoint.model}` },
    );
  const id = uuidv7(deps.clock.now(), deps.random.fill);
  const row: RehearsalTable = {
    project_id: actor.projectId,
    id,
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
  };
  await deps.db.write(async (tx) => {
    const running = (await store.selectRunning(tx)).find(
      (other) => other.project_id === actor.projectId && other.endpoint === endpoint.name,
    );
    if (running)
      throw new AppError(
        'conflict',
        `A rehearsal (${running.kind}) of "${endpoint.name}" is under way; wait for its end`,
      );
    await store.insertRehearsal(tx, row);
    await recordActivity(tx, deps.identity, {
      projectId: actor.projectId,
      at: deps.clock.now(),
      eventAt: endpoint.eventClock === null ? null : Date.parse(endpoint.eventClock),
      kind: 'rehearsal',
      subject: endpoint.model,
      sentence: `REHEARSAL ${input.kind} of ${endpoint.model} begins`,
      command: `levain rehearse --show ${id}`,
      actor: actor.user,
    });
  });
  deps.runtime.track((signal) => run(deps, row, input, signal));
  return toView(row);
}

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
    const end = input.kind === 'broken-model' ? await rehearseModel(rehearsing) : await rehearseData(rehearsing);
    await finish(rehearsing, 'done', end);
  } catch (error) {
    if (signal.aborted) return;
    deps.log.warn('a rehearsal failed', { rehearsal: row.id, reason: messageOf(error) });
    await finish(rehearsing, 'failed', { sentence: `failed: ${messageOf(error)}` });
  }
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

/** Rehearsals that a stopped server left behind do not go on. */
export async function endAbandoned(deps: MonitoringDeps): Promise<void> {
  const running = await deps.db.read((tx) => store.selectRunning(tx));
  for (const row of running) {
    if (row.started_at >= deps.runtime.startedAt) continue;
    const report = { ...(JSON.parse(row.report) as RehearsalReport), sentence: 'ended with the server that ran it' };
    await deps.db.write((tx) =>
      store.updateRehearsal(tx, row.project_id, row.id, {
        state: 'failed',
        finished_at: deps.clock.now(),
        report: canonicalJson(report as never),
      }),
    );
  }
}
