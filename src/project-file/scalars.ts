import { z } from 'zod';
import { messageOf } from '../kernel/errors.ts';
import { parseDurationMs, parseShare, parseSizeBytes } from '../kernel/units.ts';

/** A scalar that is written as text and kept as something else; what `parse` throws becomes the problem at that line. */
const written = <T>(parse: (text: string) => T, example: string): z.ZodType<T, string | number> =>
  z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      try {
        return parse(String(value));
      } catch (error) {
        context.addIssue({ code: 'custom', message: messageOf(error) });
        return z.NEVER;
      }
    })
    .meta({ examples: [example] }) as z.ZodType<T, string | number>;

const positive = (text: string): number => {
  const ms = parseDurationMs(text);
  if (ms <= 0) throw new Error(`"${text}" is no time at all; write for example 30m, 12h or 7d`);
  return ms;
};

const within01 = (text: string): number => {
  const share = parseShare(text);
  if (share > 1) throw new Error(`"${text}" is more than everything; write for example 5% or 0.05`);
  return share;
};

export const duration = written(positive, '30m');
export const size = written(parseSizeBytes, '4G');
export const share = written(within01, '5%');

/** A step of a canary: `5` and `5%` are both five percent. */
export const percent = written((text) => {
  const value = within01(text.trim().endsWith('%') ? text : `${text}%`);
  if (value <= 0) throw new Error(`"${text}" sends no traffic; write for example 5`);
  return value;
}, '5');

/** `1/90d`: so many in so long. */
export const rate = written((text) => {
  const [count, per, ...rest] = text.split('/');
  const number = Number(count);
  if (per === undefined || rest.length > 0 || !(number > 0))
    throw new Error(`"${text}" is not a rate; write for example 1/90d`);
  return { count: number, perMs: positive(per) };
}, '1/90d');

const CRON_FIELDS = [
  { name: 'minute', min: 0, max: 59, words: [] },
  { name: 'hour', min: 0, max: 23, words: [] },
  { name: 'day of month', min: 1, max: 31, words: ['L'] },
  { name: 'month', min: 1, max: 12, words: 'JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC'.split(' ') },
  { name: 'day of week', min: 0, max: 7, words: 'SUN MON TUE WED THU FRI SAT'.split(' ') },
] as const;

/** Five fields (minute hour day month weekday) with `*`, lists, ranges and steps. */
export const cron = written((text) => {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== 5)
    throw new Error(`"${text}" has ${fields.length} fields; a cron has five, for example "0 3 * * *"`);
  fields.forEach((field, i) => {
    const { name, min, max, words } = CRON_FIELDS[i]!;
    const isValue = (part: string): boolean =>
      (words as readonly string[]).includes(part.toUpperCase()) ||
      (/^\d{1,2}$/.test(part) && Number(part) >= min && Number(part) <= max);
    const isItem = (item: string): boolean => {
      const [range = '', step, ...more] = item.split('/');
      if (more.length > 0 || (step !== undefined && !/^[1-9]\d?$/.test(step))) return false;
      const ends = range.split('-');
      return range === '*' || (ends.length <= 2 && ends.every(isValue));
    };
    if (!field.split(',').every(isItem))
      throw new Error(`"${field}" is not a ${name} of a cron; use ${min}-${max}, *, lists and steps such as */15`);
  });
  return fields.join(' ');
}, '0 3 * * *');

export const timeZone = written((text) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return text;
  } catch {
    throw new Error(`"${text}" is not a time zone; write for example Europe/Paris or UTC`);
  }
}, 'UTC');

/** Words that a YAML 1.1 reader takes for true, false or null. */
const AMBIGUOUS = new Set(['on', 'off', 'yes', 'no', 'y', 'n', 'true', 'false', 'null', '~']);

/** A name in URLs, folders and commands. */
export const slug = z
  .string()
  .min(1)
  .max(100)
  .superRefine((text, context) => {
    if (AMBIGUOUS.has(text.toLowerCase()))
      context.addIssue({
        code: 'custom',
        message: `"${text}" is never a name (YAML 1.1 reads it as a truth value); choose another`,
      });
    else if (!/^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(text))
      context.addIssue({ code: 'custom', message: `"${text}" is not a name; use letters, digits, "-", "_" and "."` });
  });

/** A path inside the project: relative, without `..`. */
export const insidePath = z
  .string()
  .min(1)
  .max(1024)
  .superRefine((text, context) => {
    if (text.startsWith('/') || text.includes('\\') || text.split('/').includes('..'))
      context.addIssue({ code: 'custom', message: `"${text}" leaves the project; write a path inside it with "/"` });
  });

export const secretName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'a secret is named like an environment variable, for example DB_URL');
