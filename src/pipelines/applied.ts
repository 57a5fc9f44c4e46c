import { recordActivity } from '../identity/index.ts';
import { AppError } from '../kernel/errors.ts';
import { sha256 } from '../kernel/hash.ts';
import { publish } from '../outbox/index.ts';
import type { Tx } from '../ports/db.ts';
import { explain, type ProjectFile, parseProjectFile, projectFileDigest } from '../project-file/index.ts';
import type { Actor } from '../wire/route.ts';
import { syncCronIn } from './cron.ts';
import type { PipelinesDeps } from './deps.ts';
import { findFileText, findPipeline, findSnapshot, listPipelines, putFileText, putPipeline } from './files.store.ts';
import { checkSnapshot, missingContents, storeSnapshotIn } from './snapshots.ts';
import type { PipelineRow } from './tables.ts';
import {
  type AppliedFile,
  ApplyInput,
  type ApplyResult,
  type Change,
  type PipelineRun,
  type SnapshotFile,
} from './types.ts';

type Deps = Pick<PipelinesDeps, 'db' | 'clock' | 'random' | 'content' | 'outbox' | 'identity'>;

const FILE_NAME = 'levain.yaml';

/** A file and its snapshot, checked, ready to be stored. */
export interface Source {
  readonly text: string;
  readonly textDigest: string;
  readonly file: ProjectFile;
  /** Of what the file says, whatever its comments. */
  readonly digest: string;
  readonly folder: string;
  readonly sourceDigest: string;
  /** Undefined where the server has the snapshot. */
  readonly files: readonly SnapshotFile[] | undefined;
}

/**
 * Makes this file and snapshot the ones that triggers, rollouts and monitors go by. With `dryRun` only the difference is
 * told. Throws `invalid` for a wrong file, `precondition_failed` with `missing` digests where contents were not uploaded.
 */
export async function applyProject(deps: Deps, actor: Actor, input: ApplyInput): Promise<ApplyResult> {
  const parsed = ApplyInput.parse(input);
  const source = await checkSource(deps, actor.projectId, parsed);
  const stored = await deps.db.read((tx) => readApplied(tx, actor.projectId, source.file.name));
  const before = stored && toApplied(stored.row, stored.text);
  const changes = differences(stored?.text, source.text);
  const isSame =
    before?.digest === source.digest && before.sourceDigest === source.sourceDigest && before.folder === source.folder;
  const result = {
    pipeline: source.file.name,
    digest: source.digest,
    sourceDigest: source.sourceDigest,
    dryRun: parsed.dryRun,
    changes,
  };
  if (parsed.dryRun || isSame) return { ...result, applied: false };
  await deps.db.write((tx) => storeApplied(tx, deps, actor, source, changes));
  return { ...result, applied: true };
}

/** The applied file of a pipeline, parsed once a digest; undefined where there is none. */
export async function appliedFile(
  deps: Pick<PipelinesDeps, 'db'>,
  projectId: string,
  pipeline: string,
): Promise<AppliedFile | undefined> {
  const found = await deps.db.read((tx) => readApplied(tx, projectId, pipeline));
  return found && toApplied(found.row, found.text);
}

/** The text of the applied file, as it was written; undefined where there is none. */
export const appliedText = async (
  deps: Pick<PipelinesDeps, 'db'>,
  projectId: string,
  pipeline: string,
): Promise<string | undefined> => (await deps.db.read((tx) => readApplied(tx, projectId, pipeline)))?.text;

export interface RunFile {
  readonly text: string;
  readonly draft: boolean;
  /** Whether the run's code is the applied one. */
  readonly sameSource: boolean;
  /** What the applied file says now where this one says otherwise: `before` is the applied one's. */
  readonly changes: readonly Change[];
}

/** The levain.yaml that a run was made from, beside the one that is applied now. */
export async function runFile(
  deps: Pick<PipelinesDeps, 'db'>,
  run: Pick<PipelineRun, 'projectId' | 'pipeline' | 'fileDigest' | 'sourceDigest' | 'draft'>,
): Promise<RunFile> {
  const { text, applied } = await deps.db.read(async (tx) => ({
    text: await findFileText(tx, run.projectId, run.fileDigest),
    applied: await readApplied(tx, run.projectId, run.pipeline),
  }));
  if (text === undefined) throw new AppError('not_found', 'The file of this run is not kept any more');
  return {
    text,
    draft: run.draft,
    sameSource: applied?.row.source_digest === run.sourceDigest,
    changes: differences(applied?.text, text),
  };
}

/** The same in the caller's transaction. */
export async function appliedFileIn(tx: Tx, projectId: string, pipeline: string): Promise<AppliedFile | undefined> {
  const found = await readApplied(tx, projectId, pipeline);
  return found && toApplied(found.row, found.text);
}

/** Every applied file, of one project or of all. */
export async function listApplied(
  deps: Pick<PipelinesDeps, 'db'>,
  projectId?: string,
): Promise<readonly (AppliedFile & { readonly projectId: string })[]> {
  const rows = await deps.db.read(async (tx) => {
    const pipelines = await listPipelines(tx, projectId);
    return Promise.all(
      pipelines.map(async (row) => ({ row, text: await findFileText(tx, row.project_id, row.file_digest) })),
    );
  });
  return rows.flatMap(({ row, text }) =>
    text === undefined ? [] : [{ ...toApplied(row, text), projectId: row.project_id }],
  );
}

