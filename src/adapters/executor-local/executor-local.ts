import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Executor, TaskSpec, TaskState } from '../../ports/executor.ts';
import {
  bootId,
  hostId,
  isAlive,
  oomKills,
  type ProcessIdentity,
  processesOfAttempt,
  signalProcess,
} from './processes.ts';
import { SHIM } from './shim.ts';

type TaskRef = Pick<TaskSpec, 'id' | 'attemptDir'>;

const DEFAULT_GRACE_MS = 10_000;
const POLL_MS = 100;
/** A spawned shim claims within milliseconds; a machine that swaps gets this long. */
const CLAIM_WITHIN_MS = 15_000;
/** A killed step's relatives may start others while we look; this many looks end it. */
const SWEEPS = 5;

/**
 * Steps as detached child processes of this machine that outlive the server. The attempt folder is the whole state: `claim`
 * (`host boot pid start-time`), `log`, `exit` (`exit N`). Another process with the same folder adopts them.
 * Local steps run as the server's user.
 */
export function createLocalExecutor(): Executor {
  const children = new Map<string, ChildProcess>();
  return {
    start: (task) => start(children, task),
    inspect,
    wait: (task, signal) => wait(children, task, signal),
    cancel,
  };
}

async function start(children: Map<string, ChildProcess>, task: TaskSpec): Promise<void> {
  if (children.has(task.attemptDir) || (await readClaim(task)) !== undefined) return;
  await writeFile(join(task.attemptDir, 'oom-before'), String(await oomKills()));
  const log = await open(join(task.attemptDir, 'log'), 'a');
  try {
    const child = spawn(
      '/bin/sh',
      ['-c', SHIM, 'levain-step', task.attemptDir, await hostId(), task.cwd, ...task.command],
      {
        cwd: task.attemptDir,
        env: { ...task.env, LEVAIN_ATTEMPT: task.id },
        stdio: ['ignore', log.fd, log.fd],
        detached: true,
      },
    );
    children.set(task.attemptDir, child);
    child.once('exit', () => children.delete(task.attemptDir));
    child.once('error', () => children.delete(task.attemptDir));
    await once(child, 'spawn');
    child.unref();
  } catch (error) {
    throw new AppError(
      'unavailable',
      `The step ${task.id} could not be started: ${messageOf(error)}`,
      undefined,
      error,
    );
  } finally {
    await log.close();
  }
}

async function inspect(task: TaskRef): Promise<TaskState> {
  const exited = await readExit(task);
  if (exited) return exited;
  const claim = await readClaim(task);
  if (claim === undefined) return { state: 'unclaimed' };
  if (claim === 'torn') return inspectTorn(task);
  const [host, boot] = await Promise.all([hostId(), bootId()]);
  if (claim.host !== host) return { state: 'lost', reason: `it was started on ${claim.host}, this is ${host}` };
  if (claim.boot !== boot) return { state: 'lost', reason: 'the machine was restarted while it ran' };
  if (await isAlive(claim)) return { state: 'running', pid: claim.pid };
  return (await readExit(task)) ?? { state: 'lost', reason: `process ${claim.pid} is gone and left no exit code` };
}

/** The claim exists without its line: written this instant, or its writer was killed between the two system calls. */
async function inspectTorn(task: TaskRef): Promise<TaskState> {
  await sleep(POLL_MS);
  const [pid] = await processesOfAttempt(task.id);
  if (pid !== undefined) return { state: 'running', pid };
  const claim = await readClaim(task);
  if (claim !== 'torn') return inspect(task);
  return (await readExit(task)) ?? { state: 'lost', reason: 'it was killed while it started' };
}

async function wait(children: Map<string, ChildProcess>, task: TaskRef, signal?: AbortSignal): Promise<TaskState> {
  for (let polls = 0; ; polls++) {
    const state = await inspect(task);
    if (state.state === 'exited' || state.state === 'lost' || signal?.aborted) return state;
    if (state.state === 'unclaimed' && polls * POLL_MS > CLAIM_WITHIN_MS) {
      return { state: 'lost', reason: 'it was never claimed by a process' };
    }
    await childOrPause(children.get(task.attemptDir), signal);
  }
}

