import type { Tx } from '../../ports/db.ts';
import { decodeSegment, MAX_SEGMENT_BYTES, type Segment } from '../segment.ts';
import type { LogFileTable } from '../tables.ts';
import type { ServingDeps } from '../types.ts';

/** Keeps a segment's bytes; pinned until `referenceSegment` is committed. */
export const storeSegment = async (deps: Pick<ServingDeps, 'content'>, bytes: Uint8Array): Promise<string> =>
  (await deps.content.put(bytes)).digest;

export const referenceSegment = (
  tx: Tx,
  deps: Pick<ServingDeps, 'content'>,
  segmentId: string,
  digest: string,
): Promise<void> => deps.content.reference(tx, { kind: 'log_segment', id: segmentId }, [digest]);

/** The decoded segment of a file, from the cache where it was read lately. */
export async function openSegment(
  deps: Pick<ServingDeps, 'content' | 'runtime'>,
  file: Pick<LogFileTable, 'digest'>,
): Promise<Segment> {
  const known = deps.runtime.segments.find(file.digest);
  if (known) return known;
  const segment = decodeSegment(await deps.content.bytes(file.digest, MAX_SEGMENT_BYTES));
  deps.runtime.segments.add(file.digest, segment);
  return segment;
}
