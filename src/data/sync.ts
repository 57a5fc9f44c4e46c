import { resolve } from 'node:path';
import { recordActivity } from '../identity/index.ts';
import { AppError } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Tx } from '../ports/db.ts';
import type { Source, SourceFile } from '../ports/source.ts';
import type { DataSection } from '../project-file/index.ts';
import type { Actor } from '../wire/route.ts';
import { checkContract, type Domains, readDomains } from './contract.ts';
import * as store from './data.store.ts';
import { patient } from './patience.ts';
import { profileRows } from './profile.ts';
import { inferPlan } from './read-plan.ts';
import { type Relation, relationOf, requireColumn, timeMs } from './relation.ts';
import { timeRangeOf } from './time-range.ts';
import { DATASET_NAME, type DataDeps, type DataFile, type DatasetVersion } from './types.ts';

const MAX_FILES = 10_000;

export interface SyncInput {
  readonly name: string;
  readonly section: DataSection;
  /** The folder that relative paths in `section.from` stand on. */
  readonly folder: string;
}

export interface Synced {
  readonly version: DatasetVersion;
  /** False where the same files were a version already. */
  readonly created: boolean;
}

/**
 * Looks at a source now: the same files are the same version; others become the next one, profiled and checked against the
 * contract. A broken contract makes a version in state `refused`, which no run uses, and tells no one; a good one publishes
 * `data.version_created`. Where only the contract changed, the version is checked again.
 */
export async function syncDataset(deps: DataDeps, actor: Actor, input: SyncInput): Promise<Synced> {
  const name = DATASET_NAME.parse(input.name);
  const { section } = input;
  if (typeof section.from !== 'string')
    throw new AppError(
      'invalid',
      `data.${name}.from: reading from a database is not built yet; export the query to a file`,
    );
  const source = deps.sources.resolve(section.from, input.folder);
  const listed = await source.list();
  if (listed.length > MAX_FILES)
    throw new AppError(
      'too_large',
      `data.${name}.from names ${listed.length} files; at most ${MAX_FILES} are kept: join them`,
    );
  const last = (
    await deps.db.read((tx) => store.selectVersions(tx, { projectId: actor.projectId, dataset: name, limit: 1 }))
  )[0];
  const origin = originOf(section.from, input.folder);
  const files = await storeFiles(deps, source, listed, last?.source === origin ? store.toVersion(last) : undefined);
  const named = files.map((file) => [file.name, file.digest]);
  // The same bytes read otherwise are other rows.
  const { decimal, text, table } = section;
  const manifestDigest = digestOf(
    decimal || text || table === false
      ? {
          files: named,
          ...(decimal && { decimal }),
          ...(text && { text: [...text].sort() }),
          ...(table === false && { table }),
        }
      : named,
  );
  const known = await deps.db.read((tx) => store.findByManifest(tx, actor.projectId, name, manifestDigest));
  if (known) return { version: await checkAgain(deps, actor, store.toVersion(known), known, section), created: false };
  const draft = await describe(deps, actor, { name, section, files, manifestDigest, source: origin });
  return write(deps, actor, draft, section);
}

/**
 * The newest good version, where it came from this very source, checked again where the contract has changed since: then it may
 * come back `refused`. Undefined where the source has to be looked at: datasets of one name in two folders are not the same.
 */
export async function currentVersion(
  deps: DataDeps,
  actor: Actor,
  { name, section, folder }: SyncInput,
): Promise<DatasetVersion | undefined> {
  const filter = { projectId: actor.projectId, dataset: name, state: 'ok' as const, limit: 1 };
  const [row] = await deps.db.read((tx) => store.selectVersions(tx, filter));
  if (!row || typeof section.from !== 'string' || row.source !== originOf(section.from, folder)) return undefined;
  return checkAgain(deps, actor, store.toVersion(row), row, section);
}

