/**
 * Every migration, one import and one line each, sorted by file name. A pillar that adds one takes the next free number.
 * The order of application is that of the ids; a number that comes late is still applied.
 */
import { migration as base } from './0001-base.ts';
import { migration as identity } from './0002-identity.ts';
import { migration as data } from './0003-data.ts';
import { migration as tracking } from './0004-tracking.ts';
import { migration as registry } from './0005-registry.ts';
import { migration as pipelines } from './0006-pipelines.ts';
import { migration as serving } from './0007-serving.ts';
import { migration as monitoring } from './0008-monitoring.ts';
import { migration as registryMlflow } from './0009-registry-mlflow.ts';
import { migration as gateRows } from './0010-gate-rows.ts';
import type { Migration } from './migration.ts';

export const MIGRATIONS: readonly Migration[] = [
  base,
  identity,
  data,
  tracking,
  registry,
  pipelines,
  serving,
  monitoring,
  registryMlflow,
  gateRows,
];
