import { readdirSync, readFileSync } from 'node:fs';

const TICKS_A_SECOND = 100;

interface Stat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

/** CPU seconds that a process and all below it have used, their ended children included (Linux: /proc). */
export function cpuSecondsOf(root: number): number {
  const stats = readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? readStat(name) : []));
  const inTree = new Set([root]);
  for (let before = 0; before < inTree.size; ) {
    before = inTree.size;
    for (const { pid, parent } of stats) if (inTree.has(parent)) inTree.add(pid);
  }
  return stats.filter(({ pid }) => inTree.has(pid)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

function readStat(pid: string): Stat[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ticks = [11, 12, 13, 14].reduce((sum, i) => sum + Number(fields[i]), 0);
    return [{ pid: Number(pid), parent: Number(fields[1]), cpuSeconds: ticks / TICKS_A_SECOND }];
  } catch {
    return [];
  }
}
