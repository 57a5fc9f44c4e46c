import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import { LOCAL, trackingDeps } from '../../../test/support/tracking.ts';
import { createLoggedModel, getLoggedModel, listArtifacts, putArtifact } from '../../tracking/index.ts';
import { listModels } from '../index.ts';
import { insertVersion, takeVersionNumber } from '../versions.store.ts';
import { mlflowRegistry as registry } from './index.ts';
import type { EntryDeps } from './types.ts';

const external = async (deps: EntryDeps, name: string, source = 's3://bucket/model') =>
  registry.createVersion(deps, LOCAL, { name, source, tags: [] });

/** A row as a pipeline's registration writes it. */
async function registerByPipeline(deps: EntryDeps, name: string): Promise<number> {
  return deps.db.write(async (tx) => {
    const version = await takeVersionNumber(tx, LOCAL.projectId, name);
    await insertVersion(tx, {
      project_id: LOCAL.projectId,
      model: name,
      version,
      id: `${name}-${version}`,
      state: 'registered',
      identity: `${name}-${version}`,
      run_id: null,
      pipeline_run_id: null,
      created_at: deps.clock.now(),
      draft: 0,
      rehearsal: null,
      facts: '{"files":[]}',
      spec: null,
      profile: null,
      gate: null,
      approval: 'not_needed',
      decision: null,
    });
    return version;
  });
}

