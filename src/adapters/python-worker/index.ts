import { join } from 'node:path';
import { AppError, isAppError } from '../../kernel/errors.ts';
import type { Cell, Frame } from '../../kernel/frame.ts';
import type { LoadedPythonModel, PythonModel, PythonResult, PythonWorkers } from '../../ports/python-worker.ts';
import type { Clock, Log } from '../../ports/system.ts';
import { type Reply, startWorker, type WorkerConnection } from './connection.ts';
import { concatFrames, sameColumns, sliceFrame } from './frames.ts';

export interface PythonWorkerLimits {
  /** Address space of one worker. 0 = no limit. */
  readonly memoryBytes: number;
  readonly loadMs: number;
  /** A call without a deadline of its own. */
  readonly callMs: number;
  readonly batchRows: number;
  readonly queuedCalls: number;
  readonly messageBytes: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** A model that nobody uses any more stays loaded so long: the next one to load it finds it warm. */
  readonly idleMs: number;
}

export const DEFAULT_LIMITS: PythonWorkerLimits = {
  memoryBytes: 8 * 2 ** 30,
  loadMs: 120_000,
  callMs: 300_000,
  batchRows: 4096,
  queuedCalls: 1024,
  messageBytes: 2 ** 30,
  backoffMs: 100,
  maxBackoffMs: 10_000,
  idleMs: 10_000,
};

export interface PythonWorkersOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** The folder that holds the package `levain_runtime`. */
  readonly pythonPath: string;
  /** Where this data directory keeps its environments, a folder for each digest. */
  readonly envsDir?: string;
  readonly limits?: Partial<PythonWorkerLimits>;
}

/**
 * Python workers over Unix sockets: one process for each loaded model, shared by those who load the same files in the same
 * environment, so that a slow or broken version holds up no other. One batch is in flight; the next is everything that queued up
 * meanwhile. A call whose deadline passes kills the process and fails its own batch only.
 */
export function createPythonWorkers(options: PythonWorkersOptions): PythonWorkers {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const workers = new Map<string, Entry>();
  return {
    load: async (named, model) => {
      const python = inPlace(named, options.envsDir);
      // Types travel with each call: they make no other process.
      const key = JSON.stringify([python, model.featuresPath, model.modelPath]);
      let entry = workers.get(key);
      if (!entry) {
        entry = { worker: new ModelWorker(python, model, options, limits), users: 0, idle: new AbortController() };
        workers.set(key, entry);
      }
      const { worker } = entry;
      const release = releaseOf(workers, key, entry, (signal) => options.clock.sleep(limits.idleMs, signal));
      entry.users++;
      entry.idle.abort();
      try {
        return handle(worker, await worker.ready(), model.types, release);
      } catch (error) {
        entry.users--;
        if (workers.get(key) === entry) workers.delete(key);
        await worker.close();
        throw error;
      }
    },
    close: async () => {
      const all = [...workers.values()];
      workers.clear();
      for (const { idle } of all) idle.abort();
      await Promise.all(all.map(({ worker }) => worker.close()));
    },
  };
}

/** An environment of ours is found by its digest: the data directory may have moved since the path was written down. */
function inPlace(python: string, envsDir: string | undefined): string {
  const [, digest] = /[\\/]envs[\\/]([0-9a-f]{64})[\\/]bin[\\/]python$/.exec(python) ?? [];
  return digest && envsDir ? join(envsDir, digest, 'bin', 'python') : python;
}

/** What the process says of itself once it has loaded. */
interface Facts {
  readonly libraries: Readonly<Record<string, string>>;
  readonly classes?: readonly Cell[];
}

interface Entry {
  readonly worker: ModelWorker;
  users: number;
  /** Aborted when the model is used again. */
  idle: AbortController;
}

