import { AppError, messageOf } from '../../kernel/errors.ts';
import { LIMITS } from '../limits.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The JSON in a body; throws `invalid` where it is none or nests deeper than `LIMITS.jsonDepth`. */
export function parseJson(body: Buffer): unknown {
  assertShallow(body);
  const text = body.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    const hint = /\b(NaN|Infinity)\b/.test(text)
      ? '; NaN and Infinity are not JSON, send null for a missing value'
      : '';
    if (body[0] === 0x1f && body[1] === 0x8b)
      throw new AppError('invalid', 'The body is not JSON: it looks compressed; send it as it is');
    throw new AppError('invalid', `The body is not JSON: ${messageOf(error).slice(0, 200)}${hint}`);
  }
}

function assertShallow(body: Buffer): void {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i]!;
    if (inText) {
      if (byte === BACKSLASH) i += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > LIMITS.jsonDepth)
        throw new AppError('invalid', `The JSON nests deeper than ${LIMITS.jsonDepth} levels`);
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a value is, for a sentence: `the text "abc"`, `a list`, `null`. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string')
    return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
  return `the ${typeof value} ${String(value)}`;
}
