import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { eachDatabase, testDb } from '../../test/support/db.ts';
import { s3Missing, startS3 } from '../../test/support/s3.ts';
import { seededRandom, testClock } from '../../test/support/system.ts';
import { tempDir } from '../../test/support/temp.ts';
import { openFsObjects } from '../adapters/objects-fs/index.ts';
import { openS3Objects } from '../adapters/objects-s3/index.ts';
import { isAppError } from '../kernel/errors.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Db } from '../ports/db.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { createContent } from './index.ts';

const HOUR = 3_600_000;
const OWNER = { kind: 'test', id: '1' };
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function setUp(db: Db, objects?: ObjectStore) {
  const dir = tempDir();
  const store = objects ?? (await openFsObjects({ dir: join(dir, 'objects') }));
  const clock = testClock();
  const content = createContent({ db, objects: store, clock, random: seededRandom(), cacheDir: join(dir, 'cache') });
  const keys = async (): Promise<string[]> => {
    const found: string[] = [];
    for await (const { key } of store.list('')) found.push(key);
    return found;
  };
  return { db, content, clock, objects: store, keys, dir };
}

const notFound = (error: unknown): boolean => isAppError(error, 'not_found');

eachDatabase((_name, open) => {
  test('what is put reads back under its digest, from bytes, a stream and a file', async () => {
    const { content, dir, db } = await setUp(await open());
    const bytes = randomBytes(200_000);
    const path = join(dir, 'file');
    await writeFile(path, bytes);
    const refs = [
      await content.put(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)])),
      await content.put(bytes),
      await content.putFile(path),
    ];
    for (const ref of refs) assert.deepEqual(ref, { digest: sha256(bytes), sizeBytes: bytes.length });
    const { digest } = refs[0]!;
    assert.deepEqual(await buffer(await content.open(digest)), bytes);
    assert.deepEqual(await buffer(await content.open(digest, { start: 5, end: 9 })), bytes.subarray(5, 9));
    assert.deepEqual(Buffer.from(await content.bytes(digest, 200_000)), bytes);
    assert.deepEqual(await readFile(await content.localPath(digest)), bytes);
    assert.deepEqual(await content.find(digest), refs[0]);
    await db.close();
  });

  test('the same bytes are stored once, also when they come together', async () => {
    const { content, keys, db } = await setUp(await open());
    const bytes = randomBytes(1000);
    await Promise.all([1, 2, 3, 4].map((i) => content.put(i % 2 ? bytes : Readable.from([bytes]))));
    assert.equal((await keys()).length, 1);
    await db.close();
  });

  test('what was never put is not_found, and too much at once is too_large', async () => {
    const { content, db } = await setUp(await open());
    const nothing = 'a'.repeat(64);
    for (const call of [
      () => content.open(nothing),
      () => content.bytes(nothing, 1),
      () => content.localPath(nothing),
    ]) {
      await assert.rejects(call, notFound);
    }
    assert.equal(await content.find(nothing), undefined);
    const { digest } = await content.put(Buffer.from('abc'));
    await assert.rejects(content.bytes(digest, 2), (error) => isAppError(error, 'too_large'));
    await assert.rejects(
      db.write((tx) => content.reference(tx, OWNER, [digest, nothing])),
      notFound,
    );
    await db.close();
  });

  test('an upload that breaks off stores nothing', async () => {
    const { content, keys, db } = await setUp(await open());
    const broken = new Readable({ read() {} });
    broken.push('half');
    const putting = content.put(broken);
    setImmediate(() => broken.destroy());
    await assert.rejects(putting, /ended before its end/);
    assert.deepEqual(await keys(), []);
    await db.close();
  });

  test('content that nothing refers to goes a day after its pin has ended, and not before', async () => {
    const { content, clock, keys, db } = await setUp(await open());
    const { digest } = await content.put(Buffer.from('x'));
    clock.advance(23 * HOUR);
    assert.deepEqual(await content.collect(clock.now()), { marked: 0, deleted: 0, orphans: 0 });
    clock.advance(2 * HOUR);
    assert.deepEqual(await content.collect(clock.now()), { marked: 1, deleted: 0, orphans: 0 });
    clock.advance(23 * HOUR);
    assert.deepEqual(await content.collect(clock.now()), { marked: 0, deleted: 0, orphans: 0 });
    await buffer(await content.open(digest));
    clock.advance(2 * HOUR);
    assert.deepEqual(await content.collect(clock.now()), { marked: 0, deleted: 1, orphans: 0 });
    assert.deepEqual(await keys(), []);
    await assert.rejects(content.open(digest), notFound);
    await content.put(Buffer.from('x'));
    assert.equal((await buffer(await content.open(digest))).toString(), 'x');
    await db.close();
  });

  test('a reference keeps content for ever, and its release lets it go', async () => {
    const { content, clock, db } = await setUp(await open());
    const { digest } = await content.put(Buffer.from('x'));
    await db.write((tx) => content.reference(tx, OWNER, [digest, digest]));
    for (let day = 0; day < 5; day++) {
      clock.advance(25 * HOUR);
      assert.deepEqual(await content.collect(clock.now()), { marked: 0, deleted: 0, orphans: 0 });
    }
    await db.write((tx) => content.release(tx, OWNER));
    assert.equal((await content.collect(clock.now())).marked, 1);
    clock.advance(25 * HOUR);
    assert.equal((await content.collect(clock.now())).deleted, 1);
    await db.close();
  });

  test('a put or a reference clears the mark', async () => {
    const { content, clock, db } = await setUp(await open());
    const { digest } = await content.put(Buffer.from('x'));
    const other = await content.put(Buffer.from('y'));
    clock.advance(25 * HOUR);
    assert.equal((await content.collect(clock.now())).marked, 2);
    clock.advance(20 * HOUR);
    await content.put(Buffer.from('x'));
    await db.write((tx) => content.reference(tx, OWNER, [other.digest]));
    clock.advance(5 * HOUR);
    assert.deepEqual(await content.collect(clock.now()), { marked: 0, deleted: 0, orphans: 0 });
    await buffer(await content.open(digest));
    await db.close();
  });

  test('a reference that is rolled back holds nothing', async () => {
    const { content, clock, db } = await setUp(await open());
    const { digest } = await content.put(Buffer.from('x'));
    const failing = db.write(async (tx) => {
      await content.reference(tx, OWNER, [digest]);
      throw new Error('no');
    });
    await assert.rejects(failing);
    clock.advance(25 * HOUR);
    assert.equal((await content.collect(clock.now())).marked, 1);
    await db.close();
  });

  test('objects of uploads that never ended go after two days', async () => {
    const { content, clock, objects, keys, db } = await setUp(await open());
    await content.put(Buffer.from('x'));
    await objects.putIfAbsent(`content/00/${uuidv7(clock.now())}`, Buffer.from('half'));
    assert.equal((await content.collect(clock.now())).orphans, 0);
    clock.advance(49 * HOUR);
    assert.equal((await content.collect(clock.now())).orphans, 1);
    assert.equal((await keys()).length, 1);
    await db.close();
  });
});

test('bytes that were damaged on disk are refused, not returned', async () => {
  const { content, db } = await setUp(await testDb());
  const { digest } = await content.put(Buffer.from('abc'));
  const path = await content.localPath(digest);
  await rm(path);
  await writeFile(path, 'abd');
  await assert.rejects(content.bytes(digest, 10), /damaged/);
  await db.close();
});

describe('over S3', { skip: s3Missing() ?? false }, () => {
  test('localPath is a checked copy that is made once', async () => {
    const objects = await openS3Objects(await startS3());
    const { content, db, dir } = await setUp(await testDb(), objects);
    const bytes = randomBytes(100_000);
    const { digest } = await content.put(Readable.from([bytes]));
    const [one, two] = await Promise.all([content.localPath(digest), content.localPath(digest)]);
    assert.equal(one, two);
    assert.deepEqual(await readFile(one!), bytes);
    await rm(one!);
    await writeFile(one!, 'short');
    assert.deepEqual(await readFile(await content.localPath(digest)), bytes);
    await rm(join(dir, 'cache'), { recursive: true });
    assert.deepEqual(await readFile(await content.localPath(digest)), bytes);
    await db.close();
  });
});
