import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { AppError } from '../../kernel/errors.ts';

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  /** The last lines of what it said on stderr. */
  readonly tail: readonly string[];
}

const TAIL_LINES = 30;
const MAX_STDOUT_BYTES = 16 * 2 ** 20;

const SETPRIV = '/usr/bin/setpriv';

/** Process groups that run now. They end with this process: a build goes on at the next start. */
const running = new Set<number>();
let isWatching = false;

function endWithUs(pid: number): () => void {
  running.add(pid);
  if (!isWatching) process.once('exit', () => running.forEach(killGroup));
  isWatching = true;
  return () => void running.delete(pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Runs a program to its end; stderr comes line by line. Never rejects for an exit code. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: {
    readonly env: NodeJS.ProcessEnv;
    readonly input?: string;
    readonly onLine?: ((line: string) => void) | undefined;
  },
): Promise<ProgramResult> {
  // A group of its own, with what it starts itself; where the kernel offers it, a killed server takes it along too.
  const [program, ...before] = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', command] : [command];
  const child = spawn(program!, [...before, ...args], {
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const forget = child.pid === undefined ? () => {} : endWithUs(child.pid);
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      forget();
      resolve(code ?? 1);
    });
  });
  const tail: string[] = [];
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (stdout.length < MAX_STDOUT_BYTES) stdout += text;
  });
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.trim() === '') return;
    tail.push(line);
    if (tail.length > TAIL_LINES) tail.shift();
    options.onLine?.(line);
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  return { exitCode: await exited, stdout, tail };
}

/**
 * Where uv is: `LEVAIN_UV`, the PATH, our own tools folder; where it is nowhere, it is installed into the tools folder with the
 * system's Python. Throws `precondition_failed` with what to do where that fails too.
 */
export async function findUv(
  env: NodeJS.ProcessEnv,
  toolsDir: string,
  onProgress?: (line: string) => void,
): Promise<string> {
  const named = env['LEVAIN_UV'];
  if (named) {
    if (await isExecutable(named)) return named;
    throw new AppError(
      'precondition_failed',
      `LEVAIN_UV is "${named}", which is not a program; point it at uv or unset it`,
    );
  }
  const own = join(toolsDir, 'uv', 'bin', 'uv');
  const candidates = [
    ...(env['PATH'] ?? '')
      .split(delimiter)
      .filter(Boolean)
      .map((folder) => join(folder, 'uv')),
    own,
  ];
  for (const candidate of candidates) if (await isExecutable(candidate)) return candidate;
  onProgress?.('installing uv into the tools folder');
  await mkdir(toolsDir, { recursive: true });
  await must('python3', ['-m', 'venv', join(toolsDir, 'uv')], env);
  await must(join(toolsDir, 'uv', 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', 'uv'], env);
  return own;
}

async function must(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const result = await runProgram(command, args, { env }).catch((error: Error) => ({
    exitCode: 1,
    tail: [error.message],
  }));
  if (result.exitCode === 0) return;
  throw new AppError(
    'precondition_failed',
    `Python environments need uv, and it could not be installed (${result.tail.at(-1) ?? 'no reason given'}); run "pip install uv", or set LEVAIN_UV`,
    { tail: result.tail },
  );
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
