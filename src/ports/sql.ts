import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';

/**
 * SQL's LIKE, alike on both databases: `%` any run, `_` any character, `\` escapes. Case counts unless `ci`, which folds ASCII
 * letters only. `column` is a text column of ours (collation "C"). The only way to match text in a query.
 * @example query.where(({ ref }) => matches(ref('name'), 'churn-%'))
 */
export function matches(
  column: Expression<unknown>,
  pattern: string,
  { ci = false }: { readonly ci?: boolean } = {},
): RawBuilder<SqlBool> {
  if (!ci) return sql`${column} like ${pattern} escape '\\'`;
  const folded = pattern.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return sql`lower(${column}) like ${folded} escape '\\'`;
}

/** A pattern for texts that hold `text` itself, whatever characters are in it. */
export const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;
