import { hash } from 'node:crypto';

/**
 * Whether a unit (entity or request) belongs to the challenger of a rollout: the first four bytes of
 * sha256(rollout id, NUL, unit), big-endian, below weight × 2^32. Sets are nested: who is in at 5 % is in at 25 %, and each rollout draws anew.
 *
 * @example isInChallenger('r', 'anyone', 0) === false
 */
export function isInChallenger(rolloutId: string, unit: string, weight: number): boolean {
  if (weight <= 0) return false;
  if (weight >= 1) return true;
  const first = Number.parseInt(hash('sha256', `${rolloutId}\u0000${unit}`, 'hex').slice(0, 8), 16);
  return first < weight * 2 ** 32;
}
