import { AppError } from '../../kernel/errors.ts';
import { shortId } from '../../kernel/ids.ts';
import type { WireDetail, WireRun, WireStep } from '../../pipelines/wire.ts';
import type { TrackedRunWire } from '../../tracking/wire.ts';
import { addExamples, type CommandContext, type CommandModule, usage } from '../command.ts';

interface LogChunk {
  readonly step: string;
  readonly attempt: number;
  readonly text: string;
  readonly nextOffset: number;
  readonly finished: boolean;
}

const WAIT_SECONDS = 20;
const BUSY = new Set(['leased', 'running']);

export const command: CommandModule = {
  name: 'logs',
  group: 'Work',
  summary: 'Print what a run or a step wrote',
  configure(command) {
    command
      .argument('[run]', 'a run, or the last characters of its id; by default the latest')
      .argument('[step]', 'by default the step that failed, runs, or ran last')
      .option('-f, --follow', 'go on as the step writes, until it ends')
      .option('--attempt <number>', 'an earlier attempt of the step');
    addExamples(command, [
      ['levain logs', 'the step of the latest run that failed or runs now'],
      ['levain logs 4f0c2aa train -f', 'follow one step'],
    ]);
  },
  async run(context, [run, step], options) {
    const detail = await findRun(context, run === undefined ? undefined : String(run));
    const name = step === undefined ? stepOf(detail).name : String(step);
    const text = await printLog(context, detail.run.id, name, {
      follow: options['follow'] === true,
      attempt: attemptOf(options['attempt']),
    });
    return {
      schema: 'log/1',
      data: { runId: detail.run.id, step: name, text },
      next: [`levain runs show ${shortId(detail.run.id)}`],
    };
  },
};

/** A run of a pipeline by the end of its id; a tracked run leads to the run whose step made it. */
async function findRun(context: CommandContext, id: string | undefined): Promise<WireDetail> {
  const { client } = context;
  const { items } = await client.get<{ items: readonly WireRun[] }>('/pipeline-runs', { query: { limit: 200 } });
  const known = id === undefined ? items[0] : items.find((run) => run.id.endsWith(id));
  if (known) return client.get<WireDetail>(`/pipeline-runs/${known.id}`);
  if (id === undefined) throw new AppError('not_found', 'No pipeline has run yet', { hint: 'levain run' });
  return client.get<WireDetail>(`/pipeline-runs/${await pipelineRunOf(context, id)}`);
}

async function pipelineRunOf({ client }: CommandContext, id: string): Promise<string> {
  const { items } = await client.get<{ items: readonly TrackedRunWire[] }>('/runs', { query: { limit: 1_000 } });
  const run = items.find((candidate) => candidate.id.endsWith(id));
  const parent = run?.tags['levain.pipeline_run'];
  if (parent) return parent;
  if (run) throw new AppError('not_found', `Run ${id} was not made by a step, so it has no log here`);
  throw new AppError('not_found', `There is no run that ends in "${id}"`, { hint: 'levain runs' });
}

function stepOf({ steps }: WireDetail): WireStep {
  const written = steps.filter((step) => (step.kind === 'run' || step.kind === 'notebook') && step.attempt > 0);
  const step = written.find(({ failure }) => failure) ?? written.find(({ state }) => BUSY.has(state)) ?? written.at(-1);
  if (step) return step;
  const cached = steps.findLast(({ state, cachedFrom }) => state === 'cached' && cachedFrom !== null);
  if (cached?.cachedFrom) {
    const hint = `levain logs ${shortId(cached.cachedFrom)} ${cached.name}`;
    const message = `The steps of this run came from the cache; ${cached.name} was computed by run ${shortId(cached.cachedFrom)}`;
    throw new AppError('not_found', message, { hint });
  }
  throw new AppError(
    'not_found',
    `No step of this run has started; its steps are ${steps.map((s) => s.name).join(', ')}`,
  );
}

async function printLog(
  { client, out, json, signal }: CommandContext,
  runId: string,
  step: string,
  { follow, attempt }: { readonly follow: boolean; readonly attempt: number | undefined },
): Promise<string> {
  const path = `/pipeline-runs/${runId}/steps/${encodeURIComponent(step)}/log`;
  const parts: string[] = [];
  let rest = '';
  for (let offset = 0; !signal.aborted; ) {
    const query = { offset, attempt, wait: follow ? WAIT_SECONDS : 0 };
    const chunk = await client.get<LogChunk>(path, { query, signal });
    if (json) parts.push(chunk.text);
    else rest = printLines(out, rest + chunk.text);
    const isEmpty = chunk.text === '';
    offset = chunk.nextOffset;
    if (chunk.finished || (!follow && isEmpty)) break;
  }
  if (rest !== '') out.line(rest);
  return parts.join('');
}

/** Whole lines are printed; what follows the last line break waits for the rest of its line. */
function printLines(out: CommandContext['out'], text: string): string {
  const lines = text.split('\n');
  const rest = lines.pop() ?? '';
  for (const line of lines) out.line(line);
  return rest;
}

function attemptOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const attempt = Number(value);
  if (Number.isInteger(attempt) && attempt >= 1) return attempt;
  throw usage(`--attempt takes a number from 1, not "${String(value)}"`);
}
