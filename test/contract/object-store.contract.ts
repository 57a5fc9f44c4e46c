import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { isAppError } from '../../src/kernel/errors.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';

/** What `ObjectStore` promises, as tests. `open` answers an empty store. */
export function describeObjectStore(open: () => Promise<ObjectStore>): void {
  test('an object reads back as it was put, from bytes and from a stream', async () => {
    const store = await open();
    const bytes = randomBytes(100_000);
    assert.equal(await store.putIfAbsent('a/bytes', bytes), true);
    assert.equal(await store.putIfAbsent('a/stream', Readable.from(chunks(bytes, 777))), true);
    for (const key of ['a/bytes', 'a/stream']) {
      assert.deepEqual(await buffer(await store.get(key)), bytes);
      assert.deepEqual(await store.head(key), { key, sizeBytes: bytes.length });
    }
  });

  test('a stream of several parts reads back whole', async () => {
    const store = await open();
    const part = randomBytes(2 ** 20);
    await store.putIfAbsent('large', Readable.from(Array.from({ length: 37 }, () => part)));
    const expected = createHash('sha256');
    for (let i = 0; i < 37; i++) expected.update(part);
    const actual = createHash('sha256');
    for await (const chunk of await store.get('large')) actual.update(chunk as Uint8Array);
    assert.equal(actual.digest('hex'), expected.digest('hex'));
  });

  test('an empty object is an object', async () => {
    const store = await open();
    assert.equal(await store.putIfAbsent('empty', new Uint8Array(0)), true);
    assert.equal(await store.putIfAbsent('empty-stream', Readable.from([])), true);
    assert.equal((await buffer(await store.get('empty'))).length, 0);
    assert.equal((await store.head('empty-stream')).sizeBytes, 0);
  });

  test('a put on a key that exists changes nothing and answers false', async () => {
    const store = await open();
    await store.putIfAbsent('key', Buffer.from('first'));
    assert.equal(await store.putIfAbsent('key', Buffer.from('second')), false);
    assert.equal(await store.putIfAbsent('key', Readable.from([Buffer.from('third')])), false);
    assert.equal((await buffer(await store.get('key'))).toString(), 'first');
  });

  test('of puts that come together on one key, one wins', async () => {
    const store = await open();
    const answers = await Promise.all([1, 2, 3, 4].map((i) => store.putIfAbsent('key', Buffer.from(String(i)))));
    assert.equal(answers.filter(Boolean).length, 1);
    const winner = answers.indexOf(true) + 1;
    assert.equal((await buffer(await store.get('key'))).toString(), String(winner));
  });

  test('a stream that fails leaves no object', async () => {
    const store = await open();
    const failing = Readable.from(
      (function* () {
        yield Buffer.from('half');
        throw new Error('the client went away');
      })(),
    );
    await assert.rejects(store.putIfAbsent('key', failing));
    await assert.rejects(store.head('key'), (error) => isAppError(error, 'not_found'));
    assert.deepEqual(await keys(store, ''), []);
  });

  test('ranges end before their end, and beyond the object they are invalid', async () => {
    const store = await open();
    await store.putIfAbsent('key', Buffer.from('0123456789'));
    const read = async (start: number, end?: number): Promise<string> =>
      (await buffer(await store.get('key', end === undefined ? { start } : { start, end }))).toString();
    assert.equal(await read(0, 1), '0');
    assert.equal(await read(3, 7), '3456');
    assert.equal(await read(8), '89');
    assert.equal(await read(0, 10), '0123456789');
    assert.equal(await read(4, 4), '');
    for (const [start, end] of [[0, 11], [11], [12, 13], [5, 4]] as const) {
      await assert.rejects(read(start, end), (error) => isAppError(error, 'invalid'), `${start}-${end}`);
    }
  });

  test('what is not there is not_found, and deleting it is fine', async () => {
    const store = await open();
    for (const call of [() => store.get('no/such'), () => store.head('no/such')]) {
      await assert.rejects(call, (error) => isAppError(error, 'not_found'));
    }
    await store.delete('no/such');
  });

  test('a deleted object is gone and its key is free', async () => {
    const store = await open();
    await store.putIfAbsent('key', Buffer.from('1'));
    await store.delete('key');
    await assert.rejects(store.head('key'), (error) => isAppError(error, 'not_found'));
    assert.equal(await store.putIfAbsent('key', Buffer.from('2')), true);
  });

  test('a listing is complete, in key order, with sizes', async () => {
    const store = await open();
    const all = ['a/b', 'a-b', 'a.b', 'a0', 'ab/c/d', 'ab/c-d', 'b', 'a/c'];
    for (const key of all) await store.putIfAbsent(key, Buffer.from(key));
    assert.deepEqual(await keys(store, ''), all.toSorted());
    assert.deepEqual(await keys(store, 'a/'), ['a/b', 'a/c']);
    assert.deepEqual(await keys(store, 'ab/c'), ['ab/c-d', 'ab/c/d']);
    assert.deepEqual(await keys(store, 'nothing/'), []);
    for await (const { key, sizeBytes } of store.list('')) assert.equal(sizeBytes, key.length);
  });

  test('a key that could leave the store is refused', async () => {
    const store = await open();
    for (const key of ['', '/a', '../a', 'a/../b', 'a//b', './a', 'A', 'a b', 'a/.tmp', 'x'.repeat(201), 'a\u0000']) {
      await assert.rejects(store.putIfAbsent(key, Buffer.from('x')), /is not an object key/, key);
    }
  });
}

function* chunks(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function keys(store: ObjectStore, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of store.list(prefix)) found.push(key);
  return found;
}
