import type { Client } from '../client/client.ts';
import { shortId } from '../kernel/ids.ts';
import type { WireDetail, WireRun, WireStep } from '../pipelines/index.ts';
import { type CommandContext, EXIT, type ExitCode } from './command.ts';

/** A poll that is shorter than the two seconds in which something must be shown. */
const WAIT_SECONDS = 1;
const TAIL_LINES = 12;

const isOver = (run: WireRun): boolean => run.state !== 'pending' && run.state !== 'running';

/** Follows a run to its end: a line for each step that ended, and what goes on now in between. */
export async function followRun(
  context: Pick<CommandContext, 'client' | 'out' | 'signal'>,
  id: string,
): Promise<WireDetail> {
  const { client, out, signal } = context;
  const told = new Set<string>();
  let detail = await client.get<WireDetail>(`/pipeline-runs/${id}`, { signal });
  for (;;) {
    for (const step of detail.steps) {
      if (!isEnded(step) || told.has(step.name)) continue;
      told.add(step.name);
      out.line(stepLine(step));
    }
    if (isOver(detail.run)) return detail;
    out.progress(nowLine(detail));
    detail = await client.get<WireDetail>(`/pipeline-runs/${id}`, {
      query: { since: detail.stamp, wait: WAIT_SECONDS },
      signal,
    });
  }
}

export const cancelRun = (client: Client, id: string): Promise<WireRun> =>
  client.post<WireRun>(`/pipeline-runs/${id}/cancel`);

/** The exit code that product.md gives to how a run ended. */
export function exitOf(run: WireRun): ExitCode {
  if (run.state === 'succeeded') return EXIT.ok;
  if (run.state === 'gate_failed') return EXIT.gateFailed;
  if (run.state === 'waiting') return EXIT.waiting;
  return run.state === 'refused' ? EXIT.contractBroken : EXIT.failure;
}

/** How it ended, and where it failed what the code said last. */
export function endText({ run, steps }: WireDetail): string {
  const lines = [`Run ${shortId(run.id)}: ${(run.summary ?? run.state).replace(/[.\s]+$/, '')}.`];
  if (run.draft)
    lines.push(
      'It is a draft: its file or code differs from the applied one, so it never becomes champion. levain apply makes it count.',
    );
  const { failure } = run;
  if (!failure) return lines.join('\n');
  const failed = steps.find((step) => step.state === 'failed' || step.state === 'lost');
  if (failure.cell) lines.push('', ...failure.cell.source.split('\n').map((line) => `  ${line}`));
  if (failure.logTail.length > 0) lines.push('', ...failure.logTail.slice(-TAIL_LINES).map((line) => `  ${line}`));
  if (failure.hint) lines.push('', failure.hint);
  if (failed && failed.attempt > 1) lines.push(`(after ${failed.attempt} attempts)`);
  return lines.join('\n');
}

export function nextOf({ run, steps }: WireDetail): string[] {
  const failed = steps.find((step) => step.state === 'failed' || step.state === 'lost');
  if (failed) return [`levain logs ${shortId(run.id)} ${failed.name}`, `levain why ${shortId(run.id)}`];
  const name = run.model === null ? undefined : `${run.model}@v${run.version}`;
  if (run.state === 'waiting' && name) return [`levain approve ${name}`, `levain models show ${name}`];
  if (name && run.draft) return ['levain apply', `levain models show ${name}`];
  if (name) return [`levain models show ${name}`, `levain rollout ${run.model}`];
  return [`levain runs show ${shortId(run.id)}`];
}

const MARKS: Readonly<Record<string, string>> = {
  ok: '✓',
  cached: '=',
  failed: '✗',
  lost: '✗',
  skipped: '-',
  cancelled: '-',
};

const isEnded = (step: WireStep): boolean => step.state in MARKS;

/** @example `✓ train            re-ran because train.ipynb changed  12.3 s` */
export function stepLine(step: WireStep): string {
  const words =
    step.state === 'failed' || step.state === 'lost'
      ? (step.failure?.message ?? step.state)
      : (step.reason ?? step.state);
  const gate = step.outputs?.gate;
  const text = (gate ? gate.sentence : words).replace(/\s*\n\s*/g, ' ');
  const time = step.state === 'ok' || step.state === 'failed' ? `  ${seconds(elapsedMs(step))}` : '';
  return `${MARKS[step.state]} ${step.name.padEnd(16)} ${text}${time}`;
}

function nowLine({ run, steps }: WireDetail): string {
  const busy = steps.filter((step) => step.state === 'running' || step.state === 'leased');
  if (run.state === 'pending') return `Run ${shortId(run.id)} waits for the run before it`;
  if (busy.length === 0) return `Run ${shortId(run.id)} goes on`;
  return busy.map(busyWords).join(' · ');
}

function busyWords(step: WireStep): string {
  const { progress } = step;
  if (progress && progress.of > 0)
    return `${step.name}: cell ${Math.max(1, progress.cell)} of ${progress.of}  ${shorten(progress.title)}  ${seconds(elapsedMs(step))}`;
  const words = step.says ?? (step.state === 'leased' ? (step.reason ?? 'getting ready') : 'runs');
  return `${step.name}: ${words}${step.startedAt === null ? '' : `  ${seconds(elapsedMs(step))}`}`;
}

function elapsedMs(step: WireStep): number {
  if (step.startedAt === null) return 0;
  const end = step.finishedAt === null ? Date.now() : Date.parse(step.finishedAt);
  return Math.max(0, end - Date.parse(step.startedAt));
}

const MAX_TITLE = 60;

const shorten = (text: string): string => (text.length <= MAX_TITLE ? text : `${text.slice(0, MAX_TITLE - 1)}…`);

const seconds = (ms: number): string =>
  ms < 60_000
    ? `${(ms / 1_000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
