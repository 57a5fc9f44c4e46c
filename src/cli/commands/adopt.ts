import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, extname, join, relative, resolve } from 'node:path';
import type { AdoptFiles, AdoptResult, AdoptSpec } from '../../adopt/types.ts';
import { AppError } from '../../kernel/errors.ts';
import { digestOf, sha256 } from '../../kernel/hash.ts';
import { parseDurationMs } from '../../kernel/units.ts';
import { findUnchanged, sourcesOf } from '../adopt/again.ts';
import { readGateMetric } from '../adopt/calibration.ts';
import { LOCK_FILE } from '../adopt/compose.ts';
import { findDecimal, findTexts } from '../adopt/decimal.ts';
import { type PlannedFile, planFiles, REPLACED, writeFiles } from '../adopt/files.ts';
import { freeName, type HandedOver, handOver } from '../adopt/hand-over.ts';
import { type AdoptedRun, findMemory, type Memory, saveMemory } from '../adopt/memory.ts';
import { runAdoption, toRefusal } from '../adopt/process.ts';
import { createProgress } from '../adopt/progress.ts';
import { adoptProject } from '../adopt/project.ts';
import { answerQuestion } from '../adopt/questions.ts';
import { filesText, leaksOf, reportText } from '../adopt/report.ts';
import { findTarget, type Target } from '../adopt/target.ts';
import {
  addExamples,
  type CommandContext,
  type CommandModule,
  type CommandResult,
  EXIT,
  type Options,
  usage,
} from '../command.ts';
import { textOf } from '../parse.ts';
import { resolveDataDir } from '../records.ts';
import { findServerInfo } from '../server-process.ts';
import { takeSnapshot } from '../snapshot.ts';

export const command: CommandModule = {
  name: 'adopt',
  group: 'Start',
  summary: 'Take a notebook as it is: run it, prove it, write levain.yaml',
  configure(cmd) {
    cmd
      .argument('[file]', 'a notebook, a script, or a folder (default: this one)')
      .option('--data <path>', 'a data file or folder that the notebook does not find (repeatable)', collect, [])
      .option('--model <name>', 'the variable to serve, where more than one could be meant')
      .option('--name <name>', 'the name of project, model and endpoint (default: the file’s)')
      .option('--network', 'let the notebook reach the network')
      .option('--cell-timeout <time>', 'stop a cell that takes longer, such as 10m')
      .option('--python <version>', 'the Python to run it with, such as 3.11')
      .option('--dry-run', 'show what would be written, and write nothing')
      .option('--again', 'run it again although nothing has changed');
    addExamples(cmd, [
      [
        'levain adopt churn.ipynb',
        'find an environment and the data, run it, pick the model, prove it, write the files',
      ],
      ['levain adopt churn.ipynb --data ~/Downloads/churn.csv', 'with data that lies elsewhere'],
      ['levain adopt churn.ipynb --model rf', 'serve the variable rf'],
      ['levain adopt --yes && levain run --yes', 'this folder’s notebook, all the way to a live endpoint'],
    ]);
  },
  async run(base, [given], options) {
    const target = await findTarget(base, textOf(given));
    const context = base.in(target.folder);
    const request = requestOf(target, options, base.cwd);
    const dryRun = options['dryRun'] === true;
    const known = dryRun || options['again'] === true ? undefined : await findUnchanged(target.folder, request.digest);
    if (known) return nothingToDo(context, target, known);
    const result = await adopt(context, target, request.spec);
    if (result.t === 'files')
      return adoptProject(context, target, result, {
        dryRun,
        mayWrite,
        name: request.spec.name,
        asked: request.digest,
      });
    const name = request.spec.name ?? (await freeName(context, result.name));
    const gate = await readGateMetric(result);
    const files = await planFiles(target.folder, result, name, {
      metric: gate?.metric ?? null,
      decimal: await findDecimal(result),
      text: await findTexts(result),
    });
    context.out.line(`\n${reportText(result, gate)}\n\n${filesText(files, dryRun)}\n`);
    if (dryRun) return toResult(base, target, { result, files, name, wrote: false });
    if (!(await mayWrite(context, files))) return toResult(base, target, { result, files, name, wrote: false });
    await writeFiles(target.folder, files);
    await remember(target, { result, name, files, asked: request.digest });
    const filed = await handOver(context);
    return toResult(base, target, { result, files, name, wrote: true, filed });
  },
};

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

