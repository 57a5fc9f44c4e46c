import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Duplex, Readable } from 'node:stream';
import { AppError } from '../../kernel/errors.ts';
import type { Cell, Frame } from '../../kernel/frame.ts';
import type { Log } from '../../ports/system.ts';
import { decodeFrame, encodeFrame, type WireColumn } from './frames.ts';

export interface SpawnOptions {
  readonly python: string;
  readonly pythonPath: string;
  readonly memoryBytes: number;
  readonly maxMessageBytes: number;
  readonly log: Log;
}

/** What the worker answers to one message. */
export type Reply =
  | {
      readonly ok: true;
      readonly libraries?: Readonly<Record<string, string>>;
      readonly classes?: readonly Cell[] | null;
      readonly frame?: Frame;
      readonly errors?: readonly { readonly row: number; readonly kind: string; readonly message: string }[];
    }
  | { readonly ok: false; readonly kind: string; readonly message: string };

/** One worker process and its socket: one message in flight. */
export interface WorkerConnection {
  readonly alive: boolean;
  /** Rejects with `unavailable` where the process ends first. */
  send(header: Readonly<Record<string, unknown>>, frame?: Frame): Promise<Reply>;
  /** Ends the whole process group at once. */
  kill(reason: string): void;
  readonly exited: Promise<void>;
}

const SOCKET_FD = 3;
const MAX_LOG_LINE = 2000;
const PREFIX_BYTES = 8;
/** What a worker sees of this process's environment. */
const INHERITED = [
  'PATH',
  'HOME',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'SYSTEMROOT',
  'OPENBLAS_CORETYPE',
  'OPENBLAS_L2_SIZE',
];

export function startWorker(options: SpawnOptions): WorkerConnection {
  const child = spawn(options.python, ['-m', 'levain_runtime.worker', String(SOCKET_FD), String(options.memoryBytes)], {
    // Node makes extra pipes as Unix socket pairs, so descriptor 3 reads and writes and closes with this process.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
    env: workerEnvironment(options.pythonPath),
  });
  return connect(child, options);
}

function workerEnvironment(pythonPath: string): Record<string, string> {
  const env: Record<string, string> = { PYTHONPATH: pythonPath, PYTHONUNBUFFERED: '1', PYTHONDONTWRITEBYTECODE: '1' };
  for (const name of INHERITED) if (process.env[name] !== undefined) env[name] = process.env[name];
  // One batch at a time in each worker: more threads only fight over the cores.
  for (const name of ['OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS']) env[name] = '1';
  return env;
}

interface Waiting {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

function connect(child: ChildProcess, { log, maxMessageBytes }: SpawnOptions): WorkerConnection {
  // spawn was asked for four pipes, so descriptor 3 is one.
  const socket = child.stdio[SOCKET_FD] as Duplex;
  const state = { alive: true, reason: '', waiting: undefined as Waiting | undefined };
  const reader = new MessageReader(maxMessageBytes, (reply) => {
    const { waiting } = state;
    state.waiting = undefined;
    waiting?.resolve(reply);
  });
  const exited = new Promise<void>((resolve) => {
    const end = (why: string): void => {
      if (state.alive) {
        state.alive = false;
        state.waiting?.reject(
          new AppError('unavailable', `The Python worker ended (${state.reason || why}); try again`),
        );
        state.waiting = undefined;
        socket.destroy();
      }
      resolve();
    };
    child.on('error', (error) => end(error.message));
    child.on('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
  });
  const kill = (reason: string): void => {
    state.reason ||= reason;
    killGroup(child);
  };
  socket.on('data', (chunk: Buffer) => {
    try {
      reader.push(chunk);
    } catch (error) {
      log.error('python worker sent a bad message', { error: String(error) });
      kill('it sent a message that cannot be read');
    }
  });
  socket.on('error', () => undefined);
  forwardLines(child.stdout, log, 'stdout');
  forwardLines(child.stderr, log, 'stderr');
  return {
    get alive() {
      return state.alive;
    },
    exited,
    kill,
    send: (header, frame) => {
      if (!state.alive)
        return Promise.reject(new AppError('unavailable', `The Python worker ended (${state.reason}); try again`));
      return new Promise<Reply>((resolve, reject) => {
        state.waiting = { resolve, reject };
        for (const part of encodeMessage(header, frame)) socket.write(part);
      });
    },
  };
}

/** The group, so that what the user's code started goes too. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
}

function forwardLines(stream: Readable | null, log: Log, name: string): void {
  if (!stream) return;
  createInterface({ input: stream }).on('line', (line) =>
    log.info('python', { stream: name, line: line.slice(0, MAX_LOG_LINE) }),
  );
}

function encodeMessage(header: Readonly<Record<string, unknown>>, frame: Frame | undefined): Uint8Array[] {
  const { columns, parts } = frame ? encodeFrame(frame) : { columns: [], parts: [] };
  const text = Buffer.from(JSON.stringify(frame ? { ...header, rowCount: frame.rowCount, columns } : header), 'utf8');
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(
    parts.reduce((sum, part) => sum + part.byteLength, 0),
    4,
  );
  return [Buffer.concat([prefix, text, ...parts])];
}

/** Cuts the byte stream into messages. */
class MessageReader {
  private chunks: Buffer[] = [];
  private size = 0;
  private readonly maxBytes: number;
  private readonly onReply: (reply: Reply) => void;

  constructor(maxBytes: number, onReply: (reply: Reply) => void) {
    this.maxBytes = maxBytes;
    this.onReply = onReply;
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.size += chunk.length;
    if (this.size < PREFIX_BYTES) return;
    if (this.chunks[0]!.length < PREFIX_BYTES) this.chunks = [Buffer.concat(this.chunks)];
    const headerLength = this.chunks[0]!.readUInt32LE(0);
    const bodyLength = this.chunks[0]!.readUInt32LE(4);
    const total = PREFIX_BYTES + headerLength + bodyLength;
    if (total > this.maxBytes) throw new Error(`a message of ${total} bytes`);
    if (this.size < total) return;
    const data = Buffer.concat(this.chunks);
    this.chunks = data.length > total ? [data.subarray(total)] : [];
    this.size = data.length - total;
    this.onReply(parseReply(data.subarray(PREFIX_BYTES, total), headerLength));
  }
}

function parseReply(data: Buffer, headerLength: number): Reply {
  // Written by levain_runtime/worker.py; what it could not have written fails in decodeFrame.
  const header = JSON.parse(data.toString('utf8', 0, headerLength)) as {
    ok: boolean;
    rowCount?: number;
    columns?: readonly WireColumn[];
  };
  if (!header.columns) return header as Reply;
  const frame = decodeFrame(header.columns, header.rowCount ?? 0, data.subarray(headerLength));
  return { ...header, ok: true, frame } as Reply;
}
