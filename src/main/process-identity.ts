import { readFileSync } from 'node:fs';

/** A process of this machine, told apart from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat; `-` where there is no /proc. */
  readonly startTime: string;
  readonly bootId: string;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, startTime: statOf(pid)?.startTime ?? '-', bootId: bootId() };
}

/** Whether exactly this process lives: not one of another boot, not a later one with its number, not a zombie. */
export function isSame({ pid, startTime, bootId: boot }: ProcessIdentity): boolean {
  if (!Number.isInteger(pid) || pid < 1) return false;
  if (startTime === '-') return answersSignal(pid);
  const stat = statOf(pid);
  return boot === bootId() && stat?.startTime === startTime && stat.state !== 'Z' && stat.state !== 'X';
}

function statOf(pid: number): { readonly state: string; readonly startTime: string } | undefined {
  const text = readText(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
}

const bootId = (): string => readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '-';

function answersSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