/** Where data comes from, for everybody: paths do not depend on a folder any more. */
const originOf = (from: string, folder: string): string => (from.includes('://') ? from : resolve(folder, from));

/** Bytes that the last version already holds under the same stamp are not read again. */
async function storeFiles(
  deps: DataDeps,
  source: Source,
  listed: readonly SourceFile[],
  last: DatasetVersion | undefined,
): Promise<DataFile[]> {
  const before = new Map(last?.files.map((file) => [file.name, file]));
  const files: DataFile[] = [];
  for (const { name, sizeBytes, stamp } of listed) {
    const same = before.get(name);
    if (same && same.stamp === stamp && same.sizeBytes === sizeBytes && (await deps.content.find(same.digest))) {
      files.push(same);
      continue;
    }
    const path = source.localPath?.(name);
    const stored =
      path === undefined ? await deps.content.put(await source.open(name)) : await deps.content.putFile(path);
    files.push({ name, digest: stored.digest, sizeBytes: stored.sizeBytes, stamp });
  }
  return files;
}

interface Draft {
  readonly version: Omit<DatasetVersion, 'version'>;
  readonly domains: Domains;
}

interface Found {
  readonly name: string;
  readonly section: DataSection;
  readonly files: readonly DataFile[];
  readonly manifestDigest: string;
  readonly source: string;
}

async function describe(
  deps: DataDeps,
  actor: Actor,
  { name, section, files, manifestDigest, source }: Found,
): Promise<Draft> {
  const analytics = patient(deps.analytics);
  const paths = await Promise.all(files.map((file) => deps.content.localPath(file.digest)));
  const empty = files.find((file) => file.sizeBytes === 0 && /\.(csv|tsv)$/i.test(file.name));
  if (empty) throw new AppError('invalid', `${empty.name} is empty; a table needs a header line`);
  const plan = await inferPlan(
    analytics,
    paths,
    files.map((file) => file.name),
    section,
  );
  const relation = relationOf({ plan, files }, paths);
  assertColumns(relation, name, section);
  const profile = await profileRows(analytics, relation);
  const contract = await checkContract(analytics, relation, section, profile, await lastDomains(deps, actor, name));
  const domains = plan.format === 'files' ? {} : await readDomains(analytics, relation, section, profile);
  const now = deps.clock.now();
  const version: Draft['version'] = {
    id: uuidv7(now, deps.random.fill),
    projectId: actor.projectId,
    dataset: name,
    state: contract.success ? 'ok' : 'refused',
    files,
    rowCount: profile.rowCount,
    sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    schema: plan.columns,
    plan,
    profile,
    contract,
    timeRange: await timeRangeOf(analytics, relation, section),
    manifestDigest,
    createdAt: now,
    source,
  };
  return { version, domains };
}

/** Key and time must be columns: every cut stands on them. */
function assertColumns(relation: Relation, name: string, section: DataSection): void {
  const isTable = relation.plan.format !== 'files';
  if (!isTable && (section.key.length > 0 || section.time !== null || Object.keys(section.expect).length > 0))
    throw new AppError(
      'invalid',
      `data.${name}: its files are not a table (Parquet, CSV or JSON), so it can have no key, time or expect`,
    );
  for (const key of section.key) requireColumn(relation.plan, key, `data.${name}.key`);
  if (section.time !== null) timeMs(relation.plan, section.time, `data.${name}.time`);
}

/** What the last good version before `below` held. */
async function lastDomains(deps: DataDeps, actor: Actor, dataset: string, below?: number): Promise<Domains | null> {
  const filter = { projectId: actor.projectId, dataset, state: 'ok' as const, below, limit: 1 };
  const row = (await deps.db.read((tx) => store.selectVersions(tx, filter)))[0];
  return row ? (JSON.parse(row.domains) as Domains) : null;
}

const sectionDigestOf = ({ expect, expectTable, time, key }: DataSection): string =>
  digestOf({ expect, expectTable, time, key });

