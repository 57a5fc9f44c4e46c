import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { eachDatabase } from '../../test/support/db.ts';
import { LOCAL, trackingDeps } from '../../test/support/tracking.ts';
import {
  deleteArtifacts,
  listArtifactFolder,
  listArtifacts,
  openArtifact,
  parseArtifactPath,
  putArtifact,
} from './index.ts';

const P = LOCAL.projectId;
const bytes = (value: string): Buffer => Buffer.from(value);

test('paths that leave the tree, or could, are refused', () => {
  for (const path of [
    '../a',
    'a/../b',
    '/a',
    'a//b',
    'a/./b',
    'a\\b',
    'a%2fb',
    'a/%2e%2e/b',
    'C:/a',
    'a\u0000b',
    'a#b',
  ]) {
    assert.throws(() => parseArtifactPath(path), { message: 'Invalid path' }, path);
  }
  assert.equal(parseArtifactPath('1/ab/artifacts/my model/é.txt'), '1/ab/artifacts/my model/é.txt');
});

eachDatabase((_name, open) => {
  test('what is put is read back, whole and in part, and may be replaced', async () => {
    const deps = await trackingDeps(await open());
    await putArtifact(deps, P, '', '1/r1/artifacts/a/b.txt', bytes('first'));
    const put = await putArtifact(deps, P, '1/r1/artifacts', 'a/b.txt', bytes('hello world'));
    const { artifact, open: read } = await openArtifact(deps, P, '1/r1/artifacts', 'a/b.txt');
    assert.deepEqual(artifact, { path: 'a/b.txt', digest: put.digest, sizeBytes: 11 });
    assert.equal(await text(await read()), 'hello world');
    assert.equal(await text(await read({ start: 6, end: 9 })), 'wor');
    await assert.rejects(openArtifact(deps, P, '1/r1/artifacts', 'a'), { code: 'not_found' });
  });

  test('a folder lists its files and folders, at every height of the tree', async () => {
    const deps = await trackingDeps(await open());
    for (const path of ['m/MLmodel', 'm/data/x.bin', 'm0', 'z.txt']) {
      await putArtifact(deps, P, '1/r1/artifacts', path, bytes(path));
    }
    await putArtifact(deps, P, '1/models/m-1/artifacts', 'MLmodel', bytes('x'));
    const names = async (folder: string): Promise<string> =>
      (await listArtifactFolder(deps, P, folder)).map(({ name, isFolder }) => (isFolder ? `${name}/` : name)).join(' ');
    assert.equal(await names('1/r1/artifacts'), 'm/ m0 z.txt');
    assert.equal(await names('1/r1/artifacts/m'), 'MLmodel data/');
    assert.equal(await names('1/r1/artifacts/none'), '');
    assert.equal(await names('1'), 'models/ r1/');
    assert.equal(await names('1/models'), 'm-1/');
    assert.equal(await names('1/r1'), 'artifacts/');
    const tree = await listArtifacts(deps, P, '1/r1/artifacts/m');
    assert.deepEqual(
      tree.map(({ path }) => path),
      ['MLmodel', 'data/x.bin'],
    );
  });

  test('a file or a whole folder can be deleted, and projects do not meet', async () => {
    const deps = await trackingDeps(await open());
    for (const path of ['m/a', 'm/b', 'ma']) await putArtifact(deps, P, '1/r1/artifacts', path, bytes(path));
    await deleteArtifacts(deps, P, '1/r1/artifacts/m');
    assert.deepEqual(
      (await listArtifacts(deps, P, '1/r1/artifacts')).map(({ path }) => path),
      ['ma'],
    );
    await assert.rejects(openArtifact(deps, 'other-project', '1/r1/artifacts', 'ma'), { code: 'not_found' });
    await assert.rejects(deleteArtifacts(deps, P, ''), { code: 'invalid' });
  });
});
