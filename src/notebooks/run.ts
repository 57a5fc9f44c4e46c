import { appendFile, readFile, rename, writeFile } from 'node:fs/promises';
import { isAppError } from '../kernel/errors.ts';
import type { CellResult, Kernel, Kernels } from '../ports/kernels.ts';
import type { Clock } from '../ports/system.ts';
import type { Notebook, NotebookCell } from './notebook.ts';
import { collectOutputs, toLogText } from './outputs.ts';
import { injectParameters } from './parameters.ts';
import { readNotebook } from './reading.ts';
import type { NotebookProgress, NotebookResult, NotebookSpec } from './types.ts';
import { numbersOf, type Watch, watchKernel } from './watch.ts';

export interface NotebookDeps {
  readonly kernels: Kernels;
  readonly clock: Pick<Clock, 'now'>;
  /** The environment of the kernel. */
  readonly env: Readonly<Record<string, string>>;
  /** Live output, for the log. */
  readonly say: (text: string) => void;
}

type Failure = Pick<NotebookResult, 'status' | 'cell' | 'error' | 'cause'>;

const MAX_TRACEBACK_LINES = 40;
const MAX_SOURCE = 2_000;
/** Saving a model is ours to limit: no cell's time limit covers it. */
const EXPORT_TIMEOUT_MS = 10 * 60_000;

/** The seeds that a notebook without its own gets, so that it repeats; one of its own comes later and wins. */
const SEED = `
def _levain_seed():
    import random
    random.seed(0)
    try:
        import numpy
    except ImportError:
        return
    numpy.random.seed(0)
_levain_seed(); del _levain_seed
`;

/**
 * Runs a notebook from top to bottom in a fresh kernel, as papermill does, and saves it after every cell. A failure of the
 * notebook is a result, not an exception.
 */
export async function runNotebook(deps: NotebookDeps, spec: NotebookSpec): Promise<NotebookResult> {
  const startedAt = deps.clock.now();
  const finish = async (failure: Failure, rest: Partial<NotebookResult> = {}): Promise<NotebookResult> => {
    const result = { exports: [], startMs: 0, runMs: deps.clock.now() - startedAt, ...rest, ...failure };
    await writeAtomically(spec.result, `${JSON.stringify(result)}\n`);
    return result;
  };
  let kernel: Kernel | undefined;
  try {
    const written = await readNotebook(spec.notebook, spec.name);
    const notebook = injectParameters(written, spec.params);
    kernel = await deps.kernels.start({ python: spec.python, cwd: spec.cwd, env: deps.env });
    const startMs = deps.clock.now() - startedAt;
    await kernel.execute(SEED, { silent: true });
    await installFront(spec, kernel);
    const watch = await watchKernel(spec, kernel, { notebook, written });
    const numbers = numbersOf(notebook, written);
    const mayFail = (position: number) => spec.mayFail.includes(numbers[position] ?? 0);
    const failure = await runCells(deps, spec, { kernel, watch, notebook, startedAt, mayFail });
    if (failure) return await finish(failure, { startMs });
    return await finish(OK, { startMs, exports: await saveExports(spec, kernel, watch) });
  } catch (error) {
    if (!isAppError(error)) throw error;
    return await finish({ ...OK, status: 'invalid', cause: error.message });
  } finally {
    await kernel?.shutdown();
  }
}

const OK: Failure = { status: 'ok', cell: null, error: null, cause: null };

interface Running {
  readonly kernel: Kernel;
  readonly watch: Watch;
  readonly notebook: Notebook;
  readonly startedAt: number;
  readonly mayFail: (position: number) => boolean;
}

async function runCells(deps: NotebookDeps, spec: NotebookSpec, running: Running): Promise<Failure | undefined> {
  const { kernel, watch, notebook, startedAt, mayFail } = running;
  const cells: NotebookCell[] = notebook.cells.map((cell) =>
    cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell,
  );
  const code = cells.flatMap((cell, position) =>
    cell.cell_type === 'code' && cell.source.trim() !== '' ? [position] : [],
  );
  const save = () => writeAtomically(spec.output, `${JSON.stringify({ ...notebook, cells }, null, 1)}\n`);
  const tell = (n: number, state: NotebookProgress['state']) =>
    report(deps, spec, n, code.length, state, cells[code[n - 1] ?? 0]);
  await tell(0, 'started');
  for (const [index, position] of code.entries()) {
    const cell = cells[position]!;
    await tell(index + 1, 'running');
    await watch.before(position);
    const { result, outputs } = await runCell(deps, kernel, cell, remainingMs(spec, deps.clock.now() - startedAt));
    cells[position] = { ...cell, outputs, execution_count: result.status === 'ok' ? result.executionCount : index + 1 };
    await save();
    await tell(index + 1, result.status === 'ok' ? 'ok' : 'failed');
    if (result.status === 'ok') continue;
    if (result.status === 'error' && mayFail(position)) {
      deps.say(`[levain] cell ${index + 1} of ${code.length} failed and may: ${result.name}: ${result.message}\n`);
      continue;
    }
    const at = { position: position + 1, code: index + 1, of: code.length, source: cell.source.slice(0, MAX_SOURCE) };
    return toFailure(result, at, spec, deps.say);
  }
  await save();
  await tell(code.length, 'finished');
  return undefined;
}

