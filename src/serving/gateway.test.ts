import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { testDb } from '../../test/support/db.ts';
import { waitFor } from '../../test/support/ports.ts';
import { ACTOR, createWorld, type World } from '../../test/support/serving-world.ts';
import { tempDir } from '../../test/support/temp.ts';
import { systemClock, systemRandom } from '../adapters/system/index.ts';
import { ENGINE_FORMAT } from '../engines/index.ts';
import { type Gateway, startGateway } from '../gateway/gateway.ts';
import { createBus, createHttpServer } from '../http/index.ts';
import { createAuthenticator, issueGatewayToken } from '../identity/index.ts';
import { findHold } from '../registry/index.ts';
import { getEndpoint } from './endpoints.ts';
import { findPrediction, lastRequests } from './log/reads.ts';
import { getRollout } from './rollouts/control.ts';
import { deploy } from './rollouts/start.ts';
import { gatewayRoutes, servingRoutes } from './routes.ts';
import type { Rollout } from './types.ts';
import { startServingWork } from './work.ts';

interface Stage {
  readonly w: World;
  readonly gateway: Gateway;
  readonly url: string;
  close(): Promise<void>;
}

/** Control plane over HTTP and a real gateway that dials it. */
async function open(): Promise<Stage> {
  const dir = tempDir();
  const clock = systemClock;
  const random = systemRandom;
  const w = await createWorld(await testDb(), dir, clock);
  w.section = { ...w.section, eventTime: 'server' };
  const { deps } = w;
  const token = await issueGatewayToken(deps.identity);
  const http = createHttpServer({
    routes: [...servingRoutes(deps), ...gatewayRoutes(deps)],
    authenticator: createAuthenticator(deps.identity),
    bus: createBus(),
    clock,
    random,
    log: deps.log,
    host: '127.0.0.1',
    version: '0',
  });
  const port = await http.listen(0);
  const work = startServingWork(deps);
  const gateway = await startGateway({
    dir: join(dir, 'gateway'),
    host: '127.0.0.1',
    port: 0,
    version: '0',
    serverUrl: async () => `http://127.0.0.1:${port}`,
    token: async () => token,
    formats: [ENGINE_FORMAT],
    clock,
    random,
    log: { ...deps.log, error: () => {} },
    workers: deps.registry.workers,
  });
  return {
    w,
    gateway,
    url: `http://127.0.0.1:${port}`,
    async close() {
      await gateway.close();
      await work.stop();
      await http.close();
      await deps.db.close();
    },
  };
}

let sent = 0;

