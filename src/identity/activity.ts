import { assertText } from '../kernel/canonical-json.ts';
import { uuidv7 } from '../kernel/ids.ts';
import { type Page, type PageRequest, parsePageToken, toPageToken } from '../kernel/pages.ts';
import type { Tx } from '../ports/db.ts';
import type { Random } from '../ports/system.ts';
import type { Actor } from '../wire/route.ts';
import type { IdentityDeps } from './deps.ts';
import { type ActivityTable, insertActivity, selectActivity } from './identity.store.ts';
import type { Activity, ActivityKind, NewActivity } from './types.ts';

const MAX_SENTENCE = 2_000;

/**
 * Writes one line of the project's timeline, in the caller's transaction: it is there exactly when what it tells happened.
 * Lines sort by `at`, then by order of writing within the millisecond at random.
 */
export async function recordActivity(tx: Tx, deps: { readonly random: Random }, activity: NewActivity): Promise<void> {
  await insertActivity(tx, {
    project_id: activity.projectId,
    id: uuidv7(activity.at, deps.random.fill),
    at: activity.at,
    event_at: activity.eventAt ?? null,
    kind: activity.kind,
    subject: assertText(activity.subject, 'The subject'),
    sentence: assertText(activity.sentence, 'The sentence').slice(0, MAX_SENTENCE),
    command: activity.command ?? null,
    actor: activity.actor ?? 'levain',
  });
}

/** The timeline, newest first. */
export async function listActivity(
  deps: IdentityDeps,
  actor: Actor,
  page: PageRequest & {
    readonly subject?: string | undefined;
    /** A subject and what is written `subject@…`. */
    readonly about?: string | undefined;
    readonly kinds?: readonly ActivityKind[] | undefined;
    /** Who did it; `levain` is the system itself. */
    readonly by?: string | undefined;
  },
): Promise<Page<Activity>> {
  const before = page.after === undefined ? undefined : String(parsePageToken(page.after)[0]);
  const { subject, about, kinds, by } = page;
  const filter = { projectId: actor.projectId, subject, about, kinds, actor: by, before, limit: page.limit + 1 };
  const rows = await deps.db.read((tx) => selectActivity(tx, filter));
  const items = rows.slice(0, page.limit).map(toActivity);
  return rows.length > page.limit ? { items, next: toPageToken([items.at(-1)?.id]) } : { items };
}

const toActivity = (row: ActivityTable): Activity => ({
  id: row.id,
  at: new Date(row.at).toISOString(),
  eventAt: row.event_at === null ? null : new Date(row.event_at).toISOString(),
  kind: row.kind as ActivityKind,
  subject: row.subject,
  sentence: row.sentence,
  command: row.command,
  actor: row.actor,
});
