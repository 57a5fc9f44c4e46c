import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { testDb } from '../../test/support/db.ts';
import { waitFor } from '../../test/support/ports.ts';
import { ACTOR, createWorld, type World } from '../../test/support/serving-world.ts';
import { tempDir } from '../../test/support/temp.ts';
import { createPredictionCaller } from '../adapters/gateway-http/index.ts';
import { createNotifier, systemClock, systemRandom } from '../adapters/system/index.ts';
import type { Contributions } from '../engines/contributions.ts';
import { ENGINE_FORMAT } from '../engines/index.ts';
import { type Gateway, startGateway } from '../gateway/gateway.ts';
import { createBus, createHttpServer } from '../http/index.ts';
import { createAuthenticator, identityRoutes, issueGatewayToken } from '../identity/index.ts';
import { findHold, registryRoutes, resume } from '../registry/index.ts';
import {
  countersOf,
  deploy,
  gatewayRoutes,
  getEndpoint,
  lastRequests,
  servingRoutes,
  startServingWork,
} from '../serving/index.ts';
import { listIncidents } from './incidents/incidents.ts';
import { onRolledBack } from './incidents/subscriptions.ts';
import type { RehearsalView } from './rehearsals/rehearsals.ts';
import { monitoringRoutes } from './routes.ts';
import { createMonitoringRuntime } from './runtime.ts';
import type { MonitoringDeps } from './types.ts';
import { startMonitoringWork } from './work.ts';

interface Stage {
  readonly w: World;
  readonly deps: MonitoringDeps;
  readonly gateway: Gateway;
  readonly url: string;
  close(): Promise<void>;
}

/** Control plane over HTTP with monitoring at work, and a real gateway that dials it. */
async function open(): Promise<Stage> {
  const dir = tempDir();
  const clock = systemClock;
  const random = systemRandom;
  const w = await createWorld(await testDb(), dir, clock);
  w.section = { ...w.section, eventTime: 'server' };
  const token = await issueGatewayToken(w.deps.identity);
  const log = { ...w.deps.log, warn: () => {} };
  const secrets = { find: async () => undefined };
  let gateway: Gateway | undefined;
  const deps: MonitoringDeps = {
    ...w.deps,
    serving: w.deps,
    data: w.deps as never,
    pipelines: { db: w.deps.db },
    notifier: createNotifier({ clock, log, secrets }),
    secrets,
    caller: createPredictionCaller({ url: () => gateway?.url, token: async () => token }),
    serverUrl: () => '',
    runtime: createMonitoringRuntime(clock.now()),
  };
  w.deps.outbox.subscribe('monitoring', 'serving.rolled_back', (event) => onRolledBack(deps, event));
  const registry = w.deps.registry as never;
  const http = createHttpServer({
    routes: [
      ...servingRoutes(w.deps),
      ...gatewayRoutes(w.deps),
      ...registryRoutes(registry),
      ...identityRoutes(w.deps.identity, createAuthenticator(w.deps.identity)),
      ...monitoringRoutes(deps),
    ],
    authenticator: createAuthenticator(w.deps.identity),
    bus: createBus(),
    clock,
    random,
    log,
    host: '127.0.0.1',
    version: '0',
  });
  const port = await http.listen(0);
  const outbox = w.deps.outbox.start();
  const works = [startServingWork(w.deps), startMonitoringWork(deps)];
  gateway = await startGateway({
    dir: join(dir, 'gateway'),
    host: '127.0.0.1',
    port: 0,
    version: '0',
    serverUrl: async () => `http://127.0.0.1:${port}`,
    token: async () => token,
    formats: [ENGINE_FORMAT],
    clock,
    random,
    log: { ...log, error: () => {} },
    workers: w.deps.registry.workers,
  });
  const running = gateway;
  return {
    w,
    deps,
    gateway: running,
    url: `http://127.0.0.1:${port}`,
    async close() {
      await Promise.all(works.map((work) => work.stop()));
      await running.close();
      await outbox;
      await w.deps.outbox.stop();
      await http.close();
      await w.deps.db.close();
    },
  };
}

