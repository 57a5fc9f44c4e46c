import type { Actor } from '../wire/route.ts';
import { deleteTag, getRun, setTags, updateRun } from './runs.ts';
import type { Run, TrackingDeps } from './types.ts';

export interface RunEdit {
  readonly id: string;
  readonly name?: string | undefined;
  /** Null removes a tag; one that is gone already is fine. */
  readonly tags?: Readonly<Record<string, string | null>> | undefined;
}

/** What people change on a run's page. Throws `not_found`, or `precondition_failed` where the run is deleted. */
export async function changeRun(deps: TrackingDeps, actor: Actor, { id, name, tags = {} }: RunEdit): Promise<Run> {
  if (name !== undefined) await updateRun(deps, actor, { id, name });
  const set = Object.entries(tags).flatMap(([key, value]) => (value === null ? [] : [{ key, value }]));
  if (set.length > 0) await setTags(deps, actor, { runId: id, tags: set });
  const known = new Set((await getRun(deps, actor, id)).tags.map(({ key }) => key));
  for (const [key, value] of Object.entries(tags)) {
    if (value === null && known.has(key)) await deleteTag(deps, actor, { runId: id, key });
  }
  return getRun(deps, actor, id);
}
