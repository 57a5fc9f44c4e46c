import type { SearchClause } from './search-fields.ts';

/** A text comparison of the search grammar, in memory: what `compareText` is in SQL. */
export function textMatches({ comparator, value }: SearchClause, text: string): boolean {
  switch (comparator) {
    case '=':
      return text === value;
    case '!=':
      return text !== value;
    case 'IN':
      return Array.isArray(value) && value.includes(text);
    case 'NOT IN':
      return Array.isArray(value) && !value.includes(text);
    case 'LIKE':
      return like(String(value), text);
    case 'ILIKE':
      return like(fold(String(value)), fold(text));
    default:
      return comparator === 'IS NOT NULL';
  }
}

const fold = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Two pointers and the last `%`: linear in practice, whatever the pattern, where a regular expression may explode. */
function like(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '%') {
      star = p++;
      mark = t;
    } else if (p < pattern.length && (pattern[p] === '_' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '%') p++;
  return p === pattern.length;
}
