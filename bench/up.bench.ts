/**
 * What `levain up` costs: seconds until its ready line, CPU of server and gateway until then, their memory ten seconds later, and
 * the CPU of those idle ten seconds.
 *
 *     node bench/up.bench.ts [ROUNDS]
 *
 * A fresh data directory each round; one round before that fills the compile cache. Memory is PSS, where pages that processes share
 * count once, the largest of five samples. Linux only. Writes nothing.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cpuSecondsOf } from './tracking/process-tree.ts';

const LEVAIN = fileURLToPath(new URL('../bin/levain', import.meta.url));
const IDLE_MS = 10_000;
const SAMPLES = 5;

interface Round {
  readonly ready: number;
  readonly serverCpu: number;
  readonly gatewayCpu: number;
  readonly idleCpu: number;
  readonly serverMiB: number;
  readonly gatewayMiB: number;
}

const rounds = Number(process.argv[2] ?? 5);
await measure(0);
const measured: Round[] = [];
for (let i = 0; i < rounds; i++) measured.push(await measure(IDLE_MS));
print(measured);

async function measure(idleMs: number): Promise<Round> {
  const folder = mkdtempSync(join(tmpdir(), 'levain-up-'));
  const dataDir = join(folder, 'data');
  const start = performance.now();
  const child = spawn(LEVAIN, ['up', '--json', '--no-apply', '--port', '0', '--gateway-port', '0'], {
    cwd: folder,
    env: { ...process.env, LEVAIN_DATA_DIR: dataDir, LEVAIN_CONFIG_DIR: join(folder, 'config') },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    await Promise.race([
      new Promise((resolve) => child.stdout.once('data', resolve)),
      ended.then((code) => Promise.reject(new Error(`levain up ended with ${code}`))),
    ]);
    const ready = (performance.now() - start) / 1000;
    const server = child.pid!;
    const gateway = (JSON.parse(readFileSync(join(dataDir, 'gateway.json'), 'utf8')) as { pid: number }).pid;
    const [all, gatewayCpu] = [cpuSecondsOf(server), cpuSecondsOf(gateway)];
    let [serverMiB, gatewayMiB] = [0, 0];
    for (let i = 0; i < SAMPLES; i++) {
      await sleep(idleMs / SAMPLES);
      serverMiB = Math.max(serverMiB, pssMiB(server));
      gatewayMiB = Math.max(gatewayMiB, pssMiB(gateway));
    }
    const idleCpu = cpuSecondsOf(server) - all;
    return { ready, serverCpu: all - gatewayCpu, gatewayCpu, idleCpu, serverMiB, gatewayMiB };
  } finally {
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

function pssMiB(pid: number): number {
  const line = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
  return Number(line?.[1]) / 1024;
}

function print(all: readonly Round[]): void {
  const median = (pick: (round: Round) => number): number => {
    const sorted = all.map(pick).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)]!;
  };
  const row = (what: string, value: string): void => console.log(`| ${what} | ${value} |`);
  console.log(`| median of ${all.length} | |\n|---|---|`);
  row('ready line', `${median((r) => r.ready).toFixed(2)} s`);
  const cpu = median((r) => r.serverCpu + r.gatewayCpu).toFixed(2);
  row(
    'CPU until then',
    `${cpu} s (server ${median((r) => r.serverCpu).toFixed(2)}, gateway ${median((r) => r.gatewayCpu).toFixed(2)})`,
  );
  const memory = median((r) => r.serverMiB + r.gatewayMiB).toFixed(0);
  row(
    'PSS, 10 s idle',
    `${memory} MiB (server ${median((r) => r.serverMiB).toFixed(0)}, gateway ${median((r) => r.gatewayMiB).toFixed(0)})`,
  );
  row('CPU of 10 s idle', `${(100 * median((r) => r.idleCpu)).toFixed(0)} ms a second`);
}
