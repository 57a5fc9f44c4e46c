import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { AppError } from '../kernel/errors.ts';

/** Larger than any file that a person writes; a bound against hostile input. */
export const MAX_PROJECT_FILE_BYTES = 512 * 1024;
const MAX_DEPTH = 32;
const MAX_SHOWN_PROBLEMS = 5;

export type Path = readonly (string | number)[];

export interface Problem {
  readonly line: number;
  readonly message: string;
}

/** A YAML text with the line of every key. */
export interface YamlText {
  /** File name as people see it. */
  readonly name: string;
  readonly doc: Document;
  readonly value: unknown;
  /** Line of the key at `path`, or of its nearest parent that exists. */
  lineOf(path: Path): number;
  /** Whether the text itself holds something at `path`. */
  has(path: Path): boolean;
  /** How the scalar at `path` is written (`3.10`), unquoted. */
  sourceOf(path: Path): string | undefined;
}

/** Reads YAML 1.2; throws `invalid` with line and cause: syntax, duplicate keys, deep nesting, too large. */
export function parseYamlText(text: string, path: string): YamlText {
  const name = path.split('/').at(-1) || 'levain.yaml';
  if (Buffer.byteLength(text) > MAX_PROJECT_FILE_BYTES)
    throw new AppError('too_large', `${name} is larger than ${MAX_PROJECT_FILE_BYTES / 1024} KiB; move data out of it`);
  const lines = new LineCounter();
  const doc = parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const lineAt = (offset: number): number => Math.max(1, lines.linePos(offset).line);
  if (doc.errors.some(({ message }) => /call stack|stack overflow/i.test(message))) throw tooDeep(name);
  const broken = doc.errors.map((error) => ({ line: lineAt(error.pos[0]), message: yamlMessage(error, text) }));
  if (broken.length > 0) throw problemsError(name, broken);
  assertDepth(doc, name);
  return { name, doc, value: toValue(doc, name), ...positions(doc, lineAt) };
}

/** One error for all problems: sorted by line, the first few in the message, all in `details.problems`. */
export function problemsError(name: string, problems: readonly Problem[]): AppError {
  const sorted = problems.toSorted((a, b) => a.line - b.line);
  const shown = sorted.slice(0, MAX_SHOWN_PROBLEMS).map(({ line, message }) => `${name}:${line}: ${message}`);
  const more = sorted.length - shown.length;
  const text = shown.join('\n') + (more > 0 ? `\n… and ${more} more` : '');
  return new AppError('invalid', text, { file: name, problems: sorted.slice(0, 100) });
}

function yamlMessage(error: { code: string; message: string; pos: readonly [number, number] }, text: string): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[^\s:,}]+/.exec(text.slice(error.pos[0]))?.[0] ?? '';
    return `key "${key}" stands twice in the same section; keep one`;
  }
  if (error.code === 'TAB_AS_INDENT') return 'a tab indents this line; YAML wants spaces';
  if (error.code === 'MULTIPLE_DOCS') return 'a second document starts here ("---"); keep one';
  return `not valid YAML: ${error.message.split('\n')[0]}`;
}

function toValue(doc: Document, name: string): unknown {
  try {
    return doc.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw new AppError('invalid', `${name}: its aliases expand too far; write the values out`, undefined, cause);
  }
}

const tooDeep = (name: string): AppError =>
  new AppError('invalid', `${name} nests deeper than ${MAX_DEPTH} levels; flatten it`);

function assertDepth(doc: Document, name: string): void {
  const depthOf = (node: unknown, depth: number): void => {
    if (depth > MAX_DEPTH) throw tooDeep(name);
    if (isMap(node)) for (const pair of node.items) depthOf(pair.value, depth + 1);
    if (isSeq(node)) for (const item of node.items) depthOf(item, depth + 1);
  };
  depthOf(doc.contents, 0);
}

function positions(doc: Document, lineAt: (offset: number) => number): Pick<YamlText, 'lineOf' | 'has' | 'sourceOf'> {
  const step = (parent: unknown, key: string | number): { key: unknown; value: unknown } | undefined => {
    const node = isAlias(parent) ? parent.resolve(doc) : parent;
    if (isMap(node)) {
      const pair = node.items.find((item) => String(isScalar(item.key) ? item.key.value : item.key) === String(key));
      return pair && { key: pair.key, value: pair.value };
    }
    if (isSeq(node) && typeof key === 'number' && key < node.items.length)
      return { key: node.items[key], value: node.items[key] };
    return undefined;
  };
  const walk = (path: Path): { node: unknown; line: number; found: boolean } => {
    let [node, line]: [unknown, number] = [doc.contents, 1];
    for (const key of path) {
      const next = step(node, key);
      if (!next) return { node, line, found: false };
      const range = (next.key as Node | null)?.range;
      if (range) line = lineAt(range[0]);
      node = next.value;
    }
    return { node, line, found: true };
  };
  return {
    lineOf: (path) => walk(path).line,
    has: (path) => walk(path).found,
    sourceOf: (path) => {
      const { node, found } = walk(path);
      return found && isScalar(node) ? node.source : undefined;
    },
  };
}
