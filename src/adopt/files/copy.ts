import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { refusal } from '../refusal.ts';
import { type FoundFile, isInside } from './data.ts';
import { listFiles } from './listing.ts';

/** What the run may see of the project that nothing refers to: code, configuration, small tables. */
const MAX_UNASKED_BYTES = 64 * 2 ** 20;
const MAX_UNASKED_TOTAL_BYTES = 2 ** 30;

export interface CopyOptions {
  readonly root: string;
  readonly beside: string;
  /** The copy: emptied first. */
  readonly target: string;
  readonly files: readonly FoundFile[];
  /** Takes one member out of an archive. */
  readonly unpack: (archive: string, member: string, target: string) => Promise<void>;
}

/**
 * A copy of the project in which the notebook runs. The original is only read; where the file system can, large files share
 * their blocks with it until one of both is written. Of a folder that is no project (one's home, a disk) only the notebook's own
 * is taken, and what the notebook names.
 */
export async function copyProject(options: CopyOptions): Promise<{ readonly left: readonly string[] }> {
  const { root, beside, target } = options;
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  const asked = new Set(options.files.map(({ source }) => source));
  const left: string[] = [];
  let total = 0;
  const { files, isCut } = await listFiles(root);
  const isWide = isCut || root === homedir() || dirname(root) === root;
  const ordered = files.filter(({ path }) => !isWide || dirname(join(root, path)) === beside);
  ordered.sort((a, b) => rank(a.path) - rank(b.path));
  for (const { path, sizeBytes } of ordered) {
    const source = join(root, path);
    if (asked.has(source)) continue;
    if (sizeBytes > MAX_UNASKED_BYTES || total + sizeBytes > MAX_UNASKED_TOTAL_BYTES) {
      left.push(path);
      continue;
    }
    total += sizeBytes;
    await copyOne(source, join(target, path));
  }
  for (const file of options.files) await copyAsked(options, file);
  await mkdir(join(target, beside.slice(root.length + 1)), { recursive: true });
  return { left };

  /** The notebook's own folder first, then code. */
  function rank(path: string): number {
    if (isInside(join(root, path), beside)) return 0;
    return path.endsWith('.py') ? 1 : 2;
  }
}

async function copyAsked({ target, unpack }: CopyOptions, file: FoundFile): Promise<void> {
  const to = join(target, file.at);
  if (file.isFolder) {
    await mkdir(to, { recursive: true });
    for (const { path } of (await listFiles(file.source)).files) await copyOne(join(file.source, path), join(to, path));
    return;
  }
  if (file.member === null) return copyOne(file.source, to);
  await mkdir(dirname(to), { recursive: true });
  await unpack(file.source, file.member, to);
}

async function copyOne(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  try {
    await copyFile(source, target, constants.COPYFILE_FICLONE);
    // A read-only original must not stop a notebook that writes over its own data.
    await chmod(target, (await stat(target)).mode | 0o600);
  } catch (error) {
    throw refusal('not_copied', `${source} could not be copied: ${error instanceof Error ? error.message : error}`, {
      hint: 'See that it can be read and that there is room on the disk.',
    });
  }
}

/** SHA-256 of a file of any size. */
export async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
