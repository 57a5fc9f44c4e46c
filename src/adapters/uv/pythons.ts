import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { runProgram } from './uv-program.ts';

/**
 * The environment in which uv also finds the Pythons that pyenv keeps: each stands in a folder of its own, and pyenv's shims
 * answer for the one that is switched on only. They come last on the PATH.
 */
export function withInstalledPythons(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const versions = join(env['PYENV_ROOT'] ?? join(env['HOME'] ?? homedir(), '.pyenv'), 'versions');
  const folders = namesIn(versions).map((name) => join(versions, name, 'bin'));
  if (folders.length === 0) return env;
  return { ...env, PATH: [...(env['PATH'] ?? '').split(delimiter), ...folders].filter(Boolean).join(delimiter) };
}

/** Versions of CPython that uv finds installed, newest first, each once. */
export async function listPythons(uv: string, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const args = ['python', 'list', '--only-installed', '--output-format', 'json'];
  const { exitCode, stdout } = await runProgram(uv, args, { env: { ...env, NO_COLOR: '1' } });
  if (exitCode !== 0) return [];
  const found = JSON.parse(stdout) as readonly { version: string; implementation: string; variant?: string }[];
  const usable = found.filter((each) => each.implementation === 'cpython' && (each.variant ?? 'default') === 'default');
  return [...new Set(usable.map((each) => each.version))]
    .filter((version) => /^3\.\d+\.\d+$/.test(version))
    .sort(newestFirst);
}

function newestFirst(a: string, b: string): number {
  const [x, y] = [a, b].map((version) => version.split('.').map(Number));
  return y![1]! - x![1]! || y![2]! - x![2]!;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort().reverse();
  } catch {
    return [];
  }
}
