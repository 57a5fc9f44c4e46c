import type { z } from 'zod';
import { AppError } from '../kernel/errors.ts';

const ISSUES_SHOWN = 5;
const VALUE_SHOWN = 60;

/**
 * `value` as the schema reads it. Throws `invalid`, naming each field, what was expected and what came.
 * @example `query.limit: expected number, received NaN; got "many"`
 */
export function validate(schema: z.ZodType, value: unknown, where: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.slice(0, ISSUES_SHOWN).map((issue) => toProblem(issue, value, where));
  const more = result.error.issues.length - problems.length;
  const text = problems.map(({ field, message, got }) => `${field}: ${message}; got ${got}`).join('. ');
  throw new AppError('invalid', more > 0 ? `${text}. And ${more} more` : text, { problems });
}

function toProblem(issue: z.core.$ZodIssue, value: unknown, where: string) {
  const field = [where, ...issue.path.map(String)].join('.');
  const message = expectedOf(issue) ?? issue.message.replace(/^Invalid input: /, '');
  return { field, message, got: show(at(value, issue.path)) };
}

/** `expected string, number or boolean` for a value of several types; undefined where one branch says it better. */
function expectedOf(issue: z.core.$ZodIssue): string | undefined {
  if (issue.code !== 'invalid_union') return undefined;
  const types = issue.errors.flat().map((each) => (each.code === 'invalid_type' ? each.expected : undefined));
  if (types.length === 0 || types.some((type) => type === undefined)) return undefined;
  const names = [...new Set(types)] as string[];
  return `expected ${names.slice(0, -1).join(', ')}${names.length > 1 ? ' or ' : ''}${names.at(-1)}`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<PropertyKey, unknown>)[key];
  }
  return here;
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
}
