import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { getVersion } from '../../src/registry/index.ts';
import { getRun, listArtifacts, loggedModelsOfRun, runsOfAttempt } from '../../src/tracking/index.ts';
import { runPython, testPython } from '../support/python.ts';
import { LOCAL } from '../support/tracking.ts';
import { startTrackingServer, type TrackingServer } from '../support/tracking-server.ts';

const SCRIPT = join(import.meta.dirname, 'mlflow_workflow.py');
const python = await testPython(['mlflow==3.17.2', 'scikit-learn', 'pandas', 'skops', 'cloudpickle']);

describe('the unchanged mlflow 3 client', { skip: python ? false : 'uv could not install mlflow' }, () => {
  let server: TrackingServer;
  before(async () => {
    server = await startTrackingServer();
  });
  after(() => server.close());

  const workflow = async (
    parts: readonly string[],
    env: Record<string, string> = {},
  ): Promise<Record<string, string>> => {
    const out = await runPython(python!, [SCRIPT, ...parts], { MLFLOW_TRACKING_URI: server.url, ...env });
    return JSON.parse(out.trim().split('\n').at(-1)!) as Record<string, string>;
  };

  test('tracks, nests, batches, searches, and keeps files', async () => {
    const made = await workflow(['tracking', 'batches', 'artifacts', 'experiments']);
    const run = await getRun(server.deps, LOCAL, made['parent']!);
    assert.equal(run.name, 'parent');
    const files = await listArtifacts(server.deps, LOCAL.projectId, `${run.experimentId}/${made['files']}/artifacts`);
    assert.equal(files.find(({ path }) => path === 'folder/deep/er/blob.bin')?.sizeBytes, 3_000_000);
  });

  test('logs models in both formats and by autolog, and who logged which is known', async () => {
    const made = await workflow(['models']);
    const explicit = await loggedModelsOfRun(server.deps, LOCAL.projectId, made['explicit']!);
    assert.deepEqual(
      explicit.map(({ name, status, explicit: own }) => [name, status, own]),
      [
        ['model', 'READY', true],
        ['cloud', 'READY', true],
      ],
    );
    const files = await listArtifacts(server.deps, LOCAL.projectId, explicit[0]!.root!);
    assert.ok(files.some(({ path }) => path === 'MLmodel'));
    const auto = await loggedModelsOfRun(server.deps, LOCAL.projectId, made['autolog']!);
    assert.deepEqual(
      auto.map(({ name, status, explicit: own }) => [name, status, own]),
      [
        ['model', 'READY', false],
        ['best_estimator', 'READY', false],
        ['model', 'READY', true],
      ],
    );
    assert.equal(auto[2]?.modelId, made['mine']);
  });

  test('registers models, and its versions are versions like any other, with their files frozen', async () => {
    await workflow(['registry']);
    const version = await getVersion(server.deps, LOCAL, { model: 'iris', version: 'champion' });
    assert.equal(version.version, 2);
    assert.equal(version.state, 'external');
    assert.ok(version.facts.files.some(({ path }) => path === 'MLmodel'));
  });

  test('under a step token the runs belong to the attempt', async () => {
    const token = await server.stepToken('attempt-7');
    const made = await workflow(['tracking'], { MLFLOW_TRACKING_TOKEN: token });
    const runs = await runsOfAttempt(server.deps, LOCAL.projectId, 'attempt-7');
    assert.equal(runs.length, 4);
    assert.equal(runs[0]?.id, made['parent']);
  });
});
