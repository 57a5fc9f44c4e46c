import { Cron } from 'croner';
import { AppError, messageOf } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import type { Tx } from '../ports/db.ts';
import type { ProjectFile, TriggerSection } from '../project-file/index.ts';
import type { PipelinesDeps } from './deps.ts';
import { deleteCronTriggers, listCronTriggers, putCronTrigger } from './triggers.store.ts';

export type CronSection = Extract<TriggerSection, { kind: 'cron' }>;

/** More slots than these are not caught up after a long stop, whatever `catchup` says. */
export const MAX_CATCHUP = 100;

/** Which trigger of the file a stored row is: what it says, so that an edit begins anew. */
export const cronId = (section: CronSection): string => digestOf({ cron: section.cron, tz: section.tz }).slice(0, 32);

/** The first slot after `after`, epoch ms; null where there is none any more. Throws `invalid` for a pattern that is none. */
export function nextSlot(section: CronSection, after: number): number | null {
  try {
    return new Cron(section.cron, { timezone: section.tz }).nextRun(new Date(after))?.getTime() ?? null;
  } catch (error) {
    throw new AppError('invalid', `The schedule "${section.cron}" (${section.tz}) is not one: ${messageOf(error)}`);
  }
}

/** Which slots to run for a trigger that is due, and when it is due next. `due` was reached; others may have gone by since. */
export function slotsDue(
  section: CronSection,
  due: number,
  now: number,
): { readonly slots: readonly number[]; readonly next: number | null } {
  const passed = [due];
  let next = nextSlot(section, due);
  while (next !== null && next <= now && passed.length < MAX_CATCHUP) {
    passed.push(next);
    next = nextSlot(section, next);
  }
  if (next !== null && next <= now) next = nextSlot(section, now);
  const late = passed.length > 1 || now - due > LATE_MS;
  if (!late) return { slots: passed, next };
  if (section.catchup === 'all') return { slots: passed, next };
  return { slots: section.catchup === 'last' ? passed.slice(-1) : [], next };
}

/** A slot that is found later than this was missed: the server was down. */
const LATE_MS = 60_000;

/** The rows of an applied file's schedules: new ones start from now, those that the file has no more are dropped. */
export async function syncCronIn(
  tx: Tx,
  deps: Pick<PipelinesDeps, 'clock'>,
  input: { readonly projectId: string; readonly file: ProjectFile },
): Promise<void> {
  const { projectId, file } = input;
  const wanted = file.triggers.flatMap((section) => (section.kind === 'cron' ? [section] : []));
  const ids = wanted.map(cronId);
  const known = await listCronTriggers(tx, projectId, file.name);
  await deleteCronTriggers(
    tx,
    projectId,
    file.name,
    known.filter((row) => !ids.includes(row.trigger_id)).map((row) => row.trigger_id),
  );
  for (const section of wanted) {
    if (known.some((row) => row.trigger_id === cronId(section))) continue;
    await putCronTrigger(tx, {
      project_id: projectId,
      pipeline: file.name,
      trigger_id: cronId(section),
      due_at: nextSlot(section, deps.clock.now()),
    });
  }
}