async function ask(gateway: Gateway): Promise<{ readonly status: number; readonly id: string }> {
  const i = sent++;
  const inputs = [0.618034, 0.754878, 0.56984].map((step, f) => ({
    name: `x${f}`,
    shape: [1],
    datatype: 'FP64',
    data: [(i * step) % 1],
  }));
  const body = JSON.stringify({ inputs });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${gateway.url}/v2/models/churn/infer`, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return { status: response.status, id: response.headers.get('levain-prediction-ids') ?? '' };
}

async function askUntil({ w, gateway }: Stage, isOver: (rollout: Rollout) => boolean): Promise<Rollout> {
  for (let i = 0; i < 400; i++) {
    const answers = await Promise.all(Array.from({ length: 8 }, () => ask(gateway)));
    assert.ok(answers.every(({ status }) => status === 200));
    await pause(10);
    const { rollout } = await getRollout(w.deps, ACTOR, { name: 'churn' });
    if (isOver(rollout)) return rollout;
  }
  throw new Error(`The rollout did not end: ${(await getRollout(w.deps, ACTOR, { name: 'churn' })).rollout.sentence}`);
}

test('with a real gateway a version is deployed, the next one promoted on evidence, and a broken one rolled back', async () => {
  const stage = await open();
  const { w, gateway } = stage;
  try {
    await w.addVersion(1, 7);
    await deploy(w.deps, ACTOR, { model: 'churn' });
    await waitFor('v1', async () => assert.equal((await ask(gateway)).status, 200));
    await askUntil(stage, ({ state }) => state === 'done');
    const { id } = await ask(gateway);
    await waitFor('the log', async () =>
      assert.ok(await findPrediction(w.deps, { projectId: ACTOR.projectId, id }), 'not ingested yet'),
    );
    for (let i = 0; i < 15; i++) await Promise.all(Array.from({ length: 8 }, () => ask(gateway)));
    const logged = { projectId: ACTOR.projectId, endpoint: 'churn', n: 1_000 };
    await waitFor('the log', async () => assert.ok((await lastRequests(w.deps, logged)).rows.rowCount >= 120));

    await w.addVersion(2, 16);
    await deploy(w.deps, ACTOR, { model: 'churn', version: 2 });
    const promoted = await askUntil(stage, ({ state }) => ['baking', 'aborted', 'paused'].includes(state));
    assert.equal(promoted.state, 'baking', promoted.sentence);
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 2);

    await w.addVersion(3, 16, { fault: { kind: 'errors', share: 0.3 } });
    await deploy(w.deps, ACTOR, { model: 'churn', version: 3 });
    const aborted = await askUntil(stage, ({ state }) => ['baking', 'aborted', 'paused'].includes(state));
    assert.equal(aborted.state, 'aborted', aborted.sentence);
    assert.match(aborted.reason ?? '', /^v3 failed for/);
    assert.ok(await findHold(w.deps.registry, ACTOR.projectId, 'churn'));
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 2);
  } finally {
    await stage.close();
  }
});

interface Ran {
  readonly code: number;
  readonly out: {
    readonly ok: boolean;
    readonly schema?: string;
    readonly data?: never;
    readonly error?: { readonly message: string };
  };
}

/** A verb as a person types it, with --json. */
function levain(url: string, ...args: readonly string[]): Promise<Ran> {
  const entry = join(import.meta.dirname, '../cli/entry.ts');
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [entry, ...args, '--url', url, '--json'], (error, stdout) => {
      try {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: JSON.parse(stdout) });
      } catch (cause) {
        reject(new Error(`levain ${args.join(' ')} printed no JSON: ${stdout} ${error?.message}`, { cause }));
      }
    });
  });
}

test('the verbs deploy, predict, predictions, rollout, fallback and rollback work over HTTP', async () => {
  const stage = await open();
  const { w, gateway, url } = stage;
  const row = JSON.stringify({ x0: 0.1, x1: 0.2, x2: 0.3 });
  try {
    await w.addVersion(1, 7);
    assert.equal((await levain(url, 'deploy', 'churn')).code, 2, 'asks before it changes traffic');
    assert.equal((await levain(url, 'deploy', 'churn', '--yes', '--wait')).code, 0);
    await waitFor('v1', async () => assert.equal((await ask(gateway)).status, 200));
    const asked = await levain(url, 'predict', 'churn', '--row', row);
    assert.deepEqual([asked.code, asked.out.schema], [0, 'prediction/1'], JSON.stringify(asked.out));
    assert.equal((await levain(url, 'predict', 'churn', '--row', '{"x0": "a"}')).code, 1);
    await waitFor('the log', async () => {
      const { out } = await levain(url, 'predictions', 'churn');
      assert.ok((out.data as unknown as { items: unknown[] }).items.length >= 2);
    });
    assert.equal((await levain(url, 'fallback', 'churn', '--yes')).code, 0);
    const typo = await levain(url, 'fallback', 'churn', '--value', 'zork', '--yes');
    assert.deepEqual(
      [typo.code, (typo.out as { error?: { message: string } }).error?.message],
      [2, 'The fallback of "churn" is "zork"; churn answers 0 or 1: write one of them, or a probability from 0 to 1'],
    );
    assert.equal((await levain(url, 'fallback', 'churn', '--off', '--yes')).code, 0);
    await w.addVersion(2, 16);
    assert.equal((await levain(url, 'deploy', 'churn@v2', '--rollout', 'direct', '--yes', '--wait')).code, 0);
    assert.equal((await levain(url, 'rollout', 'churn')).code, 0);
    const planned = await levain(url, 'rollback', 'churn', '--dry-run');
    assert.match((planned.out.data as unknown as { sentence: string }).sentence, /^v2 → v1 \(last at 100 %, warm\)/);
    assert.equal((await levain(url, 'rollback', 'churn', '--yes')).code, 0);
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 1);
    assert.equal((await levain(url, 'deploy', 'churn@v2', '--yes')).code, 2, 'held');
    const falling = await levain(url, 'deploy', 'churn@v2', '--rollout', 'canary:50,10', '--dry-run');
    assert.match(JSON.stringify(falling.out), /must rise from step to step/);
    for (const verb of ['rollout', 'predictions']) assert.equal((await levain(url, verb, 'nobody')).code, 3, verb);
  } finally {
    await stage.close();
  }
});
