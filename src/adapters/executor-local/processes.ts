import { readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Who a process is, across restarts of ours and reuse of its number by others. */
export interface ProcessIdentity {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  /** Field 22 of /proc/PID/stat, or `-` where there is no /proc. */
  readonly startTime: string;
}

/** This machine: its id where it has one, and its name. Without blanks. */
export async function hostId(): Promise<string> {
  const machine = await readText('/etc/machine-id');
  return `${machine?.trim().slice(0, 32) || 'none'}.${hostname()}`.replaceAll(/\s/g, '_');
}

export const bootId = async (): Promise<string> => (await readText('/proc/sys/kernel/random/boot_id'))?.trim() ?? '-';

/** Whether exactly this process lives: same number, same start time, and not a zombie. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  if (identity.startTime === '-') return signalProcess(identity.pid, 0);
  const stat = await readText(`/proc/${identity.pid}/stat`);
  if (stat === undefined) return false;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] !== 'Z' && fields[0] !== 'X' && fields[19] === identity.startTime;
}

/** Sends a signal (negative: to a group). False where nobody is there. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Processes whose environment holds `LEVAIN_ATTEMPT=<id>`: what a step left outside its group. Empty where there is no /proc. */
export async function processesOfAttempt(id: string): Promise<readonly number[]> {
  const names = await readdir('/proc').catch(() => [] as string[]);
  const found: number[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const environment = await readText(`/proc/${name}/environ`);
    if (environment?.split('\0').includes(`LEVAIN_ATTEMPT=${id}`)) found.push(Number(name));
  }
  return found;
}

/** How often this machine's kernel has killed for want of memory since boot. */
export async function oomKills(): Promise<number> {
  const match = /^oom_kill (\d+)$/m.exec((await readText('/proc/vmstat')) ?? '');
  return match ? Number(match[1]) : 0;
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