/** Until our own child exits, or for one poll where the task is another's. */
async function childOrPause(child: ChildProcess | undefined, signal?: AbortSignal): Promise<void> {
  const timer = new AbortController();
  const either = signal ? AbortSignal.any([signal, timer.signal]) : timer.signal;
  const waits = [sleep(POLL_MS, undefined, { signal: either }).catch(() => {})];
  if (child && child.exitCode === null && child.signalCode === null) {
    waits.push(
      once(child, 'exit', { signal: either }).then(
        () => {},
        () => {},
      ),
    );
  }
  await Promise.race(waits);
  timer.abort();
}

async function cancel(task: TaskRef, graceMs = DEFAULT_GRACE_MS): Promise<void> {
  if (await closeUnclaimed(task)) return;
  const claim = await readClaim(task);
  if (claim && claim !== 'torn' && (await isOurs(claim))) {
    signalProcess(-claim.pid, 'SIGTERM');
    await untilGone(claim, graceMs);
    if (await isAlive(claim)) signalProcess(-claim.pid, 'SIGKILL');
    await untilGone(claim, graceMs);
  }
  await sweep(task.id);
  await writeNew(join(task.attemptDir, 'exit'), 'exit 137\n');
}

/** Takes the claim of a task that nobody has started, so that nobody can. */
async function closeUnclaimed(task: TaskRef): Promise<boolean> {
  const line = `${await hostId()} ${await bootId()} 0 -\n`;
  if (!(await writeNew(join(task.attemptDir, 'claim'), line))) return false;
  await writeNew(join(task.attemptDir, 'exit'), 'exit 143\n');
  return true;
}

const isOurs = async (claim: ProcessIdentity): Promise<boolean> =>
  claim.pid > 0 && claim.host === (await hostId()) && claim.boot === (await bootId()) && (await isAlive(claim));

async function untilGone(claim: ProcessIdentity, ms: number): Promise<void> {
  const stepMs = 20;
  for (let waited = 0; waited < ms && (await isAlive(claim)); waited += stepMs) await sleep(stepMs);
}

async function sweep(id: string): Promise<void> {
  for (let round = 0; round < SWEEPS; round++) {
    const pids = await processesOfAttempt(id);
    if (pids.length === 0) return;
    for (const pid of pids) signalProcess(pid, 'SIGKILL');
    await sleep(20);
  }
}

async function readClaim(task: TaskRef): Promise<ProcessIdentity | 'torn' | undefined> {
  const text = await readFile(join(task.attemptDir, 'claim'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const [host, boot, pid, startTime] = text.trim().split(' ');
  if (!text.endsWith('\n') || !host || !boot || !pid || !startTime) return 'torn';
  return { host, boot, pid: Number(pid), startTime };
}

async function readExit(task: TaskRef): Promise<TaskState | undefined> {
  const text = await readFile(join(task.attemptDir, 'exit'), 'utf8').catch(() => undefined);
  const match = text === undefined ? null : /^exit (\d+)\n$/.exec(text);
  if (!match) return undefined;
  const exitCode = Number(match[1]);
  const signal = signalOf(exitCode);
  if (signal !== 'SIGKILL') return { state: 'exited', exitCode, ...(signal && { signal }) };
  const before = Number(await readFile(join(task.attemptDir, 'oom-before'), 'utf8').catch(() => '0'));
  return { state: 'exited', exitCode, signal, ...((await oomKills()) > before && { oom: true }) };
}

/** The shell reports a child that died of signal n as 128 + n. */
function signalOf(exitCode: number): string | undefined {
  const entry = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return entry?.[0];
}

async function writeNew(path: string, text: string): Promise<boolean> {
  return writeFile(path, text, { flag: 'wx' }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}
