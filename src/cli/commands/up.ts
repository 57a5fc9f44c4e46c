import type { Command } from 'commander';
import { createClient } from '../../client/client.ts';
import { AppError, messageOf } from '../../kernel/errors.ts';
import { notebooksIn } from '../adopt/target.ts';
import { applyFolder, hasProjectFile, readProjectFile } from '../apply.ts';
import { addExamples, type CommandContext, type CommandModule, type CommandResult, type Options } from '../command.ts';
import { numberOf, parsePort, textOf } from '../parse.ts';
import { DEFAULT_PORT, findServerRecord, resolveDataDir, saveFolderRecord } from '../records.ts';
import { findServerInfo, type ServerInfo, startDetached } from '../server-process.ts';
import { transport } from '../transport.ts';

export const command: CommandModule = {
  name: 'up',
  group: 'Start',
  summary: 'Start the server here, and apply this folder',
  configure(command) {
    addServerOptions(command);
    command
      .option('--gateway-port <port>', 'port for predictions (default: the one of last time, else 4748)', parsePort)
      .option('-d, --detach', 'return when it is ready, and leave it running')
      .option('--no-apply', 'do not apply this folder');
    addExamples(command, [
      ['levain up', 'server and gateway here, and this folder’s levain.yaml applied'],
      ['levain up -d', 'the same in the background; "levain down" stops it'],
      ['levain up --port 0 --gateway-port 0 --json', 'on free ports, which the first line names'],
    ]);
  },
  async run(context, _args, options) {
    const applies = options['apply'] !== false && (await hasProjectFile(context.cwd));
    if (applies) await readProjectFile(context.cwd);
    const hint = applies || options['apply'] === false ? [] : await adoptHint(context.cwd);
    const dataDir = await resolveDataDir(context.cwd, context.env, options['dataDir']);
    const other = await findRunning(context, options, dataDir);
    if (other) return joinRunning(context, other, applies);
    if (options['detach'] === true) return withHint(await upDetached(context, options, dataDir, applies), hint);
    for (const line of hint)
      context.out.note(`This folder holds a notebook and no levain.yaml; ${line} takes it as it is.`);
    return upHere(context, options, dataDir, applies);
  },
};

/** The one notebook of a folder without a levain.yaml is most likely why somebody stands here. */
async function adoptHint(cwd: string): Promise<readonly string[]> {
  const [only, ...more] = await notebooksIn(cwd);
  return only === undefined || more.length > 0 ? [] : [`levain adopt ${/[^\w./-]/.test(only) ? `"${only}"` : only}`];
}

const withHint = (result: CommandResult, hint: readonly string[]): CommandResult => ({
  ...result,
  next: [...hint, ...(result.next ?? [])],
});

/** Options that `up` and `server` share. */
export function addServerOptions(command: Command): void {
  command
    .option(
      '--port <port>',
      'port of the control plane (default: the one of last time, else 4747); 0 takes a free one',
      parsePort,
    )
    .option('--host <address>', 'address to listen on (default: 127.0.0.1, or LEVAIN_HOST)')
    .option('--data-dir <path>', 'where everything is kept (default: LEVAIN_DATA_DIR, else .levain here)')
    .option('--db <url>', 'a PostgreSQL database (default: LEVAIN_DB, else SQLite in the data directory)')
    .option('--objects <url>', 'an S3 bucket for files (default: LEVAIN_OBJECTS, else the data directory)');
}

/** The options of a root, from flags and environment. */
export function toServerOptions({ env, signal }: CommandContext, options: Options, dataDir: string) {
  return {
    dataDir,
    signal,
    host: textOf(options['host']) ?? env['LEVAIN_HOST'] ?? '127.0.0.1',
    port: numberOf(options['port']) ?? portOf(env['LEVAIN_PORT']),
    gatewayPort: numberOf(options['gatewayPort']) ?? portOf(env['LEVAIN_GATEWAY_PORT']),
    db: textOf(options['db']) ?? env['LEVAIN_DB'],
    objects: textOf(options['objects']) ?? env['LEVAIN_OBJECTS'],
  };
}

const portOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : parsePort(text));

