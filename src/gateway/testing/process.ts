import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const TOKEN = 'a-token-for-tests';

/** A gateway in a process of its own, as `levain up` starts it. */
export interface GatewayProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** What it logged. */
  readonly output: () => string;
  /** Ends it without warning; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with its exit code. */
  stop(): Promise<number | null>;
}

export interface GatewayProcessOptions {
  readonly dataDir: string;
  readonly server?: string;
  readonly port?: number;
  readonly nodeArgs?: readonly string[];
}

export async function startGatewayProcess({
  dataDir,
  server,
  port = 0,
  nodeArgs = [],
}: GatewayProcessOptions): Promise<GatewayProcess> {
  mkdirSync(join(dataDir, 'gateway'), { recursive: true });
  writeFileSync(join(dataDir, 'gateway', 'token'), TOKEN, { mode: 0o600 });
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const args = [
    ...nodeArgs,
    main,
    '--data-dir',
    dataDir,
    '--port',
    String(port),
    ...(server ? ['--server', server] : []),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', (line) => {
      try {
        const { gatewayUrl } = JSON.parse(line) as { gatewayUrl?: string };
        if (gatewayUrl) resolve(gatewayUrl);
      } catch {}
      output += `${line}\n`;
    });
    exited.then((code) => reject(new Error(`The gateway ended with ${code}: ${output}`)));
  });
  return {
    url,
    child,
    output: () => output,
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

/** Looks until `read` answers something; the test's own time limit is the only one. */
export async function until<T>(read: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
