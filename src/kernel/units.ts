import { AppError } from './errors.ts';

const DURATIONS: Readonly<Record<string, number>> = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };
const SIZES: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** `30m`, `7d`, `1.5h` or `250ms` in milliseconds. */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/.exec(text.trim());
  if (!match) throw new AppError('invalid', `"${text}" is not a duration; write for example 30m, 12h or 7d`);
  return Number(match[1]) * DURATIONS[match[2]!]!;
}

/** `4G`, `512M` (powers of 1024; a trailing B or iB is allowed) in bytes. */
export function parseSizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/.exec(text.trim());
  if (!match) throw new AppError('invalid', `"${text}" is not a size; write for example 512M or 4G`);
  return Math.round(Number(match[1]) * SIZES[match[2]!]!);
}

/** `5%` or `0.05` as a fraction. */
export function parseShare(text: string | number): number {
  const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(String(text).trim());
  if (!match) throw new AppError('invalid', `"${text}" is not a share; write for example 5% or 0.05`);
  return Number(match[1]) / (match[2] ? 100 : 1);
}
