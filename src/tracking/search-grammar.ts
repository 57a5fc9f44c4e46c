import { AppError } from '../kernel/errors.ts';

/** What stands right of a comparator. `word` is anything else, kept for the error text. */
export type Literal =
  | { readonly kind: 'string'; readonly text: string; readonly raw: string }
  | { readonly kind: 'number'; readonly value: number; readonly integer: boolean; readonly raw: string }
  | { readonly kind: 'list'; readonly values: readonly string[]; readonly raw: string }
  | { readonly kind: 'word'; readonly raw: string };

/** One comparison as written: nothing is looked up yet. `literal` is null for IS [NOT] NULL. */
export interface Clause {
  readonly identifier: string;
  readonly comparator: string;
  readonly literal: Literal | null;
}

interface Token {
  readonly kind: 'identifier' | 'string' | 'number' | 'operator' | 'keyword' | 'group' | 'other';
  readonly raw: string;
}

export const MAX_FILTER_LENGTH = 20_000;
export const MAX_CLAUSES = 200;

const IDENTIFIER = /(?:`[^`]*`|"[^"]*"|[A-Za-z_@#$][\w@#$]*)(?:\.(?:`[^`]*`|"[^"]*"|[\w@#$]+))*/y;
const STRING = /'(?:[^']|'')*'|"[^"]*"/y;
const NUMBER = /-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w])/y;
const OPERATOR = /[<>=!~]+/y;
const GLUED = /[^\s'"`()=<>!~;,]+/y;
const KEYWORDS = new Set(['AND', 'OR', 'NOT', 'IN', 'IS', 'NULL', 'LIKE', 'ILIKE', 'BETWEEN']);

/**
 * The clauses of an MLflow filter: `entity.key OP value` joined by AND, nothing else. Keys may be bare, back-ticked or
 * double-quoted; values single- or double-quoted texts, numbers, or lists of texts. Throws `invalid` with MLflow's texts.
 * @example parseClauses("metrics.acc > 0.9 and tags.`my team` LIKE 'a%'").length === 2
 */
export function parseClauses(filter: string): readonly Clause[] {
  if (filter.length > MAX_FILTER_LENGTH) {
    throw invalid(`The filter is ${filter.length} characters long; at most ${MAX_FILTER_LENGTH} are read`);
  }
  const tokens = tokenize(filter);
  const clauses: Clause[] = [];
  const strays: string[] = [];
  let at = 0;
  while (at < tokens.length) {
    const match = matchClause(tokens, at);
    if (match) {
      clauses.push(match.clause);
      at += match.length;
    } else {
      const token = tokens[at++]!;
      if (!isKeyword(token, 'AND')) strays.push(`'${token.raw}'`);
    }
  }
  if (strays.length > 0) throw invalid(`Invalid clause(s) in filter string: ${strays.join(', ')}`);
  if (clauses.length > MAX_CLAUSES) throw invalid(`The filter has ${clauses.length} clauses; at most ${MAX_CLAUSES}`);
  return clauses;
}

/**
 * One `order_by` entry: an identifier as written and its direction.
 * @example parseOrder('metrics.`my acc` DESC') // { identifier: 'metrics.`my acc`', ascending: false }
 */
export function parseOrder(text: string): { readonly identifier: string; readonly ascending: boolean } {
  const tokens = tokenizeOrder(text);
  const [identifier, direction] = tokens;
  if (identifier?.kind !== 'identifier' || tokens.length > 2) {
    throw invalid(`Invalid order_by clause '${text}'. Could not be parsed.`);
  }
  const word = direction?.raw.toLowerCase() ?? 'asc';
  if (word !== 'asc' && word !== 'desc') throw invalid(`Invalid ordering key in order_by clause '${text}'.`);
  return { identifier: identifier.raw, ascending: word === 'asc' };
}

/** The entity (null where there is none) and the key of an identifier, split at its first dot and unquoted. */
export function splitIdentifier(identifier: string): { readonly entity: string | null; readonly key: string } {
  const dot = identifier.indexOf('.');
  if (dot < 0) return { entity: null, key: unquote(identifier) };
  return { entity: unquote(identifier.slice(0, dot)), key: unquote(identifier.slice(dot + 1)) };
}

interface Match {
  readonly clause: Clause;
  readonly length: number;
}

function matchClause(tokens: readonly Token[], at: number): Match | null {
  const left = tokens[at]!;
  const next = tokens[at + 1];
  if (!next) return null;
  if (next.kind === 'operator' || isKeyword(next, 'LIKE') || isKeyword(next, 'ILIKE')) {
    const right = tokens[at + 2];
    if (!right) return null;
    assertIdentifier(left);
    return matched(left, next.raw.toUpperCase(), toLiteral(right), 3);
  }
  if (left.kind !== 'identifier') return null;
  const third = tokens[at + 2];
  const fourth = tokens[at + 3];
  if (isKeyword(next, 'IN') && third?.kind === 'group') return matched(left, 'IN', toLiteral(third), 3);
  if (isKeyword(next, 'NOT') && isKeyword(third, 'IN') && fourth?.kind === 'group') {
    return matched(left, 'NOT IN', toLiteral(fourth), 4);
  }
  if (isKeyword(next, 'IS') && isKeyword(third, 'NULL')) return matched(left, 'IS NULL', null, 3);
  if (isKeyword(next, 'IS') && isKeyword(third, 'NOT') && isKeyword(fourth, 'NULL')) {
    return matched(left, 'IS NOT NULL', null, 4);
  }
  return null;
}

const matched = (left: Token, comparator: string, literal: Literal | null, length: number): Match => ({
  clause: { identifier: left.raw, comparator, literal },
  length,
});

function assertIdentifier(token: Token): void {
  if (token.kind === 'identifier') return;
  throw invalid(`Invalid comparison clause. Expected 'Identifier' found '${token.raw}'`);
}

function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    if (text[at] === ';') {
      if (text.slice(at + 1).trim() === '') break;
      throw invalid(`Search filter contained multiple expression '${text}'. Provide AND-ed expression list.`);
    }
    const token = nextToken(text, at, tokens.at(-1));
    tokens.push(token);
    at += token.raw.length;
  }
  return tokens;
}

