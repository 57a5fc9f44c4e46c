/**
 * What one logged metric, and one batch of a thousand, cost a server in CPU: ours and the real `mlflow server`, in one run.
 *
 *     node bench/tracking/mlflow.bench.ts
 *
 * 32 connections, each with a run of its own, a bounded number of requests. CPU is that of the server's process tree; the load
 * generator's is not counted. Read the ratio: seconds differ between machines.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/ports.ts';
import { testPython } from '../../test/support/python.ts';
import { cpuSecondsOf } from './process-tree.ts';

const CONNECTIONS = 32;
const BATCH = 1_000;
const RETRIES = 20;
const retries = new Map<string, number>();

interface Server {
  readonly name: string;
  readonly url: string;
  readonly process: ChildProcess;
  /** Requests of each kind: enough for a stable figure, few enough to end. */
  readonly counts: { readonly metric: number; readonly batch: number };
}

interface Result {
  readonly cpuMs: number;
  readonly perSecond: number;
}

const dir = mkdtempSync(join(tmpdir(), 'levain-bench-'));
const python = await testPython(['mlflow==3.17.2', 'scikit-learn', 'pandas', 'skops', 'cloudpickle']);
if (!python) throw new Error('mlflow could not be installed');
const servers: Server[] = [];
try {
  servers.push(await startOurs(), await startMlflow(python));
  const rows: string[] = [];
  for (const kind of ['metric', 'batch'] as const) {
    const [ours, theirs] = [await measure(servers[0]!, kind), await measure(servers[1]!, kind)];
    const what = kind === 'metric' ? 'log-metric' : `log-batch of ${BATCH.toLocaleString('en')}`;
    const ratio = (theirs.cpuMs / ours.cpuMs).toFixed(0);
    rows.push(
      `| ${what} | ${ours.cpuMs.toFixed(3)} ms | ${theirs.cpuMs.toFixed(2)} ms | **${ratio}x** | ${ours.perSecond.toFixed(0)}/s | ${theirs.perSecond.toFixed(0)}/s |`,
    );
  }
  console.log('| request | Levain CPU | mlflow 3.17.2 CPU | less CPU | Levain rate | mlflow rate |');
  console.log('|---|---|---|---|---|---|');
  console.log(rows.join('\n'));
  for (const [name, count] of retries)
    console.log(`\n${name} was busy ${count} times; those requests were sent again.`);
} finally {
  for (const server of servers) await stop(server.process);
  rmSync(dir, { recursive: true, force: true });
}

async function startOurs(): Promise<Server> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), join(dir)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (line: Buffer) => resolve(line.toString().trim()));
    child.once('exit', (code) => reject(new Error(`our server ended with ${code}`)));
  });
  return { name: 'levain', url, process: child, counts: { metric: 20_000, batch: 400 } };
}

async function startMlflow(interpreter: string): Promise<Server> {
  const port = await freePort();
  const store = `sqlite:///${join(dir, 'mlflow.db')}`;
  // One worker: four of them, the default, fight over SQLite's lock, fail, and burn more for each request.
  const args = [
    'server',
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--workers',
    '1',
    '--backend-store-uri',
    store,
  ];
  const child = spawn(
    join(dirname(interpreter), 'mlflow'),
    [...args, '--artifacts-destination', join(dir, 'mlartifacts')],
    {
      stdio: 'ignore',
      env: {
        ...process.env,
        PATH: `${dirname(interpreter)}:${process.env['PATH']}`,
        // Its default of fifteen connections is less than ours are: it would refuse batches after 30 s.
        MLFLOW_SQLALCHEMYSTORE_POOL_SIZE: String(CONNECTIONS + 8),
      },
    },
  );
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 600; i++) {
    if ((await fetch(`${url}/health`).catch(() => undefined))?.ok) break;
    await sleep(200);
  }
  return { name: 'mlflow', url, process: child, counts: { metric: 1_500, batch: 96 } };
}

async function measure(server: Server, kind: 'metric' | 'batch'): Promise<Result> {
  const runs: string[] = [];
  while (runs.length < CONNECTIONS) runs.push(await createRun(server));
  const total = server.counts[kind];
  await load(server, kind, runs, Math.ceil(total / 10), 0);
  const cpuBefore = cpuSecondsOf(server.process.pid!);
  const begun = performance.now();
  await load(server, kind, runs, total, 1_000_000);
  const seconds = (performance.now() - begun) / 1_000;
  const cpuSeconds = cpuSecondsOf(server.process.pid!) - cpuBefore;
  return { cpuMs: (cpuSeconds / total) * 1_000, perSecond: total / seconds };
}

async function load(
  server: Server,
  kind: string,
  runs: readonly string[],
  total: number,
  first: number,
): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let sent = 0;
  await Promise.all(
    runs.map(async (runId) => {
      while (sent < total) {
        const at = first + sent++;
        if (kind === 'metric') await post(server, agent, '/runs/log-metric', { run_id: runId, ...point('loss', at) });
        else await post(server, agent, '/runs/log-batch', { run_id: runId, metrics: batch(at) });
      }
    }),
  );
  agent.destroy();
}

function point(key: string, step: number) {
  return { key, value: 1 / (1 + step), timestamp: 1_700_000_000_000 + step, step };
}

/** A hundred steps of ten metrics, as a training loop's buffer holds them. */
function batch(at: number) {
  return Array.from({ length: BATCH }, (_, i) => point(`metric_${i % 10}`, at * 100 + Math.floor(i / 10)));
}

async function createRun(server: Server): Promise<string> {
  const answer = await fetch(`${server.url}/api/2.0/mlflow/runs/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ experiment_id: '0', user_id: 'bench', start_time: Date.now() }),
  });
  return ((await answer.json()) as { run: { info: { run_id: string } } }).run.info.run_id;
}

/** What SQLite refuses under several connections is sent again and counted. */
async function post(server: Server, agent: http.Agent, path: string, message: unknown): Promise<void> {
  const body = JSON.stringify(message);
  for (let i = 0; ; i++) {
    const { status, text } = await send(`${server.url}/api/2.0/mlflow${path}`, agent, body);
    if (status === 200) return;
    const isBusy = status === 503 || text.includes('database is locked');
    if (!isBusy || i === RETRIES) throw new Error(`${server.name} answered ${path} with ${status}: ${text}`);
    retries.set(server.name, (retries.get(server.name) ?? 0) + 1);
    await sleep(100);
  }
}

function send(url: string, agent: http.Agent, body: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = http.request(url, { method: 'POST', agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text: text.slice(0, 500) }));
    });
    request.once('error', reject);
    request.end(body);
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  await Promise.race([new Promise((resolve) => child.once('exit', resolve)), sleep(5_000)]);
  child.kill('SIGKILL');
}
