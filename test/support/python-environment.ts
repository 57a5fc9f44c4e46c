import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createUvEnvironments } from '../../src/adapters/uv/index.ts';
import { digestOf } from '../../src/kernel/hash.ts';
import type { Environments, PythonEnvironment } from '../../src/ports/executor.ts';

/** Kept between test runs, so that an environment is built once a machine. */
export const TEST_CACHE = process.env['LEVAIN_TEST_CACHE'] ?? join(homedir(), '.cache', 'levain-test');

export const NOTEBOOK_REQUIREMENTS = ['ipykernel', 'pandas', 'scikit-learn', 'cloudpickle'] as const;

/** A real environment with these requirements, resolved once and cached with its lock. */
export async function pythonEnvironment(
  requirements: readonly string[],
): Promise<{ readonly environments: Environments; readonly environment: PythonEnvironment; readonly lock: string }> {
  const environments = createUvEnvironments({ dataDir: TEST_CACHE });
  const path = join(TEST_CACHE, 'locks', `${digestOf(requirements).slice(0, 16)}.lock`);
  let lock = await readFile(path, 'utf8').catch(() => undefined);
  if (lock === undefined) {
    lock = await environments.lock(requirements, { python: '3.11' });
    await mkdir(join(TEST_CACHE, 'locks'), { recursive: true });
    await writeFile(path, lock);
  }
  return { environments, environment: await environments.build(lock), lock };
}