/** An environment in which it does not start runs the notebook as it is, and the cell says what it misses. */
async function installFront({ front }: NotebookSpec, kernel: Kernel): Promise<void> {
  if (front === null) return;
  const config = JSON.stringify(JSON.stringify(front));
  const code = `import json as _levain_json, levain_runtime.adopt.again as _levain_again
_levain_again.install(get_ipython(), _levain_json.loads(${config}))
del _levain_json, _levain_again`;
  await kernel.execute(code, { silent: true });
}

async function runCell(deps: NotebookDeps, kernel: Kernel, cell: NotebookCell, timeoutMs: number | undefined) {
  const outputs = collectOutputs();
  const result = await kernel.execute(cell.source, {
    ...(timeoutMs !== undefined && { timeoutMs }),
    onEvent: (event) => {
      outputs.add(event);
      const text = toLogText(event);
      if (text !== undefined) deps.say(text);
    },
  });
  return { result, outputs: outputs.list() };
}

/** The shorter of the cell's own limit and what is left of the whole. */
function remainingMs(spec: NotebookSpec, elapsedMs: number): number | undefined {
  const limits = [spec.cellTimeoutMs, spec.timeoutMs === null ? null : Math.max(1, spec.timeoutMs - elapsedMs)];
  const known = limits.filter((limit) => limit !== null);
  return known.length === 0 ? undefined : Math.min(...known);
}

function toFailure(
  result: Exclude<CellResult, { status: 'ok' }>,
  cell: NonNullable<Failure['cell']>,
  spec: NotebookSpec,
  say: (text: string) => void,
): Failure {
  const where = `${spec.name}: cell ${cell.code} of ${cell.of}`;
  if (result.status === 'error') {
    const traceback = result.traceback.flatMap((part) => part.split('\n')).slice(-MAX_TRACEBACK_LINES);
    say(`${traceback.join('\n')}\n[levain] ${where} failed: ${result.name}: ${result.message}\n`);
    return { status: 'error', cell, error: { name: result.name, message: result.message, traceback }, cause: null };
  }
  const cause = result.status === 'timeout' ? timeoutCause(spec) : deathCause(result.exitCode, result.signal);
  say(`[levain] ${where}: ${cause}\n`);
  return { status: result.status, cell, error: null, cause };
}

const timeoutCause = (spec: NotebookSpec): string =>
  `it ran out of time (${spec.cellTimeoutMs === null ? '' : `a cell may take ${spec.cellTimeoutMs / 1000} s`}${spec.cellTimeoutMs !== null && spec.timeoutMs !== null ? ', ' : ''}${spec.timeoutMs === null ? '' : `the step ${spec.timeoutMs / 1000} s`})`;

function deathCause(exitCode: number | null, signal: string | null): string {
  if (signal === 'SIGKILL' || exitCode === 137) {
    return 'the kernel was killed (SIGKILL); most often the machine ran out of memory';
  }
  if (signal) return `the kernel died of ${signal}`;
  return `the kernel ended by itself with exit code ${exitCode}`;
}

async function saveExports(spec: NotebookSpec, kernel: Kernel, watch: Watch): Promise<NotebookResult['exports']> {
  const saved: NotebookResult['exports'] = [];
  for (const { variable, folder, facts } of spec.exports) {
    const args = [variable, folder, facts].map((text) => JSON.stringify(text)).join(', ');
    const code = `import levain_runtime.inspect as _levain_inspect\n_levain_inspect.save_variable(globals(), ${args})\ndel _levain_inspect`;
    const result = await kernel.execute(code, { silent: true, timeoutMs: EXPORT_TIMEOUT_MS });
    const watched = result.status === 'ok' ? await watch.exported(variable, folder, facts, EXPORT_TIMEOUT_MS) : result;
    saved.push({ variable, ...(await readFacts(facts, variable, watched ?? result)) });
  }
  return saved;
}

async function readFacts(
  path: string,
  variable: string,
  result: CellResult,
): Promise<Pick<NotebookResult['exports'][number], 'ok' | 'facts'>> {
  const text = result.status === 'ok' ? await readFile(path, 'utf8').catch(() => undefined) : undefined;
  if (text !== undefined) {
    const facts = JSON.parse(text) as NotebookResult['exports'][number]['facts'];
    return { ok: facts['ok'] === true, facts };
  }
  const why = result.status === 'error' ? `${result.name}: ${result.message}` : `the kernel answered ${result.status}`;
  return { ok: false, facts: { ok: false, kind: 'not_saved', message: `${variable} could not be saved: ${why}` } };
}

async function report(
  deps: NotebookDeps,
  spec: NotebookSpec,
  cell: number,
  of: number,
  state: NotebookProgress['state'],
  source: NotebookCell | undefined,
): Promise<void> {
  const title = cell === 0 || state === 'finished' ? '' : (source?.source.trim().split('\n', 1)[0] ?? '').slice(0, 120);
  const line: NotebookProgress = { at: deps.clock.now(), cell, of, state, title };
  await appendFile(spec.progress, `${JSON.stringify(line)}\n`);
}

async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