/** Parses and checks what a client sent; nothing is stored yet. */
export async function checkSource(deps: Deps, projectId: string, input: Omit<ApplyInput, 'dryRun'>): Promise<Source> {
  const file = parseProjectFile(input.text, `${input.folder.replace(/\/+$/, '')}/${FILE_NAME}`);
  refuseUnbuilt(file);
  const known = await deps.db.read((tx) => findSnapshot(tx, projectId, input.sourceDigest));
  const manifest = input.sourceManifest?.map((entry) => ({ ...entry, executable: entry.executable ?? false }));
  if (known === undefined && manifest === undefined) {
    throw new AppError('precondition_failed', 'The server does not have this snapshot; send its manifest', {
      needsManifest: true,
    });
  }
  const files = known === undefined && manifest ? checkSnapshot(manifest, input.sourceDigest) : undefined;
  if (files) await assertUploaded(deps, files);
  const { text, folder, sourceDigest } = input;
  return { text, textDigest: sha256(text), file, digest: projectFileDigest(file), folder, sourceDigest, files };
}

/** Stores the text and the snapshot of a source, so that a run can name them. */
export async function storeSourceIn(tx: Tx, deps: Deps, projectId: string, source: Source): Promise<void> {
  await putFileText(tx, {
    project_id: projectId,
    digest: source.textDigest,
    text: source.text,
    created_at: deps.clock.now(),
  });
  if (source.files) await storeSnapshotIn(tx, deps, { projectId, digest: source.sourceDigest, files: source.files });
}

/** The project file of a stored text. Parsing is remembered by the text's digest. */
export function parseStored(text: string, folder: string): ProjectFile {
  const key = `${sha256(text)} ${folder}`;
  const known = parsedFiles.get(key);
  if (known) return known;
  const file = parseProjectFile(text, `${folder}/${FILE_NAME}`);
  if (parsedFiles.size >= MAX_PARSED) parsedFiles.delete(parsedFiles.keys().next().value!);
  parsedFiles.set(key, file);
  return file;
}

/** Leaf by leaf, in the words and units of the file: what another file says otherwise. */
export function differences(before: string | undefined, after: string): readonly Change[] {
  const [old, now] = [leaves(before), leaves(after)];
  const keys = [...new Set([...now.keys(), ...old.keys()])];
  return keys.flatMap((key) => {
    const [a, b] = [old.get(key), now.get(key)];
    if (a === b) return [];
    return [{ key, ...(a !== undefined && { before: a }), ...(b !== undefined && { after: b }) }];
  });
}

const MAX_PARSED = 100;
const parsedFiles = new Map<string, ProjectFile>();

async function storeApplied(
  tx: Tx,
  deps: Deps,
  actor: Actor,
  source: Source,
  changes: readonly Change[],
): Promise<void> {
  const { projectId } = actor;
  const before = await findPipeline(tx, projectId, source.file.name);
  const now = deps.clock.now();
  await storeSourceIn(tx, deps, projectId, source);
  await putPipeline(tx, {
    project_id: projectId,
    name: source.file.name,
    file_digest: source.textDigest,
    source_digest: source.sourceDigest,
    folder: source.folder,
    generation: (before?.generation ?? 0) + 1,
    applied_at: now,
    applied_by: actor.user,
  });
  await syncCronIn(tx, deps, { projectId, file: source.file });
  await recordActivity(tx, deps, {
    projectId,
    at: now,
    kind: 'deploy',
    subject: source.file.name,
    sentence: `${source.file.name} applied by ${actor.user}: ${before ? toSentence(changes) : 'for the first time'}`,
    command: `levain config explain`,
  });
  await publish(
    tx,
    {
      topic: 'pipelines.applied',
      projectId,
      key: source.file.name,
      payload: { pipeline: source.file.name, digest: source.digest },
    },
    deps,
  );
}

function toSentence(changes: readonly Change[]): string {
  if (changes.length === 0) return 'new code, same file';
  const names = changes.slice(0, 3).map(({ key }) => key);
  return `${names.join(', ')}${changes.length > 3 ? ` and ${changes.length - 3} more` : ''} changed`;
}

async function readApplied(
  tx: Tx,
  projectId: string,
  pipeline: string,
): Promise<{ row: PipelineRow; text: string } | undefined> {
  const row = await findPipeline(tx, projectId, pipeline);
  const text = row && (await findFileText(tx, projectId, row.file_digest));
  return row && text !== undefined ? { row, text } : undefined;
}

function toApplied(row: PipelineRow, text: string): AppliedFile {
  const file = parseStored(text, row.folder);
  return {
    pipeline: row.name,
    file,
    folder: row.folder,
    digest: projectFileDigest(file),
    sourceDigest: row.source_digest,
    appliedAt: row.applied_at,
  };
}

async function assertUploaded(deps: Deps, files: readonly SnapshotFile[]): Promise<void> {
  const missing = await missingContents(deps, [...new Set(files.map(({ digest }) => digest))]);
  if (missing.length === 0) return;
  throw new AppError('precondition_failed', `${missing.length} of the snapshot's files were not uploaded`, {
    missing: missing.slice(0, 1000),
  });
}

/** Keys that the grammar knows and the engine does not do yet. */
function refuseUnbuilt(file: ProjectFile): void {
  for (const [name, step] of Object.entries(file.steps)) {
    for (const key of ['when', 'each'] as const) {
      if (step[key] !== null) throw new AppError('invalid', `steps.${name}.${key} is not built yet; remove it`);
    }
    if (step.resources.gpu > 0)
      throw new AppError('invalid', `steps.${name}.resources.gpu is not built yet; remove it`);
  }
}

const leaves = (text: string | undefined): ReadonlyMap<string, string> =>
  new Map(text === undefined ? [] : explain(text, FILE_NAME).map(({ key, value }) => [key, value]));
