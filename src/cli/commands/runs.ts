import { AppError, isAppError } from '../../kernel/errors.ts';
import { shortId } from '../../kernel/ids.ts';
import type { WireDetail, WireRun } from '../../pipelines/wire.ts';
import type { TrackedRunDetailWire, TrackedRunWire } from '../../tracking/wire.ts';
import { addExamples, type CommandContext, type CommandModule, type CommandResult, type Options } from '../command.ts';

interface Items<T> {
  readonly items: readonly T[];
}

const METRICS_SHOWN = 3;

const show: CommandModule = {
  name: 'show',
  group: 'Work',
  summary: 'Show one run: its steps, or what it logged',
  configure(command) {
    command.argument('<id>', 'the id, or its last characters as `levain runs` prints them');
    addExamples(command, [
      ['levain runs show 4f0c2aa', 'steps, parameters, metrics and models of one run'],
      ['levain runs show 4f0c2aa --json', 'all of it for a script'],
    ]);
  },
  async run(context, [id]) {
    const wanted = String(id);
    const pipelineRun = await findPipelineRun(context, wanted);
    return pipelineRun
      ? showPipelineRun(context, pipelineRun)
      : showTracked(context, await getTracked(context, wanted));
  },
};

export const command: CommandModule = {
  name: 'runs',
  group: 'Work',
  summary: 'List runs, or show one',
  configure(command) {
    command
      .option('-n, --limit <count>', 'runs of each kind at most', '15')
      .option('--pipeline <name>', 'only this pipeline')
      .option('--filter <text>', 'tracked runs that match, such as "metrics.accuracy > 0.9 and params.depth = \'3\'"')
      .option('--order <field>', 'order of the tracked runs, such as "metrics.accuracy DESC"');
    addExamples(command, [
      ['levain runs', 'the latest runs of pipelines, and tracked runs'],
      ['levain runs --filter "metrics.acc > 0.9" --order \'metrics.acc DESC\'', 'the best tracked runs'],
      ['levain runs show 4f0c2aa', 'one run'],
    ]);
  },
  run: listRuns,
  subcommands: [show],
};

async function listRuns(context: CommandContext, _args: readonly unknown[], options: Options): Promise<CommandResult> {
  const limit = countOf(options['limit']);
  const pipeline = textOf(options['pipeline']);
  const filter = textOf(options['filter']);
  const isSearch = filter !== undefined || options['order'] !== undefined;
  const pipelineRuns = isSearch ? [] : await listPipelineRuns(context, { limit, pipeline });
  const query = { limit, filter, order: textOf(options['order']) };
  const tracked = pipeline ? [] : (await context.client.get<Items<TrackedRunWire>>('/runs', { query })).items;
  const parts = [pipelineTable(context, pipelineRuns), trackedTable(context, tracked)].filter((part) => part !== '');
  const first = pipelineRuns[0]?.id ?? tracked[0]?.id;
  return {
    schema: 'runs/1',
    data: { pipelineRuns, trackedRuns: tracked },
    text: parts.length > 0 ? parts.join('\n\n') : isSearch ? 'No run matches.' : 'No runs yet.',
    next: first === undefined ? ['levain run'] : [`levain runs show ${shortId(first)}`],
  };
}

/** Empty where the server has tracking alone. */
async function listPipelineRuns(
  { client }: CommandContext,
  query: { readonly limit: number; readonly pipeline?: string | undefined },
): Promise<readonly WireRun[]> {
  try {
    return (await client.get<Items<WireRun>>('/pipeline-runs', { query })).items;
  } catch (error) {
    if (isAppError(error, 'not_found')) return [];
    throw error;
  }
}

function pipelineTable({ out }: CommandContext, runs: readonly WireRun[]): string {
  if (runs.length === 0) return '';
  const rows = runs.map((run) => [
    shortId(run.id),
    run.pipeline,
    run.state,
    run.trigger.kind,
    run.createdAt.slice(0, 16).replace('T', ' '),
    durationOf(run.startedAt, run.finishedAt),
  ]);
  return out.table(['RUN', 'PIPELINE', 'STATE', 'TRIGGER', 'CREATED', 'TOOK'], rows);
}

