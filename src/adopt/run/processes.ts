import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';

/** A process by its id and the tick at which it started: ids are used again. */
interface ProcessMark {
  readonly pid: number;
  readonly started: string;
}

/** All processes that came from this one, as Linux tells them; none elsewhere. */
export async function descendantsOf(pid: number): Promise<readonly ProcessMark[]> {
  const children = new Map<number, ProcessMark[]>();
  for (const name of await readdir('/proc').catch(() => [] as string[])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await statOf(Number(name));
    if (stat)
      children.set(stat.parent, [...(children.get(stat.parent) ?? []), { pid: Number(name), started: stat.started }]);
  }
  const found: ProcessMark[] = [];
  const queue = [pid];
  while (queue.length > 0) {
    for (const child of children.get(queue.pop()!) ?? []) {
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found;
}

/** Ends those that still run: what a notebook started in the background would outlive its kernel. */
export async function endProcesses(marks: readonly ProcessMark[]): Promise<void> {
  for (const { pid, started } of marks) {
    if ((await statOf(pid))?.started !== started) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended between the look and the signal.
    }
  }
}

async function statOf(pid: number): Promise<{ readonly parent: number; readonly started: string } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name stands in brackets and may hold anything; what follows the last one is fields 3 and on.
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields ? { parent: Number(fields[1]), started: fields[19] ?? '' } : undefined;
}

export interface PythonEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const MAX_STDOUT = 256 * 2 ** 20;
const MAX_STDERR = 8_000;
const running = new Set<ChildProcess>();

/** Runs a program of ours to its end; `code` is null where it could not be started, or did not end in time. */
export async function runPython(
  command: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly timeoutMs: number; readonly cwd?: string },
): Promise<PythonEnd> {
  const child = spawn(command[0]!, command.slice(1), {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  running.add(child);
  const parts: string[] = [];
  let size = 0;
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    size += part.length;
    if (size <= MAX_STDOUT) parts.push(part);
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr = (stderr + part).slice(-MAX_STDERR)));
  const failed = once(child, 'error').then(() => null);
  const code = await Promise.race([once(child, 'close').then(([exit]) => exit as number | null), failed]);
  running.delete(child);
  return { code, stdout: parts.join(''), stderr };
}

/** For the way out: nothing that this module started goes on. */
export function endPrograms(): void {
  for (const child of running) child.kill('SIGKILL');
}
