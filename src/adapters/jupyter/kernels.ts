import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Dealer, Subscriber } from 'zeromq';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { CellResult, Kernel, Kernels } from '../../ports/kernels.ts';
import { type KernelMessage, parseFrames, toFrames } from './messages.ts';
import { toEvent } from './outputs.ts';

const PORTS = { shell: 1, iopub: 2, stdin: 3, control: 4, hb: 5 } as const;
/** A cold import of ipykernel on a busy machine. */
const START_WITHIN_MS = 120_000;
const READY_POLL_MS = 100;
/** After an interrupt a cell has this long to stop before its kernel is killed. */
const INTERRUPT_GRACE_MS = 5_000;
const SHUTDOWN_GRACE_MS = 3_000;
const STDERR_TAIL = 8_192;

type ExecuteOptions = Parameters<Kernel['execute']>[1];

/** ipykernel over ZeroMQ on ipc sockets (files in a private folder: nothing on the network can reach a kernel). */
export function createKernels(): Kernels {
  return { start: (options) => JupyterKernel.start(options) };
}

interface Waiting {
  readonly onShell: (message: KernelMessage) => void;
  readonly onIopub: (message: KernelMessage) => void;
  readonly onDead: (exitCode: number | null, signal: string | null) => void;
}

class JupyterKernel implements Kernel {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly #key: string;
  readonly #session = randomUUID();
  readonly #shell = new Dealer({ linger: 0, receiveHighWaterMark: 0, reconnectInterval: 20 });
  readonly #control = new Dealer({ linger: 0, reconnectInterval: 20 });
  readonly #iopub = new Subscriber({ linger: 0, receiveHighWaterMark: 0, reconnectInterval: 20 });
  readonly #waiting = new Map<string, Waiting>();
  #sending: Promise<unknown> = Promise.resolve();
  #stderr = '';
  #death: { readonly exitCode: number | null; readonly signal: string | null } | undefined;

  static async start(options: Parameters<Kernels['start']>[0]): Promise<Kernel> {
    const folder = await mkdtemp(join(tmpdir(), 'levain-kernel-'));
    const key = randomBytes(32).toString('hex');
    const connection = {
      transport: 'ipc',
      ip: join(folder, 'k'),
      ...Object.fromEntries(Object.entries(PORTS).map(([name, port]) => [`${name}_port`, port])),
      key,
      signature_scheme: 'hmac-sha256',
      kernel_name: 'python3',
    };
    await writeFile(join(folder, 'connection.json'), JSON.stringify(connection), { mode: 0o600 });
    const command = [options.python, '-m', 'ipykernel_launcher', '-f', join(folder, 'connection.json')];
    const [program, ...args] = [...(options.under ?? []), ...command];
    const child = spawn(program!, args, {
      cwd: options.cwd,
      env: { ...options.env, JPY_PARENT_PID: String(process.pid) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      await once(child, 'spawn');
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw new AppError(
        'invalid',
        `The kernel's Python "${options.python}" could not be started: ${messageOf(error)}`,
      );
    }
    const kernel = new JupyterKernel(child, folder, key);
    await kernel.#untilReady();
    return kernel;
  }

  private constructor(child: ChildProcess, folder: string, key: string) {
    this.#child = child;
    this.#folder = folder;
    this.#key = key;
    this.pid = child.pid ?? 0;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_TAIL);
    });
    child.once('exit', (exitCode, signal) => this.#died(exitCode, signal));
    const address = (port: number) => `ipc://${join(folder, 'k')}-${port}`;
    this.#shell.connect(address(PORTS.shell));
    this.#control.connect(address(PORTS.control));
    this.#iopub.connect(address(PORTS.iopub));
    this.#iopub.subscribe();
    void this.#listen(this.#shell, 'onShell');
    void this.#listen(this.#iopub, 'onIopub');
  }