function nextToken(text: string, at: number, previous: Token | undefined): Token {
  const wantsValue = previous?.kind === 'operator' || isKeyword(previous, 'LIKE') || isKeyword(previous, 'ILIKE');
  if (text[at] === '(') return { kind: 'group', raw: groupAt(text, at) };
  const number = take(NUMBER, text, at);
  if (number !== null && (wantsValue || !/[-\w]/.test(text[at - 1] ?? ' '))) return { kind: 'number', raw: number };
  if (text[at] === "'" || (wantsValue && text[at] === '"')) {
    const string = take(STRING, text, at);
    if (string !== null) return { kind: 'string', raw: string };
  }
  const word = take(IDENTIFIER, text, at);
  const glued = take(GLUED, text, at + (word?.length ?? 0));
  if (word !== null && glued === null) {
    return { kind: KEYWORDS.has(word.toUpperCase()) ? 'keyword' : 'identifier', raw: word };
  }
  if (word !== null || glued !== null) return { kind: 'other', raw: (word ?? '') + (glued ?? '') };
  return { kind: take(OPERATOR, text, at) === null ? 'other' : 'operator', raw: take(OPERATOR, text, at) ?? text[at]! };
}

function tokenizeOrder(text: string): readonly Token[] {
  if (text !== text.trim()) throw invalid(`Invalid order_by clause '${text}'. Could not be parsed.`);
  return tokenize(text);
}

/** A parenthesis to its partner; quoted ones inside do not count. */
function groupAt(text: string, start: number): string {
  let at = start + 1;
  while (at < text.length && text[at] !== ')') {
    const string = take(STRING, text, at);
    at += string?.length ?? 1;
  }
  return text.slice(start, at + 1);
}

function take(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

function toLiteral(token: Token): Literal {
  if (token.kind === 'string') return { kind: 'string', text: token.raw.slice(1, -1), raw: token.raw };
  if (token.kind === 'number') {
    return { kind: 'number', value: Number(token.raw), integer: /^-?\d+$/.test(token.raw), raw: token.raw };
  }
  if (token.kind === 'group') return { kind: 'list', values: listValues(token.raw), raw: token.raw };
  return { kind: 'word', raw: token.raw };
}

function listValues(raw: string): readonly string[] {
  const inner = raw.replace(/^\(|\)$/g, '').trim();
  if (inner === '') {
    throw invalid('While parsing a list in the query, expected a non-empty list of string values, but got empty list');
  }
  const strings = inner.match(/'(?:[^']|'')*'|"[^"]*"|[^,\s][^,]*/g) ?? [];
  if (strings.some((text) => !/^(['"]).*\1$/s.test(text))) {
    throw invalid(
      `While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ${raw}`,
    );
  }
  return strings.map((text) => text.slice(1, -1));
}

const isKeyword = (token: Token | undefined, word: string): boolean =>
  token?.kind === 'keyword' && token.raw.toUpperCase() === word;

function unquote(text: string): string {
  const quote = text[0];
  const isQuoted = text.length >= 2 && (quote === '`' || quote === '"' || quote === "'") && text.endsWith(quote);
  return isQuoted ? text.slice(1, -1) : text;
}

const invalid = (message: string): AppError => new AppError('invalid', message);
