import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '../../kernel/errors.ts';
import type { Environments, LockOptions, PythonEnvironment } from '../../ports/executor.ts';
import { lockDigest, type ParsedLock, parseLock } from './lock.ts';
import { listPythons, withInstalledPythons } from './pythons.ts';
import { findUv, runProgram } from './uv-program.ts';

export interface UvEnvironmentsOptions {
  /** Environments stand in `<dataDir>/envs/<digest>`, uv itself in `<dataDir>/tools` where it is missing. */
  readonly dataDir: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Whether all files are compiled ahead (default). Else each is when first imported, which is sooner ready and later quicker. */
  readonly compile?: boolean;
}

type Progress = ((line: string) => void) | undefined;

interface Context {
  readonly envsDir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly compile: boolean;
  readonly uv: (onProgress?: Progress) => Promise<string>;
  readonly building: Map<
    string,
    { readonly result: Promise<PythonEnvironment>; readonly listeners: Set<(line: string) => void> }
  >;
}

const DIGEST = /^[0-9a-f]{64}$/;
const OTHER_BUILDER_POLL_MS = 200;

/**
 * Environments by uv, built in their final place because scripts hold absolute paths; `.ready` is written last and is what makes
 * one whole. Nothing in them is edited later: their files are links into uv's cache.
 */
export function createUvEnvironments(options: UvEnvironmentsOptions): Environments {
  const env = withInstalledPythons(options.env ?? process.env);
  let found: Promise<string> | undefined;
  const uv = (onProgress: Progress) => {
    found ??= findUv(env, join(options.dataDir, 'tools'), onProgress);
    found.catch(() => {
      found = undefined;
    });
    return found;
  };
  const context: Context = {
    envsDir: join(options.dataDir, 'envs'),
    env,
    compile: options.compile ?? true,
    uv,
    building: new Map(),
  };
  return {
    digestOf: (lock) => lockDigest(lock),
    find: (digest) => find(context, digest),
    build: (lock, onProgress) => build(context, lock, onProgress),
    lock: (requirements, lockOptions) => resolve(context, requirements, lockOptions),
    pythons: async () => listPythons(await uv(undefined), env),
  };
}

