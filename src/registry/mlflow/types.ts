import type { Content } from '../../content/index.ts';
import type { Outbox } from '../../outbox/index.ts';
import type { Db } from '../../ports/db.ts';
import type { Clock, Log, Random } from '../../ports/system.ts';

export interface EntryDeps {
  readonly db: Db;
  readonly content: Content;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export const STAGES = ['None', 'Staging', 'Production', 'Archived'] as const;
export type Stage = (typeof STAGES)[number];

export interface EntryTag {
  readonly key: string;
  readonly value: string;
}

export interface VersionKey {
  readonly name: string;
  readonly version: number;
}

/** A registered model as MLflow's clients see it. `latest` holds the newest version of each stage. */
export interface ModelEntry {
  readonly name: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly description: string | null;
  readonly tags: readonly EntryTag[];
  readonly aliases: readonly { readonly alias: string; readonly version: number }[];
  readonly latest: readonly VersionEntry[];
}

/** A version as MLflow's clients see it, whoever made it. `source` is an artifact URI. */
export interface VersionEntry {
  readonly name: string;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly user: string | null;
  readonly stage: Stage;
  readonly description: string | null;
  readonly source: string;
  readonly runId: string | null;
  readonly runLink: string | null;
  readonly loggedModelId: string | null;
  readonly tags: readonly EntryTag[];
  readonly aliases: readonly string[];
}

export interface EntryQuery {
  readonly filter?: string | undefined;
  readonly orders: readonly string[];
  readonly limit: number;
  readonly after?: string | undefined;
}
