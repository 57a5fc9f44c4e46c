import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import { ACTOR, createMonitoringWorld } from '../../../test/support/monitoring-world.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { listActivity } from '../../identity/index.ts';
import { putFileText, putPipeline } from '../../pipelines/files.store.ts';
import type { MonitoringDeps } from '../types.ts';
import { listNotifiers, testNotifier } from './notifiers.ts';

const FILE = `name: churn
steps: { train: { run: python train.py } }
monitor: { to: { page: oncall, ticket: team } }
notify: { oncall: { webhook: $ONCALL_URL }, team: { webhook: "http://127.0.0.1:9/hook?token=secret" } }
`;

eachDatabase((_name, open) => {
  async function applied(secrets: Readonly<Record<string, string>>) {
    const w = await createMonitoringWorld(await open(), tempDir());
    const row = { project_id: ACTOR.projectId, digest: 'f', text: FILE, created_at: 1 };
    await w.deps.db.write(async (tx) => {
      await putFileText(tx, row);
      await putPipeline(tx, {
        project_id: ACTOR.projectId,
        name: 'churn',
        file_digest: 'f',
        source_digest: 's',
        folder: '/churn',
        generation: 1,
        applied_at: 1,
        applied_by: 'ann',
      });
    });
    const deps: MonitoringDeps = { ...w.deps, secrets: { find: async (name) => secrets[name] } };
    return { w, deps };
  }

  test('targets are listed with what they get and whether they can be written to, never with their address', async () => {
    const { deps } = await applied({});
    const found = await listNotifiers(deps, ACTOR);
    assert.deepEqual(found, [
      { pipeline: 'churn', name: 'oncall', kind: 'webhook', secret: 'ONCALL_URL', isSet: false, gets: ['page'] },
      { pipeline: 'churn', name: 'team', kind: 'webhook', secret: null, isSet: true, gets: ['ticket'] },
    ]);
    assert.doesNotMatch(JSON.stringify(found), /token/);
  });

  test('a test message says that it is one, names its sender and stands in the timeline', async () => {
    const { deps, w } = await applied({ ONCALL_URL: 'http://127.0.0.1:9/' });
    const sent: unknown[] = [];
    const notifier = { send: async (target: unknown, message: unknown) => void sent.push(target, message) };
    await testNotifier({ ...deps, notifier }, ACTOR, { pipeline: 'churn', name: 'oncall' });
    const [target, message] = sent as [{ address: string }, { title: string; text: string; severity: string }];
    assert.equal(target.address, 'http://127.0.0.1:9/');
    assert.equal(message.severity, 'info');
    assert.match(message.text, new RegExp(`Sent by ${ACTOR.user}`));
    const [line] = (await listActivity(w.deps.identity, ACTOR, { limit: 1 })).items;
    assert.match(line!.sentence, /sent a test message to oncall \(webhook\) of churn/);
  });

  test('without its secret, or of another name, nothing is sent and it says why', async () => {
    const { deps } = await applied({});
    await assert.rejects(testNotifier(deps, ACTOR, { pipeline: 'churn', name: 'oncall' }), {
      code: 'precondition_failed',
      message: /secret ONCALL_URL, which is not set/,
    });
    await assert.rejects(testNotifier(deps, ACTOR, { pipeline: 'churn', name: 'pager' }), { code: 'not_found' });
  });
});
