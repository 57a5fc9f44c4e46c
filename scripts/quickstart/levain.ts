import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/levain', import.meta.url));

/** What a command answered under `--json`. */
export interface CommandAnswer {
  readonly exitCode: number;
  readonly ok: boolean;
  // biome-ignore lint/suspicious/noExplicitAny: the envelope's data has as many shapes as there are commands
  readonly data: any;
  readonly error: { readonly message: string; readonly details?: unknown } | null;
}

/** The real command line and the real HTTP interface: the story has no other door. */
export interface Levain {
  readonly url: string;
  readonly gatewayUrl: string;
  /** Runs a command in the story's folder; `allowed` are exit codes beside 0 that are part of the story. */
  run(args: readonly string[], allowed?: readonly number[]): Promise<CommandAnswer>;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  get(path: string): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many routes
  post(path: string, body: unknown): Promise<any>;
}

export interface Place {
  readonly folder: string;
  readonly dataDir: string;
  readonly signal: AbortSignal;
}

/** Runs one command and reads its envelope; output that is no envelope, or an exit code that is not allowed, throws. */
export async function runLevain(
  place: Place,
  args: readonly string[],
  allowed: readonly number[] = [],
): Promise<CommandAnswer> {
  const { exitCode, stdout, stderr } = await start(place, [...args, '--json']);
  place.signal.throwIfAborted();
  const line = stdout.trim().split('\n').at(-1) ?? '';
  let envelope: { ok?: boolean; data?: unknown; error?: CommandAnswer['error'] };
  try {
    envelope = JSON.parse(line);
  } catch {
    throw new Error(
      `"levain ${args.join(' ')}" answered no JSON (exit ${exitCode}): ${stderr.trim().split('\n').at(-1) ?? line}`,
    );
  }
  if (exitCode !== 0 && !allowed.includes(exitCode))
    throw new Error(
      `"levain ${args.join(' ')}" ended with ${exitCode}: ${envelope.error?.message ?? JSON.stringify(envelope.data)}`,
    );
  return { exitCode, ok: envelope.ok === true, data: envelope.data, error: envelope.error ?? null };
}

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start({ folder, dataDir, signal }: Place, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    // The server's port is in its record; what the caller's shell says of other servers does not count here.
    const { LEVAIN_URL: _url, LEVAIN_TOKEN: _token, ...env } = process.env;
    const child = spawn(BIN, args, {
      cwd: folder,
      env: { ...env, LEVAIN_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C is the story's to handle, once.
      detached: true,
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    // A command that is told to stop undoes what it began: `levain run` cancels its run.
    const interrupt = (): void => void child.kill('SIGINT');
    signal.addEventListener('abort', interrupt);
    child.on('error', reject);
    child.on('close', (code) => {
      signal.removeEventListener('abort', interrupt);
      resolve({ exitCode: code ?? 1, stdout, stderr });
    });
  });
}

export function connect(place: Place, url: string, gatewayUrl: string): Levain {
  const call = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${url}/api/levain/v1${path}`, {
      method,
      signal: place.signal,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const answer = (await response.json()) as { error?: { message?: string } };
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${answer.error?.message ?? ''}`);
    return answer;
  };
  return {
    url,
    gatewayUrl,
    run: (args, allowed) => runLevain(place, args, allowed),
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
  };
}