/** Gives a model back: the last user's release ends it, after a while in which it may be loaded again. */
function releaseOf(
  workers: Map<string, Entry>,
  key: string,
  entry: Entry,
  linger: (signal: AbortSignal) => Promise<void>,
): () => Promise<void> {
  return async () => {
    if (--entry.users > 0) return;
    const idle = new AbortController();
    entry.idle = idle;
    void linger(idle.signal).then(async () => {
      if (idle.signal.aborted || workers.get(key) !== entry) return;
      workers.delete(key);
      await entry.worker.close();
    });
  };
}

function handle(
  worker: ModelWorker,
  facts: Facts,
  types: PythonModel['types'],
  release: () => Promise<void>,
): LoadedPythonModel {
  let closed = false;
  const typing = types && { types, key: JSON.stringify(types) };
  return {
    ...facts,
    run: (stage, frame, { deadlineMs } = {}) => worker.run({ stage, typing }, frame, deadlineMs),
    close: async () => {
      if (closed) return;
      closed = true;
      await release();
    },
  };
}

interface Work {
  readonly stage: 'features' | 'model' | 'both';
  readonly typing: { readonly types: PythonModel['types']; readonly key: string } | undefined;
}

interface Call {
  readonly work: Work;
  readonly frame: Frame;
  readonly timer: AbortController;
  resolve(result: PythonResult): void;
  reject(error: unknown): void;
}

/** One model's process: starts it, batches calls, restarts it with back-off. */
class ModelWorker {
  private readonly python: string;
  private readonly model: PythonModel;
  private readonly options: PythonWorkersOptions;
  private readonly limits: PythonWorkerLimits;
  private connection: WorkerConnection | undefined;
  private starting: Promise<Facts> | undefined;
  private queue: Call[] = [];
  private inFlight: readonly Call[] = [];
  private failures = 0;
  private readonly closing = new AbortController();

  constructor(python: string, model: PythonModel, options: PythonWorkersOptions, limits: PythonWorkerLimits) {
    this.python = python;
    this.model = model;
    this.options = options;
    this.limits = limits;
  }

