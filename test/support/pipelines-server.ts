import { join } from 'node:path';
import { openSqlite } from '../../src/adapters/sqlite/index.ts';
import { migrate } from '../../src/migrations/index.ts';
import { startPipelinesWork, startRun } from '../../src/pipelines/index.ts';
import { applyFolder, pipelinesDeps } from './pipelines.ts';
import { LOCAL } from './tracking.ts';

/** A server to be killed: `node pipelines-server.ts DATA_DIR PROJECT_DIR PIPELINE` applies, starts a run and works at it. */
const [dir = '', folder = '', pipeline = ''] = process.argv.slice(2);
const db = await openSqlite({ path: join(dir, 'db.sqlite') });
await migrate(db);
const deps = await pipelinesDeps(db, {}, dir);
startPipelinesWork(deps);
await applyFolder(deps, folder);
const run = await startRun(deps, LOCAL, { pipeline });
process.stdout.write(`${run.id}\n`);
