import { join } from 'node:path';
import { AppError, isAppError } from '../../kernel/errors.ts';
import { type ApplyAnswer, sendSource } from '../apply.ts';
import type { CommandContext } from '../command.ts';
import { findFolderRecord, findServerRecord, saveFolderRecord } from '../records.ts';
import { findServerInfo, type ServerInfo } from '../server-process.ts';
import { type Filed, fileAdoptedRun } from './filing.ts';

export interface HandedOver {
  readonly url: string;
  readonly applied: ApplyAnswer;
  readonly filed: Filed | undefined;
}

/** To the server, where one answers or may be started: the folder applied, and the run filed. */
export async function handOver(context: CommandContext): Promise<HandedOver | undefined> {
  const { client, out, cwd, json, yes, isTerminal } = context;
  const info = await serverOf(context);
  if (info) await recordShared(context, info);
  else {
    if (!yes && (json || !isTerminal)) return undefined;
    try {
      await context.ensureServer();
    } catch (error) {
      if (!isAppError(error)) throw error;
      out.note(`${error.message}. The files stand; levain run files what was run.`);
      return undefined;
    }
  }
  const source = await sendSource(client, out, cwd);
  const applied = await client.post<ApplyAnswer>('/apply', { ...source, dryRun: false });
  const filed = await fileAdoptedRun(context, cwd, source);
  return { url: (await client.address()).url, applied, filed };
}

/** A server that somebody else started serves this folder too from now on. */
async function recordShared({ out, cwd, env, client }: CommandContext, info: ServerInfo): Promise<void> {
  const { url } = await client.address();
  if (env['LEVAIN_URL'] || (await findFolderRecord(cwd)) || (await findServerRecord(join(cwd, '.levain')))) return;
  await saveFolderRecord(cwd, info.dataDir === null ? { url } : { dataDir: info.dataDir });
  out.note(`Levain runs already at ${url}; this folder uses it from now on.`);
}

const MAX_NAMES = 50;

/** The proposed name, or the next one that no other folder has on this server. */
export async function freeName(context: CommandContext, proposed: string): Promise<string> {
  if (!(await serverOf(context))) return proposed;
  for (let i = 1; i <= MAX_NAMES; i++) {
    const name = i === 1 ? proposed : `${proposed}-${i}`;
    const folder = await folderOf(context, name);
    if (folder === undefined || folder === context.cwd) return name;
    context.out.note(`"${name}" is the project of ${folder} on this server already.`);
  }
  throw new AppError('conflict', `The name "${proposed}" is taken on this server`, {
    hint: 'levain adopt --name NAME',
  });
}

async function folderOf({ client }: CommandContext, name: string): Promise<string | undefined> {
  try {
    return (await client.get<{ folder: string }>(`/pipelines/${encodeURIComponent(name)}`)).folder;
  } catch (error) {
    if (isAppError(error, 'not_found')) return undefined;
    throw error;
  }
}

const serverOf = async ({ client }: CommandContext): Promise<ServerInfo | undefined> =>
  findServerInfo((await client.address()).url);
