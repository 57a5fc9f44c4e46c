import type { Content } from '../content/index.ts';
import type { DataDeps } from '../data/index.ts';
import type { IdentityDeps } from '../identity/index.ts';
import type { Outbox } from '../outbox/index.ts';
import type { Db } from '../ports/db.ts';
import type { Environments, Executor } from '../ports/executor.ts';
import type { Clock, Log, Random, Secrets } from '../ports/system.ts';
import type { RegistryDeps } from '../registry/index.ts';
import type { TrackingDeps } from '../tracking/index.ts';

export interface PipelinesDeps {
  readonly db: Db;
  readonly content: Content;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly identity: IdentityDeps;
  readonly data: DataDeps;
  readonly tracking: TrackingDeps;
  readonly registry: RegistryDeps;
  readonly executor: Executor;
  readonly environments: Environments;
  readonly secrets: Secrets;
  /** `<dataDir>/work`: a folder an attempt. */
  readonly workDir: string;
  /** `<dataDir>/projects`: folders that came through the browser; people may go on working in them. */
  readonly projectsDir: string;
  /** `<dataDir>/drops`: what is known of how they came. */
  readonly dropsDir: string;
  /** The command line, as a program. */
  readonly command: string;
  /** Where steps reach this server, known once it listens; without the project's path. */
  readonly serverUrl: () => string;
  /** How a notebook step is started: `node <notebookMain> spec.json`, with `pythonPath` on PYTHONPATH. */
  readonly node: string;
  readonly notebookMain: string;
  readonly pythonPath: string;
  /** What steps may inherit from the server's environment (PATH, HOME, locale, proxies). */
  readonly env: Readonly<Record<string, string | undefined>>;
}
