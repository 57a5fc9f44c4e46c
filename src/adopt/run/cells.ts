import { appendFile, readFile } from 'node:fs/promises';
import type { Notebook, NotebookCell } from '../../notebooks/notebook.ts';
import { collectOutputs, toLogText } from '../../notebooks/outputs.ts';
import type { CellResult, Kernel } from '../../ports/kernels.ts';
import type { Conversation } from '../conversation.ts';
import { EXIT, refusal } from '../refusal.ts';
import type { CellOutcome } from '../types.ts';
import { toRunnable } from './commands.ts';

export interface CellsOptions {
  readonly kernel: Kernel;
  readonly notebook: Notebook;
  readonly name: string;
  readonly conversation: Conversation;
  readonly cellTimeoutMs: number | null;
  readonly log: string;
  readonly clock: { now(): number };
  /** What this kernel has run so far, or was taken up in it; the rest follows. */
  readonly earlier?: CellsRun | undefined;
  readonly before: (number: number) => Promise<void>;
  readonly after: (outcomes: readonly CellOutcome[], cells: readonly NotebookCell[]) => Promise<void>;
  /** Whether the rest need not run: another environment is tried first. */
  readonly stops: (outcome: CellOutcome) => boolean;
}

export interface CellsRun {
  readonly cells: readonly CellOutcome[];
  /** The executed notebook. */
  readonly notebook: Notebook;
  /** Whether it stopped before the last cell. */
  readonly stopped: boolean;
  readonly runMs: number;
}

const TICK_MS = 5_000;
const MAX_LOG_BYTES = 32 * 2 ** 20;
const MAX_TITLE = 100;

/** Runs the code cells top to bottom. A cell that fails is an outcome; a kernel that dies or a cell that takes too long is a refusal. */
export async function runCells(options: CellsOptions): Promise<CellsRun> {
  const { earlier, clock } = options;
  const cells: NotebookCell[] = earlier ? [...earlier.notebook.cells] : options.notebook.cells.map(withoutOutputs);
  const positions = cells.flatMap((cell, position) => (cell.cell_type === 'code' ? [position] : []));
  const outcomes = earlier?.cells.filter(({ status }) => status !== 'unrun') ?? [];
  const run = { cells: [...outcomes], stopped: false };
  const startedAt = clock.now();
  const log = boundedLog(options.log);
  for (const [index, position] of positions.entries()) {
    const number = index + 1;
    if (number <= outcomes.length) continue;
    const cell = cells[position]!;
    const status = run.stopped ? 'unrun' : isEmpty(cell.source) ? 'ok' : null;
    if (status !== null) {
      run.cells.push({ number, position: position + 1, status, seconds: 0, error: null });
      continue;
    }
    const { outcome, executed } = await runCell(options, cell, { number, position, of: positions.length }, log);
    cells[position] = executed;
    run.cells.push(outcome);
    await options.after(run.cells, cells);
    run.stopped = options.stops(outcome);
  }
  await log.done();
  return { ...run, notebook: { ...options.notebook, cells }, runMs: clock.now() - startedAt + (earlier?.runMs ?? 0) };
}

const withoutOutputs = (cell: NotebookCell): NotebookCell =>
  cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell;

interface Place {
  readonly number: number;
  readonly position: number;
  readonly of: number;
}

async function runCell(options: CellsOptions, cell: NotebookCell, place: Place, log: Log) {
  const { kernel, clock, conversation, cellTimeoutMs } = options;
  const { number, of, position } = place;
  const title = titleOf(cell.source);
  conversation.progress('run', title, number, of);
  await options.before(number);
  log.add(`[levain] cell ${number} of ${of}: ${title}\n`);
  const outputs = collectOutputs();
  const startedAt = clock.now();
  const seconds = () => Math.round((clock.now() - startedAt) / 100) / 10;
  const watch = watchMemory(kernel.pid);
  const ticker = setInterval(
    () => conversation.progress('run', `${title} (${Math.round(seconds())} s)`, number, of),
    TICK_MS,
  );
  const result = await kernel.execute(toRunnable(cell.source), {
    ...(cellTimeoutMs !== null && { timeoutMs: cellTimeoutMs }),
    onEvent: (event) => {
      outputs.add(event);
      log.add(toLogText(event) ?? '');
    },
  });
  clearInterval(ticker);
  const peakBytes = await watch.stop();
  refuseWhatEnded(result, options, number, of, peakBytes);
  const error = result.status === 'error' ? toCellError(result) : null;
  if (result.status === 'error') log.add(`${withoutColours(result.traceback.join('\n'))}\n`);
  const outcome: CellOutcome = {
    number,
    position: position + 1,
    status: error ? 'error' : 'ok',
    seconds: seconds(),
    error,
  };
  const count = result.status === 'ok' ? result.executionCount : number;
  return { outcome, executed: { ...cell, outputs: outputs.list(), execution_count: count } };
}

