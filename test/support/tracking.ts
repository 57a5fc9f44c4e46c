import { randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { createContent } from '../../src/content/index.ts';
import { DEFAULT_PROJECT_ID } from '../../src/kernel/ids.ts';
import { createOutbox } from '../../src/outbox/index.ts';
import type { Db } from '../../src/ports/db.ts';
import type { Clock, Log, Random } from '../../src/ports/system.ts';
import type { TrackingDeps } from '../../src/tracking/index.ts';
import type { Actor } from '../../src/wire/route.ts';
import { tempDir } from './temp.ts';

export const LOCAL: Actor = { projectId: DEFAULT_PROJECT_ID, user: 'local', kind: 'user' };

/** Real parts below tracking, on the database given: files in a temporary folder, wall time, system randomness. */
export async function trackingDeps(db: Db): Promise<TrackingDeps> {
  const dir = tempDir();
  const clock: Clock = {
    now: Date.now,
    sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}).catch(() => {}),
  };
  const random: Random = { next: Math.random, fill: (bytes) => void randomFillSync(bytes) };
  const objects = await openFsObjects({ dir: join(dir, 'objects') });
  const content = createContent({ db, objects, clock, random, cacheDir: join(dir, 'cache') });
  const outbox = createOutbox({ db, clock, random, log: QUIET });
  return { db, content, outbox, clock, random, log: QUIET };
}

const QUIET: Log = { debug() {}, info() {}, warn() {}, error: console.error, child: () => QUIET };
