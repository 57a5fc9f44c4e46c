import { decodeSegments, MAX_SEGMENT_BYTES, type SegmentBlock } from '../segment.ts';
import type { LogFileTable } from '../tables.ts';
import type { ServingDeps } from '../types.ts';

/** What one content of the log holds: the blocks of its segments, one after the other. */
export interface LogBlocks {
  readonly blocks: readonly SegmentBlock[];
}

/** The decoded blocks of a file, from the cache where it was read lately. */
export async function openSegment(
  deps: Pick<ServingDeps, 'content' | 'runtime'>,
  file: Pick<LogFileTable, 'digest'>,
): Promise<LogBlocks> {
  const known = deps.runtime.segments.find(file.digest);
  if (known) return known;
  const segments = decodeSegments(await deps.content.bytes(file.digest, MAX_SEGMENT_BYTES));
  const opened = { blocks: segments.flatMap(({ blocks }) => blocks) };
  deps.runtime.segments.add(file.digest, opened);
  return opened;
}