  async execute(code: string, options: ExecuteOptions = {}): Promise<CellResult> {
    if (this.#death) return { status: 'dead', ...this.#death };
    const silent = options.silent === true;
    const content = {
      code,
      silent,
      store_history: !silent,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: false,
    };
    const { id, frames } = toFrames(this.#key, this.#session, 'execute_request', content);
    const timer = new AbortController();
    const done = new Promise<CellResult>((resolve) => this.#waiting.set(id, waitForCell(resolve, options.onEvent)));
    await this.#send(this.#shell, frames);
    const limit = options.timeoutMs === undefined ? undefined : this.#limit(options.timeoutMs, timer.signal);
    const result = await done;
    timer.abort();
    this.#waiting.delete(id);
    return (await limit) ? { status: 'timeout' } : result;
  }

  async interrupt(): Promise<void> {
    if (!this.#death) this.#child.kill('SIGINT');
  }

  async shutdown(): Promise<void> {
    if (!this.#death) {
      const { frames } = toFrames(this.#key, this.#session, 'shutdown_request', { restart: false });
      const gone = once(this.#child, 'exit');
      const timer = new AbortController();
      void this.#send(this.#control, frames).catch(() => {});
      const patience = sleep(SHUTDOWN_GRACE_MS, undefined, { signal: timer.signal }).catch(() => {});
      await Promise.race([gone, patience]);
      timer.abort();
      if (!this.#death) this.#child.kill('SIGKILL');
      await gone;
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Whether the time ran out: then the cell is interrupted, and the kernel killed where that does not stop it. */
  async #limit(ms: number, signal: AbortSignal): Promise<boolean> {
    const pause = (time: number) =>
      sleep(time, undefined, { signal }).then(
        () => true,
        () => false,
      );
    if (!(await pause(ms))) return false;
    await this.interrupt();
    if (await pause(INTERRUPT_GRACE_MS)) this.#child.kill('SIGKILL');
    return true;
  }

  async #untilReady(): Promise<void> {
    const deadline = Date.now() + START_WITHIN_MS;
    let sawShell = false;
    let sawIopub = false;
    while (!this.#death && Date.now() < deadline) {
      const { id, frames } = toFrames(this.#key, this.#session, 'kernel_info_request', {});
      await new Promise<void>((resolve) => {
        const onShell = () => {
          sawShell = true;
          if (sawIopub) resolve();
        };
        const onIopub = () => {
          sawIopub = true;
          if (sawShell) resolve();
        };
        this.#waiting.set(id, { onShell, onIopub, onDead: () => resolve() });
        this.#send(this.#shell, frames)
          .then(() => sleep(READY_POLL_MS))
          .then(resolve, resolve);
      });
      this.#waiting.delete(id);
      if (sawShell && sawIopub && !this.#death) return;
    }
    await this.shutdown();
    throw new AppError('invalid', startProblem(this.#stderr, this.#death?.exitCode ?? null), { stderr: this.#stderr });
  }

  async #listen(socket: Dealer | Subscriber, channel: 'onShell' | 'onIopub'): Promise<void> {
    try {
      for await (const frames of socket) {
        const message = parseFrames(this.#key, frames as Buffer[]);
        if (message) this.#waiting.get(message.parentId)?.[channel](message);
      }
    } catch (error) {
      if (!this.#death) throw error;
    }
  }

  /** One send at a time: ZeroMQ sockets refuse a second while one is under way. */
  #send(socket: Dealer, frames: Buffer[]): Promise<void> {
    const sent = this.#sending.then(() => (this.#death ? undefined : socket.send(frames)));
    this.#sending = sent.catch(() => {});
    return sent;
  }

  #died(exitCode: number | null, signal: string | null): void {
    this.#death = { exitCode, signal };
    for (const waiting of this.#waiting.values()) waiting.onDead(exitCode, signal);
    for (const socket of [this.#shell, this.#control, this.#iopub]) socket.close();
    void rm(this.#folder, { recursive: true, force: true });
  }
}

/** A cell is done when both its reply and the idle state have come, whichever is first. */
function waitForCell(resolve: (result: CellResult) => void, onEvent: NonNullable<ExecuteOptions>['onEvent']): Waiting {
  let reply: CellResult | undefined;
  let idle = false;
  const check = () => {
    if (reply && idle) resolve(reply);
  };
  return {
    onShell: (message) => {
      if (message.type !== 'execute_reply') return;
      reply = toResult(message.content);
      check();
    },
    onIopub: (message) => {
      if (message.type === 'status') {
        idle = message.content['execution_state'] === 'idle';
        check();
        return;
      }
      const event = toEvent(message);
      if (event) onEvent?.(event);
    },
    onDead: (exitCode, signal) => resolve({ status: 'dead', exitCode, signal }),
  };
}

function toResult(content: Readonly<Record<string, unknown>>): CellResult {
  const count = content['execution_count'];
  if (content['status'] === 'ok') return { status: 'ok', executionCount: typeof count === 'number' ? count : null };
  const traceback = Array.isArray(content['traceback']) ? content['traceback'].map(String) : [];
  return {
    status: 'error',
    name: String(content['ename'] ?? 'Error'),
    message: String(content['evalue'] ?? ''),
    traceback,
  };
}

function startProblem(stderr: string, exitCode: number | null): string {
  if (/No module named '?ipykernel/.test(stderr)) {
    return 'The environment has no ipykernel, which runs notebooks; add "ipykernel" to the requirements and lock again';
  }
  const last = stderr.trim().split('\n').at(-1) ?? '';
  const how =
    exitCode === null ? `did not answer within ${START_WITHIN_MS / 1000} s` : `ended with exit code ${exitCode}`;
  return `The kernel ${how}${last && `: ${last}`}`;
}
