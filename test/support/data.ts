import { join } from 'node:path';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { createSources } from '../../src/adapters/sources/index.ts';
import { createLog, systemClock, systemRandom } from '../../src/adapters/system/index.ts';
import { createContent } from '../../src/content/index.ts';
import type { DataDeps } from '../../src/data/index.ts';
import { createOutbox } from '../../src/outbox/index.ts';
import type { Analytics } from '../../src/ports/analytics.ts';
import type { Db } from '../../src/ports/db.ts';
import { type DataSection, parseProjectFile } from '../../src/project-file/index.ts';
import { tempDir } from './temp.ts';

/** The data pillar over this database, with a folder of its own for sources and content. */
export async function dataDeps(db: Db, analytics: Analytics): Promise<DataDeps & { readonly folder: string }> {
  const folder = tempDir();
  const [clock, random] = [systemClock, systemRandom];
  const log = createLog({ name: 'test', level: 'error' });
  const objects = await openFsObjects({ dir: join(folder, '.objects') });
  const content = createContent({ db, objects, clock, random, cacheDir: join(folder, '.cache') });
  const outbox = createOutbox({ db, clock, random, log });
  const identity = { db, clock, random, log };
  return { db, content, clock, random, log, outbox, identity, analytics, sources: createSources(), folder };
}

/** The section that this text is under `data`. */
export const sectionOf = (yaml: string): DataSection =>
  parseProjectFile(`data: { d: ${yaml} }`, 'p/levain.yaml').data['d']!;
