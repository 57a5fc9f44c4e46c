import assert from 'node:assert/strict';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { s3Missing, startS3 } from '../../../test/support/s3.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { isAppError } from '../../kernel/errors.ts';
import type { Source } from '../../ports/source.ts';
import { globToRegExp } from './globs.ts';
import { createSources } from './index.ts';

const read = async (source: Source, name: string): Promise<string> =>
  (await buffer(await source.open(name))).toString();

const names = async (source: Source): Promise<string[]> => (await source.list()).map(({ name }) => name);

async function folder(files: readonly string[]): Promise<string> {
  const base = tempDir();
  for (const file of files) {
    await mkdir(join(base, file, '..'), { recursive: true });
    await writeFile(join(base, file), file);
  }
  return base;
}

const FILES = [
  'churn.csv',
  'outcomes/b.csv',
  'outcomes/a.csv',
  'outcomes/deep/c.csv',
  'outcomes/.hidden.csv',
  'outcomes/n.txt',
];

test('a file, a folder and a glob are listed by name and read', async () => {
  const base = await folder(FILES);
  const { resolve } = createSources();
  const one = resolve('churn.csv', base);
  assert.deepEqual(await names(one), ['churn.csv']);
  assert.equal(await read(one, 'churn.csv'), 'churn.csv');
  assert.equal(one.localPath?.('churn.csv'), join(base, 'churn.csv'));
  const some = resolve('outcomes/*.csv', base);
  assert.deepEqual(await names(some), ['a.csv', 'b.csv']);
  assert.equal(await read(some, 'b.csv'), 'outcomes/b.csv');
  assert.equal(some.localPath?.('b.csv'), join(base, 'outcomes/b.csv'));
  const all = resolve('outcomes', base);
  assert.equal(all.localPath?.('a.csv'), join(base, 'outcomes/a.csv'));
  assert.deepEqual(await names(all), ['a.csv', 'b.csv', 'deep/c.csv', 'n.txt']);
  assert.equal(await read(all, 'deep/c.csv'), 'outcomes/deep/c.csv');
  assert.deepEqual(await names(resolve('**/*.csv', base)), [
    'churn.csv',
    'outcomes/a.csv',
    'outcomes/b.csv',
    'outcomes/deep/c.csv',
  ]);
  assert.deepEqual(await names(resolve(join(base, 'churn.csv'), '/elsewhere')), ['churn.csv']);
});

test('the stamp changes with the bytes or their time, and with nothing else', async () => {
  const base = await folder(['a.csv']);
  const source = createSources().resolve('a.csv', base);
  const stamp = async (): Promise<string> => (await source.list())[0]!.stamp;
  const first = await stamp();
  assert.equal(await stamp(), first);
  await utimes(join(base, 'a.csv'), 1, 1);
  const second = await stamp();
  assert.notEqual(second, first);
  await writeFile(join(base, 'a.csv'), 'longer than before');
  await utimes(join(base, 'a.csv'), 1, 1);
  assert.notEqual(await stamp(), second);
});

test('nothing there is not_found, an unknown scheme and a name that leaves the source are invalid', async () => {
  const base = await folder(['a/x.csv', 'secret']);
  const { resolve } = createSources();
  for (const from of ['none.csv', 'none/*.csv', 'a/x.csv/y']) {
    await assert.rejects(
      resolve(from, base).list(),
      (error) => isAppError(error, 'not_found') && error.message.includes(from),
      from,
    );
  }
  assert.throws(
    () => resolve('ftp://host/file', base),
    (error) => isAppError(error, 'invalid'),
  );
  await assert.rejects(resolve('a/*', base).open('../secret'), (error) => isAppError(error, 'invalid'));
  await assert.rejects(resolve('a/*', base).open('gone.csv'), (error) => isAppError(error, 'not_found'));
});

test('a file over HTTP has the size and etag that its server gives', async (t) => {
  const server = createServer((request, response) => {
    if (request.url !== '/data/churn.csv') return response.writeHead(request.url === '/broken' ? 503 : 404).end();
    response.writeHead(200, { etag: '"v1"', 'content-length': 5 });
    return response.end(request.method === 'HEAD' ? undefined : 'a,b,c');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  const { resolve } = createSources();
  const source = resolve(`${url}/data/churn.csv`, '/');
  assert.deepEqual(await source.list(), [{ name: 'churn.csv', sizeBytes: 5, stamp: '"v1"' }]);
  assert.equal(await read(source, 'churn.csv'), 'a,b,c');
  await assert.rejects(resolve(`${url}/none`, '/').list(), (error) => isAppError(error, 'not_found'));
  await assert.rejects(resolve(`${url}/broken`, '/').list(), (error) => isAppError(error, 'unavailable'));
});

test('globs: what they match and what not', () => {
  const cases: readonly [string, string, boolean][] = [
    ['*.csv', 'a.csv', true],
    ['*.csv', 'a/b.csv', false],
    ['*.csv', 'axcsv', false],
    ['**/*.csv', 'b.csv', true],
    ['**/*.csv', 'a/b/c.csv', true],
    ['a/**', 'a/b/c', true],
    ['a?.csv', 'ab.csv', true],
    ['a?.csv', 'a/.csv', false],
    ['a[12].csv', 'a2.csv', true],
    ['a[!12].csv', 'a2.csv', false],
    ['a+(1).csv', 'a+(1).csv', true],
  ];
  for (const [pattern, path, expected] of cases)
    assert.equal(globToRegExp(pattern).test(path), expected, `${pattern} ${path}`);
});

describe('over S3', { skip: s3Missing() ?? false }, () => {
  test('an object, a folder and a glob are listed by name and read', async () => {
    const { url, ...options } = await startS3();
    const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3');
    const client = new S3Client({ ...options, forcePathStyle: true });
    const Bucket = url.slice('s3://'.length);
    for (const Key of ['scores/b.csv', 'scores/a.csv', 'scores/deep/c.csv', 'scores-old/d.csv', 'scores/a.csv.bak']) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    }
    client.destroy();
    const { resolve } = createSources({ s3: options });
    const some = resolve(`${url}/scores/*.csv`, '/');
    assert.deepEqual(await names(some), ['a.csv', 'b.csv']);
    assert.equal(await read(some, 'a.csv'), 'scores/a.csv');
    assert.deepEqual(await names(resolve(`${url}/scores/a.csv`, '/')), ['a.csv']);
    assert.deepEqual(await names(resolve(`${url}/scores/`, '/')), ['a.csv', 'a.csv.bak', 'b.csv', 'deep/c.csv']);
    await assert.rejects(resolve(`${url}/none/*`, '/').list(), (error) => isAppError(error, 'not_found'));
    await assert.rejects(resolve('s3://no-such-bucket/x', '/').list(), (error) => isAppError(error, 'not_found'));
  });
});