function trackedTable({ out }: CommandContext, runs: readonly TrackedRunWire[]): string {
  if (runs.length === 0) return '';
  const rows = runs.map((run) => [
    shortId(run.id),
    run.name,
    run.status.toLowerCase(),
    run.startedAt.slice(0, 16).replace('T', ' '),
    durationOf(run.startedAt, run.endedAt),
    metricsOf(run).slice(0, METRICS_SHOWN).join('  '),
  ]);
  return out.table(['TRACKED', 'NAME', 'STATUS', 'STARTED', 'TOOK', 'METRICS'], rows);
}

async function findPipelineRun(context: CommandContext, id: string): Promise<WireDetail | undefined> {
  const known = (await listPipelineRuns(context, { limit: 200 })).find((run) => run.id.endsWith(id));
  return known && context.client.get<WireDetail>(`/pipeline-runs/${known.id}`);
}

async function getTracked({ client }: CommandContext, id: string): Promise<TrackedRunDetailWire> {
  const { items } = await client.get<Items<TrackedRunWire>>('/runs', { query: { limit: 1_000, view: 'all' } });
  const matches = items.filter((run) => run.id.endsWith(id));
  if (matches.length > 1) {
    throw new AppError('invalid', `"${id}" is the end of ${matches.length} runs; write more of the id`);
  }
  return client.get<TrackedRunDetailWire>(`/runs/${encodeURIComponent(matches[0]?.id ?? id)}`);
}

function showPipelineRun({ out }: CommandContext, { run, steps }: WireDetail): CommandResult {
  const rows = steps.map((step) => [
    step.name,
    step.state,
    durationOf(step.startedAt, step.finishedAt),
    step.failure?.message ?? step.reason ?? step.says ?? '',
  ]);
  const failed = steps.find((step) => step.failure);
  const head = `${run.pipeline} ${shortId(run.id)}  ${run.state}  ${durationOf(run.startedAt, run.finishedAt)}`;
  return {
    schema: 'run/1',
    data: { run, steps },
    text: `${head}\n\n${out.table(['STEP', 'STATE', 'TOOK', 'WHY'], rows)}`,
    next: [failed ? `levain logs ${shortId(run.id)} ${failed.name}` : `levain why ${shortId(run.id)}`],
  };
}

function showTracked({ out }: CommandContext, run: TrackedRunDetailWire): CommandResult {
  const pairs = (record: Readonly<Record<string, unknown>>): string[][] =>
    Object.entries(record).map(([key, value]) => [key, String(value ?? 'NaN').slice(0, 80)]);
  const models = run.models.map(({ name, status, explicit }) => [
    name,
    status.toLowerCase(),
    explicit ? '' : 'autolog',
  ]);
  const parts = [
    `${run.name} ${shortId(run.id)}  ${run.status.toLowerCase()}  ${durationOf(run.startedAt, run.endedAt)}  by ${run.user || 'unknown'}`,
    tableOf(out, ['METRIC', 'LATEST'], pairs(run.metrics)),
    tableOf(out, ['PARAMETER', 'VALUE'], pairs(run.params)),
    tableOf(out, ['MODEL', 'STATUS', ''], models),
    tableOf(
      out,
      ['TAG', 'VALUE'],
      pairs(run.tags).filter(([key]) => !key!.startsWith('mlflow.')),
    ),
  ];
  return {
    schema: 'tracked-run/1',
    data: run,
    text: parts.filter((part) => part !== '').join('\n\n'),
    next: run.attemptId === null ? ['levain runs'] : [`levain logs ${shortId(run.id)}`],
  };
}

const tableOf = (
  out: CommandContext['out'],
  header: readonly string[],
  rows: readonly (readonly unknown[])[],
): string => (rows.length === 0 ? '' : out.table(header, rows));

const metricsOf = (run: TrackedRunWire): string[] =>
  Object.entries(run.metrics).map(([key, value]) => `${key} ${value === null ? 'NaN' : Number(value.toPrecision(4))}`);

function durationOf(from: string | null, to: string | null): string {
  if (from === null) return '';
  if (to === null) return 'under way';
  const seconds = Math.max(0, Date.parse(to) - Date.parse(from)) / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return seconds < 3_600
    ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
    : `${(seconds / 3_600).toFixed(1)} h`;
}

function countOf(value: unknown): number {
  const count = Number(value);
  if (Number.isInteger(count) && count >= 1 && count <= 200) return count;
  throw new AppError('invalid', `--limit takes a number from 1 to 200, not "${String(value)}"`);
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