/** A Levain that this `up` would only get in the way of: on the same data directory, or on the port. */
async function findRunning(
  context: CommandContext,
  options: Options,
  dataDir: string,
): Promise<ServerInfo | undefined> {
  const wanted = numberOf(options['port']) ?? portOf(context.env['LEVAIN_PORT']);
  if (wanted === 0) return undefined;
  const record = await findServerRecord(dataDir);
  const url = wanted === undefined && record ? record.url : `http://127.0.0.1:${wanted ?? DEFAULT_PORT}`;
  const info = await findServerInfo(url);
  if (!info) return undefined;
  const chosen = textOf(options['dataDir']) ?? context.env['LEVAIN_DATA_DIR'];
  if (chosen !== undefined && info.dataDir !== dataDir) {
    throw new AppError(
      'conflict',
      `Port ${new URL(url).port} is in use by the Levain of ${info.dataDir ?? 'another directory'}`,
      {
        hint: 'levain up --port 0',
      },
    );
  }
  return info;
}

async function joinRunning(context: CommandContext, info: ServerInfo, applies: boolean): Promise<CommandResult> {
  if (!applies) {
    throw new AppError(
      'conflict',
      `Levain runs already at ${info.url}, and there is no levain.yaml here to apply to it`,
      {
        hint: 'levain status',
      },
    );
  }
  await saveFolderRecord(context.cwd, info.dataDir === null ? { url: info.url } : { dataDir: info.dataDir });
  const answer = await applyFolder(createClient(addressOf(context, info.url), transport), context.out, context.cwd);
  return {
    schema: 'up/1',
    data: { url: info.url, gatewayUrl: info.gatewayUrl, dataDir: info.dataDir, started: false, applied: answer },
    text: `Levain runs already at ${info.url}; applied ${answer.pipeline} to it (${answer.changes.length} changes).`,
    next: ['levain run', 'levain status'],
  };
}

/** The token that belongs to the server, at its own address. */
const addressOf = (context: CommandContext, url: string) => async () => ({ ...(await context.client.address()), url });

async function upDetached(
  context: CommandContext,
  options: Options,
  dataDir: string,
  applies: boolean,
): Promise<CommandResult> {
  const { host, port, gatewayPort, db, objects } = toServerOptions(context, options, dataDir);
  const flags = {
    '--data-dir': dataDir,
    '--host': host,
    '--port': port,
    '--gateway-port': gatewayPort,
    '--db': db,
    '--objects': objects,
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag, String(value)]));
  const record = await startDetached({ dataDir, args, cwd: context.cwd });
  await saveFolderRecord(context.cwd, { dataDir });
  const applied = applies
    ? await applyFolder(createClient(addressOf(context, record.url), transport), context.out, context.cwd)
    : null;
  return {
    schema: 'up/1',
    data: { url: record.url, gatewayUrl: record.gatewayUrl ?? null, dataDir, pid: record.pid, started: true, applied },
    text: `${readyLine(record.url, record.gatewayUrl ?? null)}${applied ? `\nApplied ${applied.pipeline} (${applied.changes.length} changes).` : ''}`,
    next: applies ? ['levain run', 'levain status', 'levain down'] : ['levain status', 'levain down'],
  };
}

async function upHere(
  context: CommandContext,
  options: Options,
  dataDir: string,
  applies: boolean,
): Promise<CommandResult | undefined> {
  const { startUp } = await import('../../main/up.ts');
  const running = await startUp({ ...toServerOptions(context, options, dataDir), withGateway: true, logTo: 'file' });
  await saveFolderRecord(context.cwd, { dataDir });
  const { url, gatewayUrl, adoptedGateway } = running;
  const data = { url, gatewayUrl, dataDir, pid: process.pid, started: true, adoptedGateway };
  if (context.json) context.out.item({ schema: 'up/1', ok: true, data, warnings: [], next: ['levain run'] }, '');
  else context.out.line(`${readyLine(url, gatewayUrl)}\nCtrl-C stops both.`);
  if (applies) await applyHere(context, url);
  await running.ended;
  context.out.note('Levain is stopped.');
  return undefined;
}

/** A folder that cannot be applied does not take the server down. */
async function applyHere(context: CommandContext, url: string): Promise<void> {
  try {
    const answer = await applyFolder(createClient(addressOf(context, url), transport), context.out, context.cwd);
    context.out.note(`Applied ${answer.pipeline} (${answer.changes.length} changes). Next: levain run`);
  } catch (error) {
    if (!context.signal.aborted) context.out.note(`warning: this folder is not applied: ${messageOf(error)}`);
  }
}

const readyLine = (url: string, gatewayUrl: string | null): string =>
  `Levain is ready at ${url}${gatewayUrl === null ? '' : `, predictions at ${gatewayUrl}`}`;
