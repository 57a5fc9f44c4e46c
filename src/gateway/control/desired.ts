import { AppError } from '../../kernel/errors.ts';
import type { DesiredDocument, DesiredEndpoint } from '../../serving/wire.ts';
import { isRecord, show } from '../http/json.ts';

export const MAX_DESIRED_BYTES = 64 * 2 ** 20;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** Checks what the gateway stands on in a desired document; throws `invalid` naming the endpoint. */
export function parseDesired(value: unknown): DesiredDocument {
  if (!isRecord(value) || !Number.isSafeInteger(value['generation']) || !Array.isArray(value['endpoints']))
    throw new AppError('invalid', `The desired document needs a generation and endpoints; got ${show(value)}`);
  for (const endpoint of value['endpoints']) assertEndpoint(endpoint);
  return value as unknown as DesiredDocument; // Checked above, as far as this process relies on it.
}

function assertEndpoint(value: unknown): void {
  const name = isRecord(value) ? value['name'] : undefined;
  const refuse = (what: string): never => {
    throw new AppError('invalid', `The desired document has an endpoint ${show(name)} with ${what}`);
  };
  if (!isRecord(value) || typeof name !== 'string' || !NAME.test(name))
    throw new AppError('invalid', `The desired document has an endpoint with the name ${show(name)}`);
  const endpoint = value as unknown as DesiredEndpoint;
  if (typeof endpoint.projectId !== 'string') refuse('no projectId');
  if (endpoint.eventTime !== 'server' && endpoint.eventTime !== 'client')
    refuse(`eventTime ${show(endpoint.eventTime)}`);
  if (!(endpoint.latenessMs >= 0)) refuse(`latenessMs ${show(endpoint.latenessMs)}`);
  if (!Array.isArray(endpoint.arms) || !Array.isArray(endpoint.versions)) refuse('no arms or versions');
  const known = new Set(endpoint.versions.map(({ versionId }) => versionId));
  if (endpoint.arms.filter(({ role }) => role === 'champion').length !== 1) refuse('not exactly one champion');
  for (const { versionId } of endpoint.arms)
    if (!known.has(versionId)) refuse(`an arm of version ${show(versionId)}, which it does not describe`);
  const { rollout } = endpoint;
  if (rollout && !(rollout.weight >= 0 && rollout.weight <= 1))
    refuse(`the rollout weight ${show(rollout.weight)}, not from 0 to 1`);
}

/** Digests become file names here, so nothing else may pass. */
export function assertDigest(digest: string): string {
  if (!DIGEST.test(digest)) throw new AppError('invalid', `${show(digest)} is not a sha256 in hex`);
  return digest;
}
