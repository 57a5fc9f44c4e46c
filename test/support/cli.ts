import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LEVAIN = fileURLToPath(new URL('../../bin/levain', import.meta.url));

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Envelope<T = unknown> {
  readonly ok: boolean;
  readonly schema?: string;
  readonly data: T;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
}

/** The environment of a command: nothing of the developer's own servers, tokens or configuration. */
export function cliEnv(folder: string, extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('LEVAIN_') || name === 'LEVAIN_UV');
  return { ...Object.fromEntries(kept), LEVAIN_CONFIG_DIR: `${folder}/.config`, ...extra };
}

/** Runs `levain` in a folder, as a person would, and waits for its end. */
export function levain(
  folder: string,
  args: readonly string[],
  options: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Promise<CliResult> {
  const child = spawn(LEVAIN, args, { cwd: folder, env: cliEnv(folder, options.env), stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(options.input ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** The one JSON object on stdout. */
export const envelopeOf = <T = unknown>({ stdout }: CliResult): Envelope<T> => JSON.parse(stdout) as Envelope<T>;

export interface UpData {
  readonly url: string;
  readonly gatewayUrl: string;
  readonly pid: number;
  readonly dataDir: string;
  readonly adoptedGateway?: boolean;
}

export interface Up extends UpData {
  readonly process: ChildProcess;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** `levain up` in the foreground, on free ports unless told otherwise; resolves with its first line. */
export async function startUp(
  folder: string,
  args: readonly string[] = ['--port', '0', '--gateway-port', '0'],
): Promise<Up> {
  const child = spawn(LEVAIN, ['up', '--json', ...args], {
    cwd: folder,
    env: cliEnv(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  let text = '';
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
      if (text.includes('\n')) resolve(text.split('\n', 1)[0]!);
    });
    ended.then((code) => reject(new Error(`levain up ended with ${code}: ${text}`)));
  });
  child.stderr.resume();
  const envelope = JSON.parse(line) as Envelope<UpData>;
  if (!envelope.ok) throw new Error(envelope.error?.message);
  return {
    ...envelope.data,
    process: child,
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}
