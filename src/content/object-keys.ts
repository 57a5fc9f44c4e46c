import { timeOfUuidv7, uuidv7 } from '../kernel/ids.ts';
import type { Clock, Random } from '../ports/system.ts';

/** All of ours begin so. */
export const KEY_PREFIX = 'content/';

/** A key that was never used and never will be again: deleting one cannot race with a new upload of the same bytes. */
export function newObjectKey({ clock, random }: { readonly clock: Clock; readonly random: Random }): string {
  const id = uuidv7(clock.now(), (bytes) => random.fill(bytes));
  return `${KEY_PREFIX}${id.slice(-2)}/${id}`;
}

/** When an object was begun, or undefined where the key is not ours. */
export function timeOfObjectKey(key: string): number | undefined {
  const id = /^content\/[0-9a-f]{2}\/([0-9a-f-]{36})$/.exec(key)?.[1];
  return id === undefined ? undefined : timeOfUuidv7(id);
}
