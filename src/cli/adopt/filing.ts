import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../../client/client.ts';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { sha256 } from '../../kernel/hash.ts';
import type { AppliedSource } from '../apply.ts';
import type { Output } from '../command.ts';
import { MAX_SNAPSHOT_BYTES, type SnapshotFile, uploadSnapshot } from '../snapshot.ts';
import { STEP } from './compose.ts';
import { type AdoptedRun, findMemory, saveMemory } from './memory.ts';

export interface Filed {
  readonly runId: string;
  readonly cacheKey: string;
  readonly created: boolean;
}

/**
 * Sends what adopt ran to the server, where it counts as a run of the step, so that `levain run` finds it cached. Undefined where
 * nothing waits to be filed, or the folder is another one by now. A run that no longer fits the project is only named: then the step runs.
 */
export async function fileAdoptedRun(
  { client, out }: { readonly client: Client; readonly out: Output },
  folder: string,
  source: Pick<AppliedSource, 'sourceDigest'>,
): Promise<Filed | undefined> {
  const memory = await findMemory(folder);
  if (!memory?.run || memory.sourceDigest !== source.sourceDigest) return undefined;
  const { url } = await client.address();
  if (memory.filed[url] !== undefined) return undefined;
  try {
    const body = await bodyOf(client, out, memory.run, source);
    const filed = await client.post<Filed>(`/pipelines/${encodeURIComponent(memory.name)}/adopted`, body);
    await saveMemory(folder, { ...memory, filed: { ...memory.filed, [url]: filed.runId } });
    return filed;
  } catch (error) {
    if (!isAppError(error, 'conflict') && !isMissing(error)) throw error;
    out.note(`What adopt ran does not count here, so the step runs again: ${(error as Error).message}`);
    return undefined;
  }
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

async function bodyOf(
  client: Client,
  out: Output,
  { source, data, lock, run }: AdoptedRun,
  { sourceDigest }: Pick<AppliedSource, 'sourceDigest'>,
): Promise<object> {
  const executed = await describe(run.executed, source.path).catch(() => null);
  const log = await describe(run.log, 'log.txt').catch(() => null);
  const exports = await Promise.all(
    run.exports.map(async ({ variable, folder, ok, facts }) => {
      const files = ok ? await describeFolder(folder) : [];
      return { variable, files, facts };
    }),
  );
  await send(client, out, [
    ...(executed ? [executed] : []),
    ...(log ? [log] : []),
    ...exports.flatMap(({ files }) => files),
  ]);
  return {
    step: STEP,
    sourceDigest,
    ran: {
      notebook: source.digest,
      data: Object.fromEntries(data.map(({ name, digest }) => [name, [digest]])),
      lock,
      params: {},
      platform: `${process.platform}-${process.arch}`,
    },
    startedAt: Math.round(run.startedAt),
    endedAt: Math.round(run.endedAt),
    notebook: executed && toFile(executed),
    log: log && toFile(log),
    exports: Object.fromEntries(
      exports.map(({ variable, files, facts }) => [variable, { files: files.map(toFile), facts }]),
    ),
    metrics: run.metrics,
  };
}

interface LocalFile extends SnapshotFile {
  /** Where its bytes are here. */
  readonly at: string;
}

const toFile = ({ path, digest, sizeBytes }: LocalFile) => ({ path, digest, sizeBytes });

async function describe(at: string, path: string): Promise<LocalFile> {
  if ((await stat(at)).size > MAX_SNAPSHOT_BYTES)
    throw new AppError('too_large', `${at} has more than ${MAX_SNAPSHOT_BYTES / 2 ** 20} MiB, which is not sent`);
  const bytes = await readFile(at);
  return { at, path, digest: sha256(bytes), sizeBytes: bytes.length, executable: false };
}

async function describeFolder(folder: string): Promise<readonly LocalFile[]> {
  const found: LocalFile[] = [];
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const at = join(folder, name);
    if ((await stat(at)).isFile()) found.push(await describe(at, name.replaceAll('\\', '/')));
  }
  return found;
}

/** The bytes, wherever they lie; the server says which it has. */
async function send(client: Client, out: Output, files: readonly LocalFile[]): Promise<void> {
  const sourceManifest = files.map((file) => ({ ...file, path: file.at }));
  await uploadSnapshot(client, '/', { sourceDigest: '', sourceManifest }, (sent, total) =>
    out.progress(`Filing what adopt ran: ${sent} of ${total} files`),
  );
}
