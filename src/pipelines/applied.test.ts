import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDb } from '../../test/support/db.ts';
import { applyFolder, closePipelines, pipelinesDeps, projectFolder, sourceOf } from '../../test/support/pipelines.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import { listActivity } from '../identity/index.ts';
import { appliedFile, applyProject, differences, type PipelinesDeps, snapshotDigest } from './index.ts';

let deps: PipelinesDeps;
before(async () => {
  deps = await pipelinesDeps(await testDb());
});
after(async () => {
  await closePipelines(deps);
  await deps.db.close();
});

const YAML = 'name: one\nparams: { rate: 0.1 }\nsteps: { a: { run: "true", timeout: 30m } }\n';

test('what is applied is read back, with its difference told in the words of the file', async () => {
  const folder = await projectFolder({ 'levain.yaml': YAML });
  const first = await applyFolder(deps, folder);
  assert.equal(first.applied, true);
  assert.equal((await applyFolder(deps, folder)).applied, false, 'the same again changes nothing');
  const source = await sourceOf(deps, folder);
  const text = YAML.replace('30m', '1h').replace('0.1', '0.2');
  const dry = await applyProject(deps, LOCAL, { ...source, text, dryRun: true });
  assert.deepEqual(dry.changes, [
    { key: 'params.rate', before: '0.1', after: '0.2' },
    { key: 'steps.a.timeout', before: '30m', after: '1h' },
  ]);
  assert.equal((await appliedFile(deps, LOCAL.projectId, 'one'))?.file.params['rate'], 0.1);
  const activity = await listActivity(deps.identity, LOCAL, { limit: 10 });
  assert.match(activity.items[0]?.sentence ?? '', /one applied by local: for the first time/);
});

test('comments and order change nothing', () => {
  assert.deepEqual(differences(YAML, `# why\n${YAML}`), []);
});

test('a snapshot must be what it claims, uploaded, and inside the project', async () => {
  const folder = await projectFolder({ 'levain.yaml': YAML.replace('one', 'two'), 'a.py': '1' });
  const source = await sourceOf(deps, folder);
  const apply = (sourceManifest: typeof source.sourceManifest, sourceDigest = snapshotDigest(sourceManifest)) =>
    applyProject(deps, LOCAL, { ...source, sourceManifest, sourceDigest });
  const [a, b] = [source.sourceManifest[0]!, source.sourceManifest[1]!];
  await assert.rejects(apply([a, b], 'a'.repeat(64)), { code: 'invalid', message: /The snapshot's digest is/ });
  await assert.rejects(apply([{ ...a, path: '../../etc/passwd' }]), {
    message: /write a plain path inside the project/,
  });
  await assert.rejects(apply([{ ...a, path: '/etc/passwd' }]), { message: /write a plain path inside the project/ });
  await assert.rejects(apply([a, a]), { message: /names a\.py twice/ });
  await assert.rejects(apply([{ ...a, sizeBytes: 2 ** 30 }]), { code: 'too_large', message: /\.levainignore/ });
  await assert.rejects(apply([{ ...a, digest: 'b'.repeat(64) }]), {
    code: 'precondition_failed',
    message: /were not uploaded/,
  });
  await assert.rejects(applyProject(deps, LOCAL, { text: source.text, folder, sourceDigest: 'c'.repeat(64) }), {
    message: /send its manifest/,
  });
});

test('keys that are not built yet are refused when they are applied', async () => {
  const folder = await projectFolder({
    'levain.yaml': 'name: w\nsteps: { a: { run: "true", when: branch == "main" } }\n',
  });
  await assert.rejects(applyFolder(deps, folder), { code: 'invalid', message: /steps\.a\.when is not built yet/ });
});
