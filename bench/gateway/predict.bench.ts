import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endpointOf, startControlPlane } from '../../src/gateway/testing/control-plane.ts';
import { makeForest } from '../../src/gateway/testing/models.ts';
import { startGatewayProcess, TOKEN, until } from '../../src/gateway/testing/process.ts';
import { cpuSecondsOf, load } from './load.ts';

/**
 * One prediction (20 features, 100 trees, logged and monitored) beside a bare `node:http` echo of the same body, in interleaved rounds: CPU µs a request of
 * the server process, and the ratio. `--profile DIR` writes a CPU profile of the gateway.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    requests: { type: 'string', default: '12000' },
    connections: { type: 'string', default: '32' },
    rate: { type: 'string', default: '3000' },
    /** `rows`: one 2-D input; `columns`: one input a column. */
    form: { type: 'string', default: 'rows' },
    profile: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const requests = Number(values.requests);
const connections = Number(values.connections);
const perSecond = Number(values.rate);

const model = makeForest({ version: 1, trees: 100, depth: 5, columns: 20 });
const columns = model.rows.columns.map(({ name, values: column }) => ({
  name,
  shape: [1],
  datatype: 'FP64',
  data: [column[0]],
}));
const row = { name: 'features', shape: [1, 20], datatype: 'FP64', data: columns.map(({ data }) => data[0]) };
const inputs = values.form === 'rows' ? [row] : columns;
const body = JSON.stringify({ inputs });
const dataDir = await mkdtemp(join(tmpdir(), 'levain-bench-'));
const plane = await startControlPlane(TOKEN);
plane.addModel(model);
plane.desire([endpointOf(model)]);
const nodeArgs = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`] : [];
const gateway = await startGatewayProcess({ dataDir, server: plane.url, nodeArgs });
await until(() => plane.reports.at(-1)?.generation === 1);
const echo = await startEcho();

interface Peer {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly path: string;
  readonly micros: number[];
}

const peers: readonly Peer[] = [
  { name: 'bare node:http echo', pid: echo.pid, port: echo.port, path: '/', micros: [] },
  {
    name: 'levain gateway',
    pid: gateway.child.pid!,
    port: Number(new URL(gateway.url).port),
    path: '/v2/models/churn/infer',
    micros: [],
  },
];
try {
  for (const { port, path } of peers) await load({ port, path, body, connections, requests, perSecond });
  for (let round = 0; round < rounds; round++) for (const peer of peers) await measure(peer);
  report();
} finally {
  await gateway.stop();
  echo.stop();
  await plane.close();
  await rm(dataDir, { recursive: true });
}

async function measure({ pid, port, path, micros }: Peer): Promise<void> {
  const before = cpuSecondsOf(pid);
  await load({ port, path, body, connections, requests, perSecond });
  micros.push(((cpuSecondsOf(pid) - before) / requests) * 1e6);
}

function report(): void {
  for (const { name, micros } of peers)
    console.log(
      `${name.padEnd(22)} ${median(micros).toFixed(1)} µs CPU a request (best ${Math.min(...micros).toFixed(1)}) at ${perSecond} requests/s`,
    );
  const ratios = peers[1]!.micros.map((value, round) => value / peers[0]!.micros[round]!);
  console.log(
    `ratio ${median(ratios).toFixed(2)} (bar 1.5; rounds ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')})`,
  );
  const rows = plane.segments.reduce(
    (sum, { blocks }) => sum + blocks.reduce((n, { rows: { rowCount } }) => n + rowCount, 0),
    0,
  );
  console.log(`logged rows so far: ${rows} of ${requests * (rounds + 1)}`);
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

async function startEcho(): Promise<{ readonly pid: number; readonly port: number; readonly stop: () => void }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./echo.ts', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await new Promise<string[]>((resolve) =>
    createInterface({ input: child.stdout }).once('line', (text) => resolve([text])),
  );
  return { pid: child.pid!, port: Number(new URL(JSON.parse(line!).gatewayUrl).port), stop: () => child.kill() };
}