async function find(context: Context, digest: string): Promise<PythonEnvironment | undefined> {
  if (!DIGEST.test(digest))
    throw new AppError('invalid', `"${digest.slice(0, 80)}" is not an environment digest (64 hex characters)`);
  const folder = join(context.envsDir, digest);
  const text = await readFile(join(folder, '.ready'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const { pythonVersion } = JSON.parse(text) as { pythonVersion: string };
  return { digest, python: join(folder, 'bin', 'python'), pythonVersion };
}

async function build(context: Context, lock: string, onProgress: Progress): Promise<PythonEnvironment> {
  const digest = lockDigest(lock);
  const ready = await find(context, digest);
  if (ready) return ready;
  const running = context.building.get(digest);
  if (running) {
    if (onProgress) running.listeners.add(onProgress);
    return running.result;
  }
  const listeners = new Set(onProgress ? [onProgress] : []);
  const say = (line: string) => {
    for (const listener of listeners) listener(line);
  };
  const result = buildAlone(context, digest, parseLock(lock), say).finally(() => context.building.delete(digest));
  context.building.set(digest, { result, listeners });
  return result;
}

/** Keeps other processes of this machine out with a note that names the builder; a dead builder's half is thrown away. */
async function buildAlone(
  context: Context,
  digest: string,
  lock: ParsedLock,
  say: (line: string) => void,
): Promise<PythonEnvironment> {
  await mkdir(context.envsDir, { recursive: true });
  const note = join(context.envsDir, `${digest}.building`);
  for (;;) {
    const ready = await find(context, digest);
    if (ready) return ready;
    if (await takeNote(note)) break;
    await sleep(OTHER_BUILDER_POLL_MS);
  }
  try {
    return (await find(context, digest)) ?? (await install(context, digest, lock, say));
  } finally {
    await rm(note, { force: true });
  }
}

async function takeNote(note: string): Promise<boolean> {
  try {
    await writeFile(note, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch {
    const holder = Number(await readFile(note, 'utf8').catch(() => 'NaN'));
    if (holder > 0 && holder !== process.pid && isProcess(holder)) return false;
    if (holder > 0) await rm(note, { force: true });
    return false;
  }
}

function isProcess(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function install(
  context: Context,
  digest: string,
  lock: ParsedLock,
  say: (line: string) => void,
): Promise<PythonEnvironment> {
  const uv = await context.uv(say);
  const folder = join(context.envsDir, digest);
  const python = join(folder, 'bin', 'python');
  await rm(folder, { recursive: true, force: true });
  say(`creating a Python ${lock.python} environment`);
  await uvRun(
    context,
    uv,
    ['venv', '--no-project', '--python-preference', 'system', '--python', lock.python, folder],
    say,
    `Python ${lock.python} could not be set up`,
  );
  const compile = context.compile ? ['--compile-bytecode'] : [];
  const install = ['pip', 'install', '--python', python, '--no-deps', ...compile, '--requirement', '-'];
  say(`installing ${lock.lines.length} packages`);
  await uvRun(context, uv, install, say, 'The lock could not be installed', `${lock.lines.join('\n')}\n`);
  await uvRun(
    context,
    uv,
    ['pip', 'check', '--python', python],
    undefined,
    'The lock is not complete (it is installed without resolving); make it again with "uv pip compile"',
  );
  const version = await runProgram(python, ['-c', 'import platform; print(platform.python_version())'], {
    env: context.env,
  });
  const environment: PythonEnvironment = { digest, python, pythonVersion: version.stdout.trim() };
  await writeFile(
    join(folder, '.ready'),
    `${JSON.stringify({ pythonVersion: environment.pythonVersion, platform: `${process.platform}-${process.arch}` })}\n`,
  );
  say('environment ready');
  return environment;
}

async function uvRun(
  context: Context,
  uv: string,
  args: readonly string[],
  onLine: Progress,
  problem: string,
  input?: string,
): Promise<string> {
  const env = { ...context.env, VIRTUAL_ENV: undefined, UV_NO_PROGRESS: '1', NO_COLOR: '1' };
  const result = await runProgram(uv, args, { env, onLine, ...(input !== undefined && { input }) });
  if (result.exitCode === 0) return result.stdout;
  throw new AppError('invalid', `${problem}: ${result.tail.slice(-4).join(' ').replaceAll(/\s+/g, ' ').trim()}`, {
    tail: result.tail,
  });
}

/** No package is that new: for those that the day does not count for. */
const NO_DAY = '2200-01-01';

async function resolve(context: Context, requirements: readonly string[], options: LockOptions): Promise<string> {
  const uv = await context.uv();
  const bounds = await writeConstraints(options.constraints ?? []);
  const args = ['pip', 'compile', '-', '--python-version', options.python, '--python-preference', 'system'];
  args.push('--no-header', '--no-annotate', '--no-emit-index-url', '--no-emit-find-links', '--no-progress');
  if (options.wheelsOnly) args.push('--only-binary', ':all:');
  if (bounds) args.push('--constraints', join(bounds, 'constraints.txt'));
  if (options.excludeNewer) args.push('--exclude-newer', options.excludeNewer);
  for (const name of options.excludeNewer ? (options.anyDay ?? []) : [])
    args.push('--exclude-newer-package', `${name}=${NO_DAY}`);
  try {
    const problem = 'The requirements could not be resolved';
    const out = await uvRun(context, uv, args, undefined, problem, `${requirements.join('\n')}\n`);
    return `# python: ${options.python}\n${out.trim()}\n`;
  } finally {
    if (bounds) await rm(bounds, { recursive: true, force: true });
  }
}

async function writeConstraints(lines: readonly string[]): Promise<string | undefined> {
  if (lines.length === 0) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'levain-lock-'));
  await writeFile(join(folder, 'constraints.txt'), `${lines.join('\n')}\n`);
  return folder;
}
