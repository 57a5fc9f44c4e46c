/**
 * The analytics process: DuckDB, off the server's event loop and inside limits of its own. Started by `adapters/duckdb`, which
 * speaks to it over IPC; leaves when the channel closes, so it never outlives its parent.
 */
import { mkdirSync } from 'node:fs';
import { type Engine, type Execution, openEngine } from '../adapters/duckdb/engine.ts';
import type { EngineSettings, Request, Response } from '../adapters/duckdb/protocol.ts';
import { toWire } from '../adapters/duckdb/wire.ts';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';

/** Statements that run at once; the rest wait in order. */
const MAX_CONCURRENT = 2;

type Execute = Request & { readonly kind: 'execute' };

const settings = JSON.parse(process.argv[2] ?? '{}') as EngineSettings;
mkdirSync(settings.tempDir, { recursive: true });
const engine: Promise<Engine> = openEngine(settings);
const waiting: Execute[] = [];
const running = new Map<number, Pick<Execution, 'interrupt'>>();

// DuckDB's threads may be deep in a scan: nothing but a kill ends them at once.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', (request: Request) => {
  if (request.kind === 'cancel') return cancel(request.id);
  waiting.push(request);
  void next();
});

async function next(): Promise<void> {
  if (running.size >= MAX_CONCURRENT) return;
  const request = waiting.shift();
  if (request) await execute(request);
}

async function execute({ id, sql, parameters, maxRows, timeoutMs }: Execute): Promise<void> {
  let stopped: AppError | undefined;
  running.set(id, {
    interrupt: (reason) => {
      stopped = reason;
    },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const opened = await engine;
    if (stopped) throw stopped;
    const execution = opened.execute(sql, parameters, maxRows);
    running.set(id, execution);
    timer = setTimeout(() => execution.interrupt(tooLong(timeoutMs)), timeoutMs);
    const frame = await execution.done;
    answer({ id, ok: true, frame: frame && toWire(frame) });
  } catch (error) {
    const code = isAppError(error) ? error.code : 'unavailable';
    answer({ id, ok: false, code, message: messageOf(error) });
  } finally {
    clearTimeout(timer);
    running.delete(id);
    void next();
  }
}

function cancel(id: number): void {
  const reason = new AppError('unavailable', 'The query was cancelled');
  running.get(id)?.interrupt(reason);
  const at = waiting.findIndex((request) => request.id === id);
  if (at >= 0) {
    waiting.splice(at, 1);
    answer({ id, ok: false, code: reason.code, message: reason.message });
  }
}

const tooLong = (timeoutMs: number): AppError =>
  new AppError('unavailable', `The query took longer than ${timeoutMs / 1000} s; ask for fewer rows or columns`);

function answer(response: Response): void {
  if (process.connected) process.send?.(response);
}
