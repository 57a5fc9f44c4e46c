/** A process to be killed: puts content without end and prints each digest once it is acknowledged. argv: folder, seed. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { openSqlite } from '../../src/adapters/sqlite/index.ts';
import { systemClock, systemRandom } from '../../src/adapters/system/index.ts';
import { createContent } from '../../src/content/index.ts';
import { migrate } from '../../src/migrations/index.ts';

const dir = process.argv[2]!;
const db = await openSqlite({ path: join(dir, 'db.sqlite') });
await migrate(db);
const objects = await openFsObjects({ dir: join(dir, 'objects') });
const content = createContent({ db, objects, clock: systemClock, random: systemRandom, cacheDir: join(dir, 'cache') });

function* chunks(): Generator<Uint8Array> {
  for (let left = Math.floor(Math.random() * 40); left >= 0; left--) yield randomBytes(30_000);
}

async function putForEver(): Promise<never> {
  for (;;) {
    const { digest } = await content.put(Math.random() < 0.5 ? randomBytes(1_000) : Readable.from(chunks()));
    process.stdout.write(`${digest}\n`);
  }
}

await Promise.all([putForEver(), putForEver(), putForEver()]);
