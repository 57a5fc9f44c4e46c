import { type Contributions, type Explainer, openExplainer } from '../../engines/contributions.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Cell, Frame } from '../../kernel/frame.ts';
import { backgroundOf, type ModelVersion } from '../../registry/index.ts';
import type { MonitoringDeps } from '../types.ts';

/** Sampling ends after so long with the error that it has reached. */
const BUDGET_MS = 5_000;
/** An explainer waits for the next question: a Python worker takes seconds to start. */
const IDLE_MS = 120_000;
const MAX_OPEN = 2;

export interface Explained {
  readonly contributions: Contributions | null;
  /** Why there are none. */
  readonly reason: string | null;
}

interface Kept {
  readonly explainer: Promise<Explainer>;
  readonly background: Frame;
  questions: number;
}

/**
 * What each raw column of a row did to the version's answer, on the path that serving takes; beside training rows that the version kept. Whatever stands in the way
 * is a reason, never an error: a prediction that cannot be explained can still be shown.
 */
export async function explainRow(
  deps: MonitoringDeps,
  version: ModelVersion,
  row: Readonly<Record<string, Cell>>,
): Promise<Explained> {
  const { spec } = version;
  if (!spec) return none(`v${version.version} has no servable form`);
  try {
    return await deps.runtime.inTurn(`explain/${version.id}`, async () => {
      const kept = await keptOf(deps, version);
      if (!kept) return none(`v${version.version} kept no training rows to weigh the columns against`);
      kept.questions += 1;
      const until = deps.clock.now() + BUDGET_MS;
      const explainer = await kept.explainer;
      const contributions = await explainer.explain(oneRow(row), kept.background, {
        isOver: () => deps.clock.now() >= until,
      });
      return { contributions, reason: null };
    });
  } catch (error) {
    deps.log.warn('a prediction could not be explained', { version: version.id, reason: messageOf(error) });
    return none(messageOf(error));
  }
}

const none = (reason: string): Explained => ({ contributions: null, reason });

const oneRow = (row: Readonly<Record<string, Cell>>): Frame => ({
  rowCount: 1,
  columns: Object.entries(row).map(([name, value]) => ({ name, values: [value] })),
});

async function keptOf(deps: MonitoringDeps, version: ModelVersion): Promise<Kept | undefined> {
  const explainers = deps.runtime.explainers as Map<string, Kept>;
  const known = explainers.get(version.id);
  if (known) return known;
  const background = await backgroundOf(deps.registry, version);
  if (!background || background.rows.rowCount === 0) return undefined;
  if (explainers.size >= MAX_OPEN) await close(deps, explainers.keys().next().value!);
  const explainer = openExplainer(version.spec!, {
    localPath: (digest) => deps.registry.content.localPath(digest),
    workers: deps.registry.workers,
  });
  const kept: Kept = { explainer, background: background.rows, questions: 0 };
  explainers.set(version.id, kept);
  explainer.then(
    () => deps.runtime.track((signal) => closeWhenIdle(deps, version.id, kept, signal)),
    () => explainers.delete(version.id),
  );
  return kept;
}

async function closeWhenIdle(deps: MonitoringDeps, id: string, kept: Kept, signal: AbortSignal): Promise<void> {
  let asked = -1;
  while (!signal.aborted && asked !== kept.questions) {
    asked = kept.questions;
    await deps.clock.sleep(IDLE_MS, signal);
  }
  // In its turn, so that nothing is asked of an explainer that closes.
  await deps.runtime.inTurn(`explain/${id}`, () => close(deps, id, kept));
}

async function close(deps: MonitoringDeps, id: string, only?: Kept): Promise<void> {
  const explainers = deps.runtime.explainers as Map<string, Kept>;
  const kept = explainers.get(id);
  if (!kept || (only && kept !== only)) return;
  explainers.delete(id);
  await (await kept.explainer).close().catch((error) => {
    throw new AppError('unavailable', `An explainer did not close: ${messageOf(error)}`, undefined, error);
  });
}
