import type { ByteRange } from '../ports/object-store.ts';

/**
 * One range of a `Range` header (RFC 9110, section 14). Null where the whole is to be sent: no header, another unit, several
 * ranges, or text that is none.
 * @example parseRange('bytes=-5', 20) // { start: 15, end: 20 }
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): Required<ByteRange> | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return null;
  const first = match[1]!;
  const last = match[2]!;
  if (first === '') {
    const start = Math.max(0, sizeBytes - Number(last));
    return Number(last) === 0 || sizeBytes === 0 ? 'unsatisfiable' : { start, end: sizeBytes };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes);
  if (last !== '' && Number(last) < start) return null;
  return start >= sizeBytes ? 'unsatisfiable' : { start, end };
}
