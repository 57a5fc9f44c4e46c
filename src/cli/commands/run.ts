import { AppError, isAppError } from '../../kernel/errors.ts';
import { shortId } from '../../kernel/ids.ts';
import type { WireDetail, WireRun } from '../../pipelines/index.ts';
import { fileAdoptedRun } from '../adopt/filing.ts';
import { readProjectFile, sendSource } from '../apply.ts';
import {
  addExamples,
  type CommandContext,
  type CommandModule,
  type CommandResult,
  EXIT,
  type Options,
  usage,
} from '../command.ts';
import { followToLive, type Live, liveText } from '../live.ts';
import { cancelRun, endText, exitOf, followRun, nextOf } from '../run-view.ts';

export const command: CommandModule = {
  name: 'run',
  group: 'Work',
  summary: 'Run stale steps, then gate, register and deploy as the file says',
  configure(cmd) {
    cmd
      .option(
        '--data <mode>',
        'latest: look at the sources of the data again; current: the newest good versions',
        'current',
      )
      .option('--param <name=value>', "another value for one of the file's params (repeatable)", collect, [])
      .option('--detach', 'start it and return')
      .option('--follow <run>', 'follow a run that goes on')
      .option('--cancel <run>', 'cancel a run');
    addExamples(cmd, [
      ['levain run', 'what changed since the last run, then gate and register'],
      ['levain run --data latest', 'retrain on what the sources hold now'],
      ['levain run --param learning_rate=0.05', 'the same with another parameter'],
      ['levain run --cancel 3f2a9c1', 'stop a run'],
    ]);
  },
  async run(context, _args, options) {
    const { cancel, follow } = options;
    if (typeof cancel === 'string') return cancelled(await cancelRun(context.client, cancel));
    if (typeof follow === 'string') return watch(context, follow, false);
    await context.ensureServer();
    const run = await start(context, options);
    if (options['detach'] === true) {
      const next = [`levain run --follow ${shortId(run.id)}`];
      return { schema: 'run/1', data: { run }, text: `Run ${shortId(run.id)} of ${run.pipeline} is started.`, next };
    }
    context.out.note(
      `Run ${shortId(run.id)} of ${run.pipeline}${run.draft ? ' (a draft: it differs from the applied file)' : ''}`,
    );
    return watch(context, run.id, true);
  },
};

const collect = (value: string, all: readonly string[]): readonly string[] => [...all, value];

/** The folder as it is now; where it was never applied, it is applied first, so that the run counts. */
async function start(context: CommandContext, options: Options): Promise<WireRun> {
  const { client, out, cwd } = context;
  const dataMode = options['data'];
  if (dataMode !== 'latest' && dataMode !== 'current')
    throw usage(`--data is "${String(dataMode)}"; write latest or current`);
  const params = parseParams(options['param'] as readonly string[]);
  const { file } = await readProjectFile(cwd);
  const source = await sendSource(client, out, cwd);
  if (!(await isApplied(context, file.name))) {
    await client.post('/apply', source);
    out.note(`${file.name} was never applied; applied it as it is here.`);
  }
  await fileAdoptedRun(context, cwd, source);
  return client.post<WireRun>(`/pipelines/${encodeURIComponent(file.name)}/runs`, { dataMode, params, source });
}

async function isApplied({ client }: CommandContext, name: string): Promise<boolean> {
  try {
    await client.get(`/pipelines/${encodeURIComponent(name)}`);
    return true;
  } catch (error) {
    if (isAppError(error, 'not_found')) return false;
    throw error;
  }
}

/** Values are JSON where they are (`3`, `true`, `[1]`), else text. */
export function parseParams(given: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at <= 0) throw usage(`--param is "${text}"; write name=value`);
      const value = text.slice(at + 1);
      try {
        return [text.slice(0, at), JSON.parse(value) as unknown];
      } catch {
        return [text.slice(0, at), value];
      }
    }),
  );
}

/** Follows to the end. Ctrl-C stops the run where this command started it, and only the following where not. */
async function watch(context: CommandContext, id: string, own: boolean): Promise<CommandResult> {
  try {
    const detail = await followRun(context, id);
    return await finish(context, detail);
  } catch (error) {
    if (!context.signal.aborted) throw isAppError(error, 'unavailable') ? cutOff(error, id) : error;
    return own ? interrupted(await cancelRun(context.client, id)) : left(id);
  }
}

/** Asks for the approval where one is missing, and goes on to the endpoint; without anybody to ask it ends there. */
async function finish(context: CommandContext, detail: WireDetail): Promise<CommandResult> {
  const { run } = detail;
  const result = { schema: 'run/1', data: detail, text: endText(detail), next: nextOf(detail), exitCode: exitOf(run) };
  const { model, version } = run;
  if (model === null || version === null || run.draft) return result;
  if (run.state === 'succeeded') {
    const isNew = detail.steps.some(({ outputs }) => outputs?.register?.created);
    const live = await followToLive(context, { model, version }, isNew);
    return live || isNew ? withLive(result, { model, version }, live) : result;
  }
  if (run.state !== 'waiting' || !(context.yes || context.isTerminal)) return result;
  const path = `/models/${encodeURIComponent(model)}/versions/${version}`;
  const { sentence } = await context.client.get<{ sentence: string }>(`${path}/approval`);
  if (!(await context.ask(`${sentence} Approve?`))) return result;
  await context.client.post(`${path}/approve`, { reason: 'approved at the end of the run' });
  context.out.note(`${sentence} Approved.`);
  const live = await followToLive(context, { model, version }, true);
  const text = result.text.replace('waits for an approval', 'was approved here');
  return withLive({ ...result, text, exitCode: EXIT.ok }, { model, version }, live);
}

type RunResult = CommandResult & { readonly data: WireDetail; readonly text: string };

function withLive(
  result: RunResult,
  reference: { readonly model: string; readonly version: number },
  live: Live | undefined,
): CommandResult {
  return {
    ...result,
    data: { ...result.data, live: live ?? null },
    text: `${result.text}\n${liveText(reference, live)}`,
    next:
      live?.url != null
        ? [`levain predict ${live.endpoint} --row 3`, `levain monitor ${reference.model}`]
        : [`levain rollout ${reference.model}`, 'levain status'],
  };
}

/** The server is gone, or restarts: its steps go on, and so does the run when it is back. */
const cutOff = ({ code, message }: AppError, id: string): AppError =>
  new AppError(code, `${message} any longer; run ${shortId(id)} goes on when it is back`, {
    hint: `levain up, then levain run --follow ${shortId(id)}`,
  });

const cancelled = (run: WireRun): CommandResult => ({
  schema: 'run/1',
  data: { run },
  text:
    run.finishedAt === null
      ? `Run ${shortId(run.id)} is being cancelled.`
      : `Run ${shortId(run.id)} is over already: ${run.state}.`,
  next: [`levain runs show ${shortId(run.id)}`],
});

const interrupted = (run: WireRun): CommandResult => ({
  ...cancelled(run),
  text: `Run ${shortId(run.id)} is being cancelled, because this command started it. (--detach starts one that goes on.)`,
  exitCode: EXIT.interrupted,
});

const left = (id: string): CommandResult => ({
  schema: 'run/1',
  data: { id },
  text: `Run ${shortId(id)} goes on.`,
  next: [`levain run --follow ${shortId(id)}`, `levain run --cancel ${shortId(id)}`],
  exitCode: EXIT.interrupted,
});
