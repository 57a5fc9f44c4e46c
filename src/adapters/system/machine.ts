import { execFile } from 'node:child_process';
import { access, constants, lstat, readdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../kernel/errors.ts';
import type { Finding, Machine, Storage } from '../../ports/machine.ts';
import type { Clock } from '../../ports/system.ts';

const REMEMBER_MS = 60_000;
const MAX_FILES = 200_000;
const LOW_DISK_BYTES = 2 * 2 ** 30;
const PROGRAM_MS = 10_000;
const run = promisify(execFile);

export interface MachineOptions {
  readonly dataDir: string;
  readonly clock: Clock;
  /** Asks the database for something small. */
  readonly askDatabase: () => Promise<unknown>;
  readonly env: NodeJS.ProcessEnv;
}

/** Measures the data directory and looks for programs. */
export function createMachine(options: MachineOptions): Machine {
  let known: Promise<Storage> | undefined;
  let until = 0;
  return {
    storage() {
      if (!known || options.clock.now() >= until) {
        until = options.clock.now() + REMEMBER_MS;
        known = measure(options);
        known.catch(() => {
          known = undefined;
        });
      }
      return known;
    },
    check: () => Promise.all([checkNode(), ...programs(options), checkDataDir(options), checkDatabase(options)]),
  };
}

type Kind = Storage['items'][number]['kind'];

/** What lies at the top of a data directory, by the start of its name. */
const KINDS: readonly (readonly [prefix: string, kind: Kind])[] = [
  ['db.sqlite', 'database'],
  ['before-', 'backups'],
  ['objects', 'content'],
  ['envs', 'environments'],
  ['work', 'runs'],
  ['gateway', 'gateway'],
  ['cache', 'cache'],
  ['tmp', 'cache'],
];

const kindOf = (name: string): Kind => KINDS.find(([prefix]) => name.startsWith(prefix))?.[1] ?? 'other';

async function measure({ dataDir, clock }: MachineOptions): Promise<Storage> {
  const sizes = new Map<Kind, { sizeBytes: number; files: number }>();
  const budget = { left: MAX_FILES };
  for (const name of await readdir(dataDir)) {
    const kind = kindOf(name);
    const sum = sizes.get(kind) ?? { sizeBytes: 0, files: 0 };
    await addSizes(join(dataDir, name), sum, budget);
    sizes.set(kind, sum);
  }
  const items = [...sizes].map(([kind, sum]) => ({ kind, ...sum })).sort((a, b) => b.sizeBytes - a.sizeBytes);
  return {
    items,
    totalBytes: items.reduce((total, { sizeBytes }) => total + sizeBytes, 0),
    freeBytes: await freeBytes(dataDir).catch(() => null),
    isComplete: budget.left > 0,
    measuredAt: clock.now(),
  };
}

/** So many entries of a folder are looked at together. */
const AT_ONCE = 32;

/** Files come and go meanwhile; what is gone has no size. Links are not followed. */
async function addSizes(
  path: string,
  sum: { sizeBytes: number; files: number },
  budget: { left: number },
): Promise<void> {
  if (budget.left <= 0) return;
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isDirectory()) {
    budget.left -= 1;
    sum.files += 1;
    sum.sizeBytes += found.size;
    return;
  }
  const names = await readdir(path).catch(() => []);
  for (let i = 0; i < names.length; i += AT_ONCE)
    await Promise.all(names.slice(i, i + AT_ONCE).map((name) => addSizes(join(path, name), sum, budget)));
}

async function freeBytes(dataDir: string): Promise<number> {
  const { bavail, bsize } = await statfs(dataDir);
  return bavail * bsize;
}

async function checkNode(): Promise<Finding> {
  const isNew = Number(process.versions.node.split('.')[0]) >= 24;
  return {
    name: 'node',
    state: isNew ? 'ok' : 'missing',
    detail: process.version,
    fix: isNew ? null : 'install Node 24 or newer',
  };
}

const programs = ({ env }: MachineOptions): readonly Promise<Finding>[] => [
  checkProgram('python3', 'install Python 3.11 or newer'),
  checkProgram(env['LEVAIN_UV'] ?? 'uv', 'it is installed by itself when first needed'),
  checkProgram('git', 'without it, snapshots walk the folder'),
];

async function checkProgram(program: string, fix: string): Promise<Finding> {
  const name = program.split('/').at(-1)!;
  try {
    const { stdout } = await run(program, ['--version'], { timeout: PROGRAM_MS });
    return { name, state: 'ok', detail: stdout.trim().split('\n')[0]!, fix: null };
  } catch {
    return { name, state: 'warning', detail: 'not found', fix };
  }
}

async function checkDataDir({ dataDir }: MachineOptions): Promise<Finding> {
  const name = 'data directory';
  try {
    await access(dataDir, constants.W_OK);
    const free = await freeBytes(dataDir);
    const isLow = free < LOW_DISK_BYTES;
    return {
      name,
      state: isLow ? 'warning' : 'ok',
      detail: `writable, ${(free / 2 ** 30).toFixed(1)} GiB free`,
      fix: isLow ? 'free some space, or choose another with --data-dir' : null,
    };
  } catch (error) {
    return { name, state: 'missing', detail: messageOf(error), fix: 'choose another with --data-dir' };
  }
}

async function checkDatabase({ askDatabase, clock }: MachineOptions): Promise<Finding> {
  const before = clock.now();
  try {
    await askDatabase();
    return { name: 'database', state: 'ok', detail: `answers in ${clock.now() - before} ms`, fix: null };
  } catch (error) {
    return { name: 'database', state: 'missing', detail: messageOf(error), fix: 'see server.log' };
  }
}
