import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../client/client.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import type { Output } from './command.ts';
import { takeSnapshot, uploadSnapshot } from './snapshot.ts';

export const PROJECT_FILE = 'levain.yaml';

/** What `POST /apply` and a run's `source` take. */
export interface AppliedSource {
  readonly text: string;
  readonly folder: string;
  readonly sourceDigest: string;
  readonly sourceManifest: readonly unknown[];
}

export interface ApplyAnswer {
  readonly pipeline: string;
  readonly digest: string;
  readonly sourceDigest: string;
  readonly applied: boolean;
  readonly dryRun: boolean;
  readonly changes: readonly { readonly key: string; readonly before?: unknown; readonly after?: unknown }[];
}

/** A link to nothing counts: reading it says what is wrong. */
export const hasProjectFile = async (folder: string): Promise<boolean> =>
  lstat(join(folder, PROJECT_FILE)).then(
    () => true,
    () => false,
  );

/** Throws `not_found` where this folder has none. */
export async function readProjectText(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, PROJECT_FILE), 'utf8');
  } catch (error) {
    throw await toReadError(folder, error);
  }
}

async function toReadError(folder: string, error: unknown): Promise<AppError> {
  const path = join(folder, PROJECT_FILE);
  const { code } = error as { code?: string };
  if (code === 'ENOENT' && !(await hasProjectFile(folder))) {
    const message = `There is no ${PROJECT_FILE} in ${folder}; go to the project's folder, or write one`;
    return new AppError('not_found', message);
  }
  const what: Record<string, string> = {
    ENOENT: 'is a link to nothing; point it at the file',
    EISDIR: 'is a folder; the project is described by a file of that name',
    EACCES: 'may not be read by this user; change its mode',
  };
  return new AppError('unavailable', `${path} ${what[code ?? ''] ?? `cannot be read (${messageOf(error)})`}`);
}

/** Reads and checks the file before anything else happens: a wrong one throws `invalid` with line and key. */
export async function readProjectFile(folder: string) {
  const { parseProjectFile } = await import('../project-file/index.ts');
  const text = await readProjectText(folder);
  return { text, file: parseProjectFile(text, join(folder, PROJECT_FILE)) };
}

/** Takes the snapshot of the folder, uploads what the server lacks, and answers what `apply` and `run` send. */
export async function sendSource(client: Client, out: Output, folder: string): Promise<AppliedSource> {
  const { text, file } = await readProjectFile(folder);
  const sources = Object.values(file.data).flatMap(({ from }) =>
    typeof from === 'string' && !from.includes('://') ? [from] : [],
  );
  const snapshot = await takeSnapshot(folder, sources);
  await uploadSnapshot(client, folder, snapshot, (sent, total) =>
    out.progress(`Sending the project: ${sent} of ${total} files`),
  );
  return { text, folder, ...snapshot };
}

/** Applies the folder's levain.yaml, or only says what would change. */
export async function applyFolder(client: Client, out: Output, folder: string, dryRun = false): Promise<ApplyAnswer> {
  const source = await sendSource(client, out, folder);
  return client.post<ApplyAnswer>('/apply', { ...source, dryRun });
}
