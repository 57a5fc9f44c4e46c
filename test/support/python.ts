import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sha256 } from '../../src/kernel/hash.ts';

const run = promisify(execFile);

/** What model tests need. */
export const SKLEARN = ['scikit-learn', 'skops', 'cloudpickle', 'joblib', 'pandas', 'numpy', 'pyarrow'] as const;

/**
 * The interpreter of an environment with these requirements, built once by uv and cached under `~/.cache/levain-test`. Undefined
 * where uv is missing or nothing could be installed: tests then say what they skip.
 */
export async function testPython(
  requirements: readonly string[] = SKLEARN,
  version = '3.11',
): Promise<string | undefined> {
  const root = join(homedir(), '.cache', 'levain-test');
  const folder = join(root, `py-${sha256(JSON.stringify([version, ...requirements])).slice(0, 16)}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(join(folder, '.ready'))) return python;
  await mkdir(root, { recursive: true });
  const lock = `${folder}.lock`;
  try {
    // Test files run at once; the first one builds and the others wait.
    await writeFile(lock, String(process.pid), { flag: 'wx' });
  } catch {
    return waitFor(folder, lock, python);
  }
  try {
    await rm(folder, { recursive: true, force: true });
    await run('uv', ['venv', '-q', '--python', version, folder]);
    await run('uv', ['pip', 'install', '-q', '--python', python, ...requirements], { timeout: 600_000 });
    await writeFile(join(folder, '.tmp'), '');
    await rename(join(folder, '.tmp'), join(folder, '.ready'));
    return python;
  } catch {
    return undefined;
  } finally {
    await rm(lock, { force: true });
  }
}

async function waitFor(folder: string, lock: string, python: string): Promise<string | undefined> {
  for (let i = 0; i < 1200 && existsSync(lock); i++) await new Promise((resolve) => setTimeout(resolve, 250));
  return existsSync(join(folder, '.ready')) ? python : undefined;
}

/** Runs a script and answers its standard output. */
export async function runPython(
  python: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await run(python, [...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: homedir(), PYTHONWARNINGS: 'ignore', OMP_NUM_THREADS: '1', ...env },
    maxBuffer: 256 * 2 ** 20,
  });
  return stdout;
}
