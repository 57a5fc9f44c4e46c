/** Tracking alone on a fresh data directory, for the side-by-side: prints its URL and stays until it is killed. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { openSqlite } from '../../src/adapters/sqlite/index.ts';
import { systemClock as clock, createLog, systemRandom as random } from '../../src/adapters/system/index.ts';
import { mlflowRoutes } from '../../src/compat/mlflow/index.ts';
import { createContent } from '../../src/content/index.ts';
import { createBus, createHttpServer } from '../../src/http/index.ts';
import { createAuthenticator } from '../../src/identity/index.ts';
import { migrate } from '../../src/migrations/index.ts';
import { createOutbox } from '../../src/outbox/index.ts';

const dir = process.argv[2] ?? mkdtempSync(join(tmpdir(), 'levain-bench-'));
const log = createLog({ name: 'bench', level: 'error' });
const db = await openSqlite({ path: join(dir, 'db.sqlite') });
await migrate(db);
const objects = await openFsObjects({ dir: join(dir, 'objects') });
const content = createContent({ db, objects, clock, random, cacheDir: join(dir, 'cache') });
const outbox = createOutbox({ db, clock, random, log });
const deps = { db, content, outbox, clock, random, log };
const http = createHttpServer({
  ...deps,
  routes: mlflowRoutes(deps),
  authenticator: createAuthenticator(deps),
  bus: createBus(),
  host: '127.0.0.1',
  version: 'bench',
});
process.once(
  'SIGINT',
  () =>
    void http
      .close()
      .then(() => db.close())
      .then(() => process.exit(0)),
);
console.log(`http://127.0.0.1:${await http.listen(0)}`);