eachDatabase((_name, open) => {
  test('a model is made once, and seen by our own listing too', async () => {
    const deps = await trackingDeps(await open());
    await registry.createModel(deps, LOCAL, { name: 'm', description: 'd', tags: [{ key: 'a', value: 'b' }] });
    await assert.rejects(registry.createModel(deps, LOCAL, { name: 'm', tags: [] }), {
      code: 'conflict',
      message: 'Registered Model (name=m) already exists.',
    });
    const entry = await registry.getModel(deps, LOCAL, 'm');
    assert.deepEqual([entry.description, entry.tags], ['d', [{ key: 'a', value: 'b' }]]);
    assert.deepEqual(
      (await listModels(deps, LOCAL)).map(({ name }) => name),
      ['m'],
    );
    await assert.rejects(registry.getModel(deps, LOCAL, 'n'), { message: 'Registered Model with name=n not found' });
  });

  test('a version freezes the files of its logged model, and a later upload does not reach it', async () => {
    const deps = await trackingDeps(await open());
    const model = await createLoggedModel(deps, LOCAL, { experimentId: 0, name: 'lm', sourceRunId: 'r1' });
    await putArtifact(deps, LOCAL.projectId, model.root!, 'MLmodel', Buffer.from('one'));
    await registry.createModel(deps, LOCAL, { name: 'm', tags: [] });
    const version = await external(deps, 'm', `models:/${model.modelId}`);
    assert.deepEqual([version.version, version.runId, version.loggedModelId], [1, 'r1', model.modelId]);
    const [frozen] = await listArtifacts(deps, LOCAL.projectId, model.root!);
    await putArtifact(deps, LOCAL.projectId, model.root!, 'MLmodel', Buffer.from('two'));
    const uri = await registry.downloadUri(deps, LOCAL, { name: 'm', version: 1 });
    assert.equal(await registry.downloadUri(deps, LOCAL, { name: 'm', version: 1 }), uri);
    const files = await listArtifacts(deps, LOCAL.projectId, uri.replace('mlflow-artifacts:/', ''));
    assert.deepEqual(files, [frozen]);
    const { tags } = await getLoggedModel(deps, LOCAL, model.modelId);
    assert.equal(tags.find(({ key }) => key === 'mlflow.modelVersions')?.value, '[{"name":"m","version":1}]');
    const copy = await external(deps, 'm', 'models:/m/1');
    assert.equal(copy.version, 2);
  });

  test('version numbers are never used again, and aliases go with their version', async () => {
    const deps = await trackingDeps(await open());
    await registry.createModel(deps, LOCAL, { name: 'm', tags: [] });
    await external(deps, 'm');
    await external(deps, 'm');
    await registry.setModelAlias(deps, LOCAL, { name: 'm', version: 2, alias: 'best' });
    await registry.deleteVersion(deps, LOCAL, { name: 'm', version: 2 });
    await assert.rejects(registry.getVersionByAlias(deps, LOCAL, { name: 'm', alias: 'best' }), { code: 'invalid' });
    assert.equal((await external(deps, 'm')).version, 3);
    assert.equal((await registry.getVersionByAlias(deps, LOCAL, { name: 'm', alias: 'latest' })).version, 3);
    await assert.rejects(registry.deleteVersion(deps, LOCAL, { name: 'm', version: 2 }), {
      message: 'Model Version (name=m, version=2) not found',
    });
  });

  test('what a pipeline made is not deleted, renamed or given a champion through the protocol', async () => {
    const deps = await trackingDeps(await open());
    await registry.createModel(deps, LOCAL, { name: 'churn', tags: [] });
    const version = await registerByPipeline(deps, 'churn');
    const key = { name: 'churn', version };
    const refused = { code: 'precondition_failed' };
    await assert.rejects(registry.deleteVersion(deps, LOCAL, key), refused);
    await assert.rejects(registry.deleteModel(deps, LOCAL, 'churn'), refused);
    await assert.rejects(registry.renameModel(deps, LOCAL, { name: 'churn', newName: 'x' }), refused);
    await assert.rejects(registry.setModelAlias(deps, LOCAL, { ...key, alias: 'champion' }), refused);
    await registry.setModelAlias(deps, LOCAL, { ...key, alias: 'mine' });
    await registry.setVersionTag(deps, LOCAL, { ...key, tag: { key: 'a', value: 'b' } });
    assert.deepEqual((await registry.getVersionEntry(deps, LOCAL, key)).aliases, ['mine']);
  });

  test('stages move, and archive what was there', async () => {
    const deps = await trackingDeps(await open());
    await registry.createModel(deps, LOCAL, { name: 'm', tags: [] });
    await external(deps, 'm');
    await external(deps, 'm');
    for (const version of [1, 2]) {
      await registry.moveToStage(deps, LOCAL, { name: 'm', version, stage: 'Production', archiveOthers: true });
    }
    const latest = await registry.latestVersions(deps, LOCAL, { name: 'm', stages: [] });
    assert.deepEqual(
      latest.map(({ version, stage }) => [version, stage]),
      [
        [2, 'Production'],
        [1, 'Archived'],
      ],
    );
  });

  test('models and versions are searched, prompts only when asked for', async () => {
    const deps = await trackingDeps(await open());
    for (const name of ['a', 'b_1', 'prompt']) {
      const tags =
        name === 'prompt' ? [{ key: 'mlflow.prompt.is_prompt', value: 'true' }] : [{ key: 't', value: name }];
      await registry.createModel(deps, LOCAL, { name, tags });
      await external(deps, name);
    }
    const names = async (filter: string, orders: string[] = []): Promise<string> =>
      (await registry.searchModels(deps, LOCAL, { filter, orders, limit: 10 })).items.map(({ name }) => name).join(' ');
    assert.equal(await names(''), 'a b_1');
    assert.equal(await names('', ['name DESC']), 'b_1 a');
    assert.equal(await names("name ILIKE 'B%'"), 'b_1');
    assert.equal(await names("tags.t = 'a'"), 'a');
    assert.equal(await names("tag.`mlflow.prompt.is_prompt` != 'true'"), 'a b_1');
    assert.equal(await names("tag.`mlflow.prompt.is_prompt` = 'true'"), 'prompt');
    const versions = await registry.searchVersions(deps, LOCAL, {
      filter: "name IN ('a', 'b_1') AND version_number >= 1",
      orders: ['name DESC'],
      limit: 1,
    });
    assert.deepEqual(
      versions.items.map(({ name }) => name),
      ['b_1'],
    );
    assert.ok(versions.next);
    await assert.rejects(registry.searchModels(deps, LOCAL, { filter: 'metrics.a > 1', orders: [], limit: 1 }), {
      code: 'invalid',
    });
  });
});