type Place = Pick<AdoptSpec, 'dataDir' | 'work' | 'server'>;
type Asked = 'source' | 'folder' | 'data' | 'model' | 'network' | 'cellTimeoutMs' | 'python' | 'name';
type Request = Pick<AdoptSpec, Asked>;

function requestOf(target: Target, options: Options, cwd: string): { readonly spec: Request; readonly digest: string } {
  const spec: Request = {
    ...target,
    data: (options['data'] as readonly string[]).map((path) => resolve(cwd, path)),
    model: textOf(options['model']) ?? null,
    network: options['network'] === true,
    cellTimeoutMs: timeoutOf(textOf(options['cellTimeout'])),
    python: textOf(options['python']) ?? null,
    name: textOf(options['name']) ?? null,
  };
  return { spec, digest: digestOf(spec) };
}

function timeoutOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  try {
    return parseDurationMs(text);
  } catch {
    throw usage(`--cell-timeout is "${text}"; write a time such as 90s or 10m`);
  }
}

/** Runs the adoption to its end; a refusal is thrown, and what it left in passing is gone. */
async function adopt(context: CommandContext, target: Target, request: Request): Promise<AdoptResult | AdoptFiles> {
  const { out, signal } = context;
  const work = join(target.folder, '.levain', 'adopt', workName(target));
  await mkdir(work, { recursive: true });
  const { url, token } = await context.client.address();
  const info = await findServerInfo(url);
  const spec: Request & Place = {
    ...request,
    work,
    // Where the server looks for the environment, so that it is built once.
    dataDir: info?.dataDir ?? (await resolveDataDir(target.folder, context.env, undefined)),
    server: info ? { url, token: token ?? null } : null,
  };
  const specPath = join(work, 'spec.json');
  await writeFile(specPath, JSON.stringify(spec), { mode: 0o600 });
  const view = createProgress(out);
  view.show({ t: 'progress', stage: 'read', text: `reading ${basename(target.source)}` });
  try {
    const answer = async (question: Parameters<typeof answerQuestion>[1]) => {
      view.pause();
      return answerQuestion(context, question);
    };
    const end = await runAdoption(specPath, { progress: view.show, answer }, signal);
    if (end.t !== 'refused') return end;
    if (end.details['executed'] === undefined) await sweep(target.folder, work);
    throw toRefusal(end);
  } finally {
    view.end();
    await rm(specPath, { force: true });
  }
}

const workName = ({ source }: Target): string => {
  const stem = basename(source, extname(source))
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .slice(0, 40);
  return `${stem}-${sha256(source).slice(0, 7)}`;
};

/** Empty folders of ours go too. */
async function sweep(folder: string, work: string): Promise<void> {
  await rm(work, { recursive: true, force: true });
  for (const path of ['.levain/adopt', '.levain']) await rmdir(join(folder, path)).catch(() => {});
}

/** New files are what the command is for; what somebody else wrote is replaced only by consent. */
async function mayWrite(context: CommandContext, files: readonly PlannedFile[]): Promise<boolean> {
  const others = files.filter(({ state }) => state === 'other').map(({ path }) => path);
  if (others.length > 0) {
    const what = `${others.join(' and ')} ${others.length === 1 ? 'is' : 'are'} not what adopt wrote`;
    if (!context.yes && (!context.isTerminal || context.json))
      throw new AppError('conflict', `${what}; nothing was written`, { hint: 'levain adopt --yes replaces them' });
    return context.ask(`${what}. Replace (the old text is kept in ${REPLACED})?`);
  }
  if (files.every(({ state }) => state === 'same') || !context.isTerminal || context.json) return true;
  return context.ask('Write these files?');
}

