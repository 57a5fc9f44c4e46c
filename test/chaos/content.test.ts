import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { openSqlite } from '../../src/adapters/sqlite/index.ts';
import { systemClock, systemRandom } from '../../src/adapters/system/index.ts';
import { createContent } from '../../src/content/index.ts';
import { sqlOf } from '../../src/ports/db.ts';
import { tempDir } from '../support/temp.ts';

const WRITER = fileURLToPath(new URL('../support/put-for-ever.ts', import.meta.url));
const ROUNDS = 4;
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Lets a writer acknowledge some puts, then kills it in the middle of others. */
async function killAfter(dir: string, acknowledgements: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const digests: string[] = [];
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    digests.push(line);
    if (digests.length === acknowledgements) child.kill('SIGKILL');
  }
  await ended;
  return digests.filter((digest) => digest.length === 64);
}

test('kill -9 in the middle of puts loses nothing acknowledged and leaves nothing half-written', async () => {
  const dir = tempDir();
  const acknowledged: string[] = [];
  for (let round = 1; round <= ROUNDS; round++) acknowledged.push(...(await killAfter(dir, 7 * round)));
  assert.ok(acknowledged.length >= 70);

  const db = await openSqlite({ path: join(dir, 'db.sqlite') });
  const objects = await openFsObjects({ dir: join(dir, 'objects') });
  const content = createContent({
    db,
    objects,
    clock: systemClock,
    random: systemRandom,
    cacheDir: join(dir, 'cache'),
  });
  for (const digest of acknowledged) assert.equal(sha256(await buffer(await content.open(digest))), digest);

  const rows = await db.read((tx) => sql<{ digest: string }>`select digest from content`.execute(sqlOf(tx)));
  for (const { digest } of rows.rows) assert.equal(sha256(await buffer(await content.open(digest))), digest);

  const inThreeDays = Date.now() + 3 * 24 * 3_600_000;
  await content.collect(inThreeDays);
  let objectsLeft = 0;
  for await (const _ of objects.list('')) objectsLeft += 1;
  assert.equal(objectsLeft, rows.rows.length);
  await db.close();
});
