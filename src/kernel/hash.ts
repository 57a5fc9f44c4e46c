import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** Lower-case hex SHA-256. */
export const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** SHA-256 of the canonical JSON of a value: the identity of plans, keys and manifests. */
export const digestOf = (value: unknown): string => sha256(canonicalJson(value));
