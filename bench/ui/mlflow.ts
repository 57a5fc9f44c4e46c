import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../test/support/ports.ts';
import { testPython } from '../../test/support/python.ts';

export interface Peer {
  readonly url: string;
  /** Ids of the runs with long curves. */
  readonly charted: readonly string[];
  stop(): void;
}

interface Size {
  readonly runs: number;
  readonly charted: number;
  readonly metrics: number;
  readonly points: number;
}

/** The real `mlflow server` with the same runs, written into its own SQLite: by its protocol ten thousand runs take a quarter of an hour. */
export async function startMlflow(size: Size): Promise<Peer | undefined> {
  const python = await testPython(['mlflow==3.17.2', 'scikit-learn', 'pandas', 'skops', 'cloudpickle']);
  if (!python) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'levain-bench-ui-'));
  const path = join(dir, 'mlflow.db');
  const port = await freePort();
  const store = `sqlite:///${path}`;
  const env = { ...process.env, PATH: `${dirname(python)}:${process.env['PATH']}` };
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
  const child = spawn(join(dirname(python), 'mlflow'), [...args, '--artifacts-destination', join(dir, 'artifacts')], {
    stdio: 'ignore',
    env,
    detached: true,
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = (): void => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {}
    rmSync(dir, { recursive: true, force: true });
  };
  for (let i = 0; i < 600; i++) {
    if ((await fetch(`${url}/health`).catch(() => undefined))?.ok) break;
    await sleep(200);
  }
  const script = join(dir, 'seed.py');
  writeFileSync(script, SEED);
  const { runs, charted, metrics, points } = size;
  const { stdout } = await promisify(execFile)(python, [
    script,
    path,
    String(runs),
    String(charted),
    String(metrics),
    String(points),
  ]);
  return { url, charted: stdout.trim().split('\n'), stop };
}

const SEED = `
import math, sqlite3, sys, uuid
path, runs, charted, metrics, points = sys.argv[1], *map(int, sys.argv[2:])
db = sqlite3.connect(path, timeout=60)
T = 1767607200000
ids = [uuid.uuid4().hex for _ in range(runs)]
def many(table, names, rows):
    db.executemany(f"insert into {table} ({','.join(names)}) values ({','.join('?' * len(names))})", rows)
many('runs', ['run_uuid','name','source_type','status','start_time','end_time','lifecycle_stage','artifact_uri','experiment_id','user_id'],
     [(r, f'run-{i}', 'LOCAL', 'FINISHED', T + i * 1000, T + i * 1000 + 500, 'active', f'mlflow-artifacts:/0/{r}/artifacts', 0, 'ana') for i, r in enumerate(ids)])
many('tags', ['run_uuid','key','value'], [(r, 'mlflow.runName', f'run-{i}') for i, r in enumerate(ids)])
many('params', ['run_uuid','key','value'], [(r, k, str(v)) for i, r in enumerate(ids) for k, v in (('depth', i % 12), ('rate', i % 97 / 100), ('optimizer', 'adam' if i % 2 else 'sgd'), ('seed', i % 5))])
for table, names in (('metrics', []), ('latest_metrics', [])):
    many(table, ['run_uuid','key','value','timestamp','step','is_nan'],
         [(r, k, (i * (n + 7)) % 1009 / 1009, T + i, 0, 0) for i, r in enumerate(ids) for n, k in enumerate(('loss', 'auc', 'f1', 'brier'))])
for r in ids[-charted:]:
    for m in range(metrics):
        many('metrics', ['run_uuid','key','value','timestamp','step','is_nan'],
             [(r, f'metric_{m}', 0.2 + 1.4 / (1 + s / 500) + 0.05 * math.sin(s * 0.7 + m), T + s * 250, s, 0) for s in range(points)])
        many('latest_metrics', ['run_uuid','key','value','timestamp','step','is_nan'], [(r, f'metric_{m}', 0.2, T + points * 250, points - 1, 0)])
db.commit()
print('\\n'.join(ids[-charted:]))
`;
