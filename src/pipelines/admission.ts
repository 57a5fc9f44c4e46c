import { appliedFileIn } from './applied.ts';
import type { EngineDeps } from './engine.ts';
import { listOpenRuns, updateRun } from './runs.store.ts';
import type { PipelineRun } from './types.ts';

/** Lets waiting runs begin, oldest first, as many a pipeline as its file allows (one by default). */
export async function admit(deps: Pick<EngineDeps, 'db' | 'clock'>): Promise<void> {
  const open = await deps.db.read((tx) => listOpenRuns(tx));
  const pending = open.filter((run) => run.state === 'pending');
  for (const run of pending) {
    if (run.cancelRequested) await end(deps, run);
    else await admitOne(deps, run);
  }
}

async function admitOne(deps: Pick<EngineDeps, 'db' | 'clock'>, run: PipelineRun): Promise<void> {
  await deps.db.write(async (tx) => {
    const applied = await appliedFileIn(tx, run.projectId, run.pipeline);
    const open = await listOpenRuns(tx, run);
    const running = open.filter((other) => other.state === 'running').length;
    const isNext = open.find((other) => other.state === 'pending')?.id === run.id;
    if (!isNext || running >= (applied?.file.concurrency.maxRuns ?? 1)) return;
    await updateRun(tx, run, ['pending'], { state: 'running', startedAt: deps.clock.now() });
  });
}

const end = (deps: Pick<EngineDeps, 'db' | 'clock'>, run: PipelineRun): Promise<boolean> =>
  deps.db.write((tx) =>
    updateRun(tx, run, ['pending'], {
      state: 'cancelled',
      summary: 'cancelled before it began',
      finishedAt: deps.clock.now(),
    }),
  );