async function ask(gateway: Gateway): Promise<{ readonly status: number; readonly id: string }> {
  const inputs = ['x0', 'x1', 'x2'].map((name) => ({ name, shape: [1], datatype: 'FP64', data: [Math.random()] }));
  const response = await fetch(`${gateway.url}/v2/models/churn/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
  await response.arrayBuffer();
  return { status: response.status, id: response.headers.get('levain-prediction-ids') ?? '' };
}

interface Ran {
  readonly code: number;
  readonly out: { readonly ok: boolean; readonly data: unknown; readonly error?: { readonly message: string } };
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

test('with a real gateway both rehearsals tell what happened, leave real windows alone, and the verbs show it', async () => {
  const stage = await open();
  const { w, deps, gateway, url } = stage;
  try {
    await w.addVersion(1, 7);
    await deploy(w.deps, ACTOR, { model: 'churn' });
    await waitFor('v1', async () => assert.equal((await ask(gateway)).status, 200));
    const asked = [];
    for (let i = 0; i < 40; i++) asked.push(...(await Promise.all(Array.from({ length: 10 }, () => ask(gateway)))));
    const logged = { projectId: ACTOR.projectId, endpoint: 'churn', n: 1_000 };
    await waitFor('the log', async () => assert.ok((await lastRequests(w.deps, logged)).rows.rowCount >= 400));
    await waitFor('the rollout', async () =>
      assert.ok([null, 'baking'].includes((await getEndpoint(w.deps, ACTOR, 'churn')).rollout?.state ?? null)),
    );

    const file = join(tempDir(), 'labels.csv');
    writeFileSync(file, `prediction_id,value\n${asked.map(({ id }, i) => `${id},${i % 2}`).join('\n')}\n`);
    const labels = await levain(url, 'labels', 'send', file);
    assert.deepEqual(
      [labels.code, (labels.out.data as { created: number }).created],
      [0, 400],
      JSON.stringify(labels.out),
    );
    assert.equal((await levain(url, 'labels', 'status', 'churn')).code, 0);

    const real = async () =>
      JSON.stringify(await countersOf(w.deps, { projectId: ACTOR.projectId, endpoint: 'churn', from: 0, to: 1e15 }));
    const before = await real();
    const units = await levain(url, 'rehearse', 'unit-change', 'churn', '--column', 'x1', '--factor', '1.609344');
    const told = units.out.data as RehearsalView;
    assert.equal(units.code, 0, JSON.stringify(units.out));
    assert.match(told.report.sentence, /^alarm after \d+ of \d+ rows with x1 ×1\.609344: DATA broken since/);
    assert.ok(
      told.report.lines.some((line) => /by the end: x1 ×1\.61 in all 4\d\d rows/.test(line)),
      told.report.lines.join('\n'),
    );

    const broken = await levain(url, 'rehearse', 'broken-model', 'churn', '--fault', 'errors', '--share', '0.4');
    const back = broken.out.data as RehearsalView;
    assert.equal(back.state, 'done', back.report.sentence);
    assert.match(back.report.sentence, /^v\d+ \(fails on 40 % of the rows\) was rolled back by itself after/);
    assert.ok(back.report.rollbackReason);
    assert.ok(
      back.report.acted.some((line) => line.startsWith('churn is HELD')),
      back.report.acted.join('\n'),
    );
    assert.ok(await findHold(w.deps.registry, ACTOR.projectId, 'churn'));
    assert.equal((await getEndpoint(w.deps, ACTOR, 'churn')).champion, 1);
    assert.equal(await real(), before);

    const { items } = await listIncidents(deps, ACTOR, { limit: 10 });
    assert.deepEqual(
      items.map(({ cause, rehearsal }) => [cause, rehearsal !== null]),
      [
        ['rolled_back', true],
        ['broken', true],
      ],
    );
    const number = String(items[0]!.number);
    assert.equal((await levain(url, 'alerts', 'churn')).code, 0);
    assert.equal((await levain(url, 'monitor', 'churn', '--features')).code, 0);
    for (const id of [number, 'churn@v1', asked[0]!.id, back.id, back.rollout!])
      assert.equal((await levain(url, 'why', id)).code, 0, id);
    assert.equal((await levain(url, 'why', 'nothing')).code, 3);
    assert.equal((await levain(url, 'ack', number)).code, 0);
    assert.equal((await levain(url, 'ack', number)).code, 5);
    await resume(w.deps.registry as never, ACTOR, { model: 'churn' });
    await waitFor('the incident to end', async () =>
      assert.equal((await listIncidents(deps, ACTOR, { limit: 1 })).items[0]!.state, 'resolved'),
    );
    const constant = await levain(url, 'rehearse', 'broken-model', 'churn');
    assert.match(
      (constant.out.data as RehearsalView).report.sentence,
      /\(always answers 0\.\d+\) was rolled back by itself/,
    );
    await resume(w.deps.registry as never, ACTOR, { model: 'churn' });
    const slow = await levain(url, 'rehearse', 'slow-model', 'churn');
    assert.match(
      (slow.out.data as RehearsalView).report.sentence,
      /\(answers \d{3,} ms later\) was rolled back by itself after [\d,]+ requests: v\d+ takes [\d,.]+ ms at the median, v1 /,
    );
    const explained = await levain(url, 'why', asked[0]!.id);
    const { data } = explained.out.data as { data: { contributions: Contributions } };
    assert.equal(data.contributions.features.length, 3);
  } finally {
    await stage.close();
  }
});
