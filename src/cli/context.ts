import { createInterface } from 'node:readline/promises';
import { createClient } from '../client/client.ts';
import { type CommandContext, type Options, usage } from './command.ts';
import type { Printer } from './output.ts';
import { projectOf, resolveServer } from './records.ts';
import { transport } from './transport.ts';

/** What a command works with, from the global options, the environment and the terminal. */
export function createContext(
  out: Printer,
  options: Options,
  signal: AbortSignal,
  cwd: string = process.cwd(),
): CommandContext {
  const env = process.env;
  const text = (name: string): string | undefined => (typeof options[name] === 'string' ? options[name] : undefined);
  const given = { url: text('url'), project: text('project') ?? env['LEVAIN_PROJECT'] };
  const isTerminal = Boolean(process.stdin.isTTY && process.stdout.isTTY);
  const client = createClient(() => resolveServer(cwd, env, given), transport);
  const yes = options['yes'] === true;
  const ask = async (question: string): Promise<boolean> => {
    if (yes) return true;
    if (!isTerminal) throw usage(`${question} Without a terminal nobody can answer; say --yes if you mean it`);
    return askOnTerminal(question, signal);
  };
  const json = options['json'] === true;
  return {
    client,
    out,
    cwd,
    env,
    isTerminal,
    json,
    yes,
    signal,
    project: given.project ?? projectOf(given.url ?? env['LEVAIN_URL'] ?? ''),
    ask,
    async ensureServer() {
      const { ensureServer } = await import('./server-process.ts');
      await ensureServer({ client, out, cwd, env, ask, signal });
    },
    in: (folder) => createContext(out, options, signal, folder),
  };
}

async function askOnTerminal(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal })).trim());
  } finally {
    lines.close();
  }
}