interface Written {
  readonly result: AdoptResult;
  readonly name: string;
  readonly files: readonly PlannedFile[];
  readonly asked: string;
}

async function remember({ folder }: Target, { result, name, files, asked }: Written): Promise<void> {
  const { executed, log, startedAt, endedAt, params, metrics, exports } = result.run;
  const memory: Omit<Memory, 'sourceDigest'> = {
    written: Object.fromEntries(files.map(({ path, text }) => [path, sha256(text)])),
    asked,
    adoptedAt: Date.now(),
    name,
    run: {
      source: { path: result.source.path, digest: result.source.digest },
      data: result.data.map((file) => ({ name: file.name, source: file.source, digest: file.digest })),
      lock: sha256(files.find(({ path }) => path === LOCK_FILE)?.text ?? ''),
      run: { executed, log, startedAt, endedAt, params, metrics, exports },
    },
    filed: {},
  };
  const { sourceDigest } = await takeSnapshot(folder, sourcesOf(folder, memory));
  await saveMemory(folder, { ...memory, sourceDigest });
}

interface Outcome {
  readonly result: AdoptResult;
  readonly files: readonly PlannedFile[];
  readonly name: string;
  readonly wrote: boolean;
  readonly filed?: HandedOver | undefined;
}

function toResult(base: CommandContext, target: Target, { result, files, name, wrote, filed }: Outcome): CommandResult {
  const there = (line: string): string =>
    target.folder === base.cwd ? line : `cd ${relative(base.cwd, target.folder) || '.'} && ${line}`;
  const changed = files.filter(({ state }) => state !== 'same').map(({ path }) => path);
  const written = !wrote
    ? 'Nothing was written.'
    : changed.length === 0
      ? 'Every file stands there already as adopt would write it; nothing was changed.'
      : `Wrote ${changed.join(', ')}.`;
  const lines = [
    written,
    ...(filed
      ? [`${name} is applied to ${filed.url}${filed.filed ? ', and what adopt ran counts as its first run' : ''}.`]
      : []),
  ];
  const next = !wrote
    ? [`levain adopt ${relative(base.cwd, target.source) || '.'}`]
    : filed
      ? [there('levain run')]
      : [there('levain up -d'), there('levain run')];
  return {
    schema: 'adoption/1',
    data: {
      name,
      wrote,
      files: files.map(({ path, text, state }) => ({ path, text, state })),
      server: filed ?? null,
      result,
    },
    text: lines.join('\n'),
    warnings: result.warnings.filter((text) => !leaksOf(result).includes(text)),
    next,
    exitCode: EXIT.ok,
  };
}

async function nothingToDo(
  context: CommandContext,
  target: Target,
  memory: Memory & { readonly run: AdoptedRun },
): Promise<CommandResult> {
  const isFiled = Object.keys(memory.filed).length > 0;
  const filed = isFiled ? undefined : await handOver(context);
  const after = isFiled ? undefined : await findMemory(target.folder);
  const at = new Date(memory.adoptedAt).toISOString().slice(0, 16).replace('T', ' ');
  const files = Object.keys(memory.written).join(', ');
  return {
    schema: 'adoption/1',
    data: {
      name: memory.name,
      wrote: false,
      unchanged: true,
      files: Object.keys(memory.written),
      filed: (after ?? memory).filed,
    },
    text: `Nothing to do: ${memory.run.source.path}, its data and ${files} are as they were when it was adopted (${at} UTC). --again runs it all the same.`,
    next: isFiled || filed ? ['levain run'] : ['levain up -d', 'levain run'],
  };
}