  /** Starts the process where none runs. Throws `invalid` with the Python error. */
  ready(): Promise<Facts> {
    this.starting ??= this.start().catch((error) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  run(work: Work, frame: Frame, deadlineMs = this.limits.callMs): Promise<PythonResult> {
    if (this.closing.signal.aborted) return Promise.reject(new AppError('unavailable', 'The Python worker is closed'));
    if (this.queue.length >= this.limits.queuedCalls)
      return Promise.reject(
        new AppError('unavailable', `${this.queue.length} calls wait for the Python worker; try again later`),
      );
    return new Promise((resolve, reject) => {
      const call = { work, frame, resolve, reject, timer: new AbortController() };
      this.queue.push(call);
      void this.watch(call, deadlineMs);
      void this.pump();
    });
  }

  async close(): Promise<void> {
    this.closing.abort();
    for (const call of this.queue.splice(0))
      this.settle(call, (c) => c.reject(new AppError('unavailable', 'The Python worker is closed')));
    const { connection } = this;
    connection?.kill('closed');
    await connection?.exited;
  }

  private async start(): Promise<Facts> {
    const { log, clock, pythonPath } = this.options;
    const connection = startWorker({
      python: this.python,
      pythonPath,
      memoryBytes: this.limits.memoryBytes,
      maxMessageBytes: this.limits.messageBytes,
      log,
    });
    this.connection = connection;
    void connection.exited.then(() => this.ended(connection));
    const timer = new AbortController();
    void clock.sleep(this.limits.loadMs, timer.signal).then(() => {
      if (!timer.signal.aborted) connection.kill(`loading took longer than ${this.limits.loadMs} ms`);
    });
    try {
      const { featuresPath, modelPath } = this.model;
      const reply = await connection.send({ op: 'load', features: featuresPath, model: modelPath });
      if (reply.ok) return { libraries: reply.libraries ?? {}, ...(reply.classes && { classes: reply.classes }) };
      connection.kill('the model does not load');
      throw new AppError('invalid', `The model does not load in Python: ${reply.kind}: ${reply.message}`, {
        kind: reply.kind,
      });
    } finally {
      timer.abort();
    }
  }

  private ended(connection: WorkerConnection): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    this.starting = undefined;
    void this.pump();
  }

  /** A deadline takes a waiting call out of the queue, or kills the process that is busy with it. */
  private async watch(call: Call, deadlineMs: number): Promise<void> {
    await this.options.clock.sleep(deadlineMs, call.timer.signal);
    if (call.timer.signal.aborted) return;
    if (this.inFlight.includes(call)) this.connection?.kill(`a call took longer than ${deadlineMs} ms`);
    this.queue = this.queue.filter((waiting) => waiting !== call);
    this.settle(call, (c) =>
      c.reject(new AppError('unavailable', `The Python worker did not answer within ${deadlineMs} ms`)),
    );
  }

  private settle(call: Call, act: (call: Call) => void): void {
    call.timer.abort();
    act(call);
  }

  private async pump(): Promise<void> {
    if (this.inFlight.length > 0 || this.queue.length === 0 || this.closing.signal.aborted) return;
    const batch = this.takeBatch();
    this.inFlight = batch;
    try {
      await this.backOff();
      if (this.closing.signal.aborted) throw new AppError('unavailable', 'The Python worker is closed');
      await this.ready();
      const { connection } = this;
      if (!connection) throw new AppError('unavailable', 'The Python worker ended; try again');
      const waiting = batch.filter((call) => !call.timer.signal.aborted);
      if (waiting.length === 0) return;
      const reply = await connection.send(
        { op: 'run', stage: batch[0]!.work.stage, types: batch[0]!.work.typing?.types },
        concatFrames(waiting.map(({ frame }) => frame)),
      );
      this.failures = 0;
      this.answer(waiting, reply);
    } catch (error) {
      this.failures++;
      const failure = isAppError(error, 'invalid')
        ? new AppError('unavailable', error.message, error.details, error)
        : error;
      for (const call of batch) this.settle(call, (c) => c.reject(failure));
    } finally {
      this.inFlight = [];
      void this.pump();
    }
  }

  /** After a failure the next start waits, twice as long each time. */
  private async backOff(): Promise<void> {
    if (this.failures === 0 || this.connection) return;
    const ms = Math.min(this.limits.backoffMs * 2 ** (this.failures - 1), this.limits.maxBackoffMs);
    await this.options.clock.sleep(ms, this.closing.signal);
  }

  private takeBatch(): Call[] {
    const first = this.queue[0]!;
    const batch: Call[] = [];
    let rows = 0;
    for (const call of this.queue) {
      const fits = batch.length === 0 || rows + call.frame.rowCount <= this.limits.batchRows;
      if (!fits || !sameWork(call.work, first.work) || !sameColumns(call.frame, first.frame)) break;
      batch.push(call);
      rows += call.frame.rowCount;
    }
    this.queue = this.queue.slice(batch.length);
    return batch;
  }

  private answer(batch: readonly Call[], reply: Reply): void {
    let from = 0;
    for (const call of batch) {
      const to = from + call.frame.rowCount;
      const result = resultOf(reply, from, to);
      this.settle(call, (c) => c.resolve(result));
      from = to;
    }
  }
}

const sameWork = (a: Work, b: Work): boolean => a.stage === b.stage && a.typing?.key === b.typing?.key;

/** The part of a batch's reply that belongs to the rows from `from` to `to`. */
function resultOf(reply: Reply, from: number, to: number): PythonResult {
  if (!reply.ok) return { ok: false, kind: reply.kind, message: reply.message };
  const errors = (reply.errors ?? [])
    .filter(({ row }) => row >= from && row < to)
    .map((e) => ({ ...e, row: e.row - from }));
  if (errors.length > 0 && errors.length === to - from)
    return { ok: false, kind: errors[0]!.kind, message: errors[0]!.message, errors };
  const whole = reply.frame ?? { rowCount: to, columns: [] };
  const frame = from === 0 && to === whole.rowCount ? whole : sliceFrame(whole, from, to);
  return errors.length > 0 ? { ok: true, frame, errors } : { ok: true, frame };
}
