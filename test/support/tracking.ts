import { join } from 'node:path';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { systemClock, systemRandom } from '../../src/adapters/system/index.ts';
import { createContent } from '../../src/content/index.ts';
import { DEFAULT_PROJECT_ID } from '../../src/kernel/ids.ts';
import { createOutbox } from '../../src/outbox/index.ts';
import type { Db } from '../../src/ports/db.ts';
import type { Log } from '../../src/ports/system.ts';
import type { TrackingDeps } from '../../src/tracking/index.ts';
import type { Actor } from '../../src/wire/route.ts';
import { tempDir } from './temp.ts';

export const LOCAL: Actor = { projectId: DEFAULT_PROJECT_ID, user: 'local', kind: 'user' };

/** Real parts below tracking, on the database given: files in a temporary folder, the system's clock and randomness. */
export async function trackingDeps(db: Db): Promise<TrackingDeps> {
  const dir = tempDir();
  const clock = systemClock;
  const random = systemRandom;
  const objects = await openFsObjects({ dir: join(dir, 'objects') });
  const content = createContent({ db, objects, clock, random, cacheDir: join(dir, 'cache') });
  const outbox = createOutbox({ db, clock, random, log: QUIET });
  return { db, content, outbox, clock, random, log: QUIET };
}

const QUIET: Log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => QUIET };