function refuseWhatEnded(result: CellResult, options: CellsOptions, cell: number, of: number, peak: number): void {
  if (result.status === 'timeout') {
    const limit = `${(options.cellTimeoutMs ?? 0) / 1000} s`;
    throw refusal('cell_timeout', `Cell ${cell} of ${of} of ${options.name} ran longer than ${limit}`, {
      cell,
      hint: 'Allow it more time with --cell-timeout, or make it smaller (fewer trials, a part of the rows).',
      exit: EXIT.timeout,
    });
  }
  if (result.status !== 'dead') return;
  const held = peak > 0 ? ` while it held ${(peak / 2 ** 30).toFixed(1)} GB of memory` : '';
  const isKilled = result.signal === 'SIGKILL' || result.exitCode === 137;
  const how = result.signal ? `was ended by ${result.signal}` : `ended with exit code ${result.exitCode}`;
  throw refusal('kernel_died', `The kernel ${how} in cell ${cell} of ${of} of ${options.name}${held}`, {
    cell,
    hint: isKilled
      ? 'Most often the machine ran out of memory: read fewer rows or columns, or adopt on a larger machine.'
      : 'The cell ends its own process (exit, os._exit, a crash in native code): take that out.',
  });
}

/** The highest memory that the kernel held, as far as Linux tells. */
function watchMemory(pid: number): { stop(): Promise<number> } {
  let peak = 0;
  const look = async () => {
    const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const kib = Number(/^VmRSS:\s*(\d+)/m.exec(text)?.[1] ?? 0);
    peak = Math.max(peak, kib * 1024);
  };
  const timer = setInterval(() => void look(), 500);
  return {
    async stop() {
      clearInterval(timer);
      await look();
      return peak;
    },
  };
}

function toCellError(result: Extract<CellResult, { status: 'error' }>): NonNullable<CellOutcome['error']> {
  return {
    name: result.name,
    message: withoutColours(result.message).slice(0, 2_000),
    line: lineOf(withoutColours(result.traceback.join('\n'))),
  };
}

/** The line of the cell at which it failed: the arrow under the cell's own first frame. */
function lineOf(traceback: string): number | null {
  const frame = /(?:Cell In|Input In|<ipython-input|\/ipykernel_)[^\n]*/.exec(traceback);
  const named = /line:? (\d+)/.exec(frame?.[0] ?? '')?.[1];
  const arrow = /^-+> (\d+)/m.exec(traceback.slice(frame?.index ?? 0))?.[1];
  const line = Number(arrow ?? named);
  return Number.isInteger(line) && line > 0 ? line : null;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what it removes
const COLOURS = /\u001b\[[0-9;]*m/g;
const withoutColours = (text: string): string => text.replace(COLOURS, '');

const isEmpty = (source: string): boolean =>
  source.split('\n').every((line) => line.trim() === '' || line.trim().startsWith('#'));

const titleOf = (source: string): string => {
  const lines = source.split('\n').map((line) => line.trim());
  return (lines.find((line) => line !== '' && !line.startsWith('#')) ?? lines[0] ?? '').slice(0, MAX_TITLE);
};

interface Log {
  add(text: string): void;
  done(): Promise<void>;
}

/** Appends in order; what comes beyond the bound is not kept. */
function boundedLog(path: string): Log {
  let size = 0;
  let last = Promise.resolve();
  return {
    add(text) {
      if (text === '' || size > MAX_LOG_BYTES) return;
      size += text.length;
      last = last.then(() => appendFile(path, text));
    },
    done: () => last,
  };
}