async function write(deps: DataDeps, actor: Actor, draft: Draft, section: DataSection): Promise<Synced> {
  const { projectId } = actor;
  const { dataset, manifestDigest, createdAt, id, files } = draft.version;
  return deps.db.write(async (tx) => {
    const other = await store.findByManifest(tx, projectId, dataset, manifestDigest);
    if (other) return { version: store.toVersion(other), created: false };
    await store.insertDataset(tx, projectId, dataset, createdAt);
    const version = { ...draft.version, version: await store.takeVersionNumber(tx, projectId, dataset) };
    await store.insertVersion(
      tx,
      store.toRow(version, { sectionDigest: sectionDigestOf(section), domains: draft.domains }),
    );
    await deps.content.reference(tx, { kind: 'dataset_version', id }, [...new Set(files.map((file) => file.digest))]);
    await announce(tx, deps, actor, version);
    return { version, created: true };
  });
}

async function announce(tx: Tx, deps: DataDeps, actor: Actor, version: DatasetVersion): Promise<void> {
  const { projectId, dataset, id } = version;
  if (version.state === 'ok')
    await deps.outbox.publish(tx, {
      topic: 'data.version_created',
      projectId,
      key: dataset,
      payload: { dataset, version: version.version, versionId: id },
    });
  await recordActivity(tx, deps.identity, {
    projectId,
    at: deps.clock.now(),
    kind: 'data',
    subject: `${dataset}@v${version.version}`,
    sentence: versionSentence(version),
    command: `levain data show ${dataset}@v${version.version}`,
    actor: actor.user,
  });
}

/** `data churn v12: 7,043 rows in 1 file, contract kept (4 checks)`. */
export function versionSentence(version: DatasetVersion): string {
  const { files, contract } = version;
  const size = `${version.rowCount.toLocaleString('en-US')} rows in ${files.length} file${files.length === 1 ? '' : 's'}`;
  const broken = contract.checks.filter((check) => !check.success && check.severity === 'error');
  const kept =
    contract.checks.length === 0
      ? 'no contract'
      : `contract kept (${contract.checks.length} check${contract.checks.length === 1 ? '' : 's'})`;
  const name = `data ${version.dataset} v${version.version}`;
  if (version.state === 'ok') return `${name}: ${size}, ${kept}`;
  const more = broken.length > 1 ? ` and ${broken.length - 1} more` : '';
  return `${name} REFUSED: ${size}; contract broken: ${broken[0]?.sentence ?? 'see its report'}${more}`;
}

/** The same files under another contract: the version keeps its number and gets the new verdict. */
async function checkAgain(
  deps: DataDeps,
  actor: Actor,
  version: DatasetVersion,
  row: store.VersionRow,
  section: DataSection,
): Promise<DatasetVersion> {
  const sectionDigest = sectionDigestOf(section);
  if (row.section_digest === sectionDigest) return version;
  const analytics = patient(deps.analytics);
  const paths = await Promise.all(version.files.map((file) => deps.content.localPath(file.digest)));
  const relation = relationOf(version, paths);
  assertColumns(relation, version.dataset, section);
  const known = await lastDomains(deps, actor, version.dataset, version.version);
  const contract = await checkContract(analytics, relation, section, version.profile, known);
  const timeRange = await timeRangeOf(analytics, relation, section);
  const checked: DatasetVersion = { ...version, contract, timeRange, state: contract.success ? 'ok' : 'refused' };
  const fresh = store.toRow(checked, { sectionDigest, domains: JSON.parse(row.domains) });
  await deps.db.write(async (tx) => {
    const { state, section_digest, contract: report, time_column, time_min, time_max } = fresh;
    await store.updateContract(tx, version.id, {
      state,
      section_digest,
      contract: report,
      time_column,
      time_min,
      time_max,
    });
    if (checked.state !== version.state) await announce(tx, deps, actor, checked);
  });
  return checked;
}
