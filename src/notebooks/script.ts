import { PythonLines } from './python-lines.ts';

/**
 * A script as the code cells of a notebook, so that it runs, is watched and leaves its variables as a notebook does: cells at its
 * `# %%` marks, else one for each paragraph of top-level statements. What `if __name__ == "__main__": main()` calls becomes cells
 * too, for the variables of a function are gone when it returns. Every statement stays as it is written.
 */
export function cellsOfScript(text: string, name: string): readonly string[] {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  const cells = MARK.test(text) ? atMarks(lines) : paragraphs(inlineMain(lines));
  return NEEDS_ARGUMENTS.test(text) ? [argumentsOf(name), ...cells] : cells;
}

const MARK = /^# ?%%/m;
/** A kernel has arguments of its own, and no file. */
const NEEDS_ARGUMENTS = /\b__file__\b|\bsys\.argv\b|\bargparse\b|\bimport (click|fire|typer)\b/;

function argumentsOf(name: string): string {
  const file = JSON.stringify(name.split('/').at(-1));
  return `# What Python tells a script of itself.\nimport sys\n__file__ = ${file}\nsys.argv = [__file__]`;
}

function atMarks(lines: readonly string[]): string[] {
  const cells: string[][] = [[]];
  const state = new PythonLines();
  for (const line of lines) {
    if (state.atStatement && /^# ?%%/.test(line)) cells.push([]);
    cells.at(-1)!.push(line);
    state.add(line);
  }
  return cells.map(toText).filter(hasCode);
}

/** A blank line before a statement in the first column parts cells, except where it goes on (`else:`) or imports stand together. */
function paragraphs(lines: readonly string[]): string[] {
  const cells: string[][] = [[]];
  const state = new PythonLines();
  let isApart = false;
  let head = '';
  for (const line of lines) {
    const starts = state.atStatement && /^\S/.test(line) && !CONTINUES.test(line);
    const isNew = starts && isApart && hasCode(toText(cells.at(-1)!)) && !(isImport(line) && isImport(head));
    if (isNew) cells.push([]);
    if (starts && !line.startsWith('#')) head = line;
    cells.at(-1)!.push(line);
    if (state.atStatement) isApart = line.trim() === '' || (isApart && !starts);
    state.add(line);
  }
  return cells.map(toText).filter(hasCode);
}

const CONTINUES = /^(else|elif|except|finally)\b|^[)\]}]/;
const isImport = (line: string): boolean => /^(import|from)\s/.test(line);
const toText = (lines: readonly string[]): string => lines.join('\n').replace(/^\n+|\s+$/g, '');
const hasCode = (text: string): boolean => text.split('\n').some((line) => line.trim() !== '' && !/^\s*#/.test(line));

interface Block {
  /** Line of its head, and the first line after it. */
  readonly start: number;
  readonly end: number;
  readonly head: string;
}

const GUARD = /^if\s+__name__\s*==\s*['"]__main__['"]\s*:\s*(#.*)?$/;

/** The script with the body of `main` in the place of its call; as it is where that body could not stand there. */
function inlineMain(lines: readonly string[]): readonly string[] {
  const blocks = blocksOf(lines);
  const guard = blocks.findLast(({ head }) => GUARD.test(head));
  if (!guard) return lines;
  const body = dedent(lines.slice(guard.start + 1, guard.end));
  if (!body) return lines;
  const calls = body.map((line) => /^(?:sys\.exit\()?([A-Za-z_]\w*)\(\)\)?\s*(#.*)?$/.exec(line)?.[1]);
  const inlined = body.flatMap((line, i) => {
    const name = calls[i];
    const block = name && blocks.find(({ head }) => new RegExp(`^def\\s+${name}\\s*\\(\\s*\\)[^:]*:\\s*$`).test(head));
    const statements = block && statementsOf(lines.slice(block.start + 1, block.end));
    return statements ? ['', ...statements, ''] : [line];
  });
  return [...lines.slice(0, guard.start), ...inlined, ...lines.slice(guard.end)];
}

/** A function's body as top-level statements; undefined where it leaves early or speaks of names outside. */
function statementsOf(lines: readonly string[]): readonly string[] | undefined {
  const body = dedent(lines);
  if (!body) return undefined;
  const last = body.findLastIndex((line) => /^\S/.test(line) && !line.startsWith('#'));
  const isReturn = last >= 0 && /^return\b/.test(body[last]!);
  const rest = isReturn ? body.slice(0, last) : body;
  const state = new PythonLines();
  let inner: number | undefined;
  for (const line of rest) {
    const indent = line.length - line.trimStart().length;
    const isBlank = line.trim() === '';
    if (state.atStatement && !isBlank) {
      if (inner !== undefined && indent <= inner) inner = undefined;
      if (inner === undefined && /^\s*(async\s+def|def|class)\b/.test(line)) inner = indent;
      else if (inner === undefined && LEAVES.test(line)) return undefined;
    }
    state.add(line);
  }
  if (!isReturn) return body;
  const value = body[last]!.replace(/^return\b\s*/, '');
  return [...rest, ...(value === '' ? [] : [value]), ...body.slice(last + 1)];
}

const LEAVES = /(^|[:;]|\s)(return|yield|nonlocal|global|await)\b/;

/** Top-level statements that have a body. */
function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  const state = new PythonLines();
  let open: { start: number; head: string } | undefined;
  const close = (end: number) => {
    if (open) blocks.push({ ...open, end });
    open = undefined;
  };
  for (const [i, line] of lines.entries()) {
    if (state.atStatement && /^[^\s#]/.test(line) && !/^[)\]}]/.test(line)) {
      close(i);
      if (/^(if|def)\b/.test(line)) open = { start: i, head: line };
    }
    state.add(line);
  }
  close(lines.length);
  return blocks;
}

/** Lines of a body in the first column; what stands inside a long text keeps its place. Undefined where the body is no plain one. */
function dedent(lines: readonly string[]): string[] | undefined {
  const first = lines.find((line) => line.trim() !== '' && !/^\s*#/.test(line));
  const indent = /^[ \t]+/.exec(first ?? '')?.[0];
  if (indent === undefined) return undefined;
  const state = new PythonLines();
  const result: string[] = [];
  for (const line of lines) {
    const isText = state.inText;
    state.add(line);
    if (isText) result.push(line);
    else if (line.startsWith(indent)) result.push(line.slice(indent.length));
    else if (line.trim() === '' || /^\s*#/.test(line)) result.push(line.trimStart());
    else return undefined;
  }
  return result;
}
