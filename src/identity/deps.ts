import type { Db } from '../ports/db.ts';
import type { Clock, Log, Random } from '../ports/system.ts';

export interface IdentityDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}
