import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Json } from '../kernel/canonical-json.ts';
import { sha256 } from '../kernel/hash.ts';
import type { TaskState } from '../ports/executor.ts';
import type { StepSection } from '../project-file/index.ts';
import type { Attempt } from './attempts.ts';
import type { PipelinesDeps } from './deps.ts';
import type { FailureCause } from './engine-types.ts';
import { failureOf } from './failures.ts';
import { collectFolder, type Exports } from './outputs.ts';
import type { Failure } from './types.ts';

/** What the notebook's process leaves in `result.json`, as far as the engine reads it. */
const NotebookResult = z.object({
  status: z.enum(['ok', 'error', 'dead', 'timeout', 'invalid']),
  cell: z.object({ code: z.number(), of: z.number(), source: z.string() }).nullable(),
  error: z.object({ name: z.string(), message: z.string() }).nullable(),
  cause: z.string().nullable(),
  exports: z.array(z.object({ variable: z.string(), ok: z.boolean(), facts: z.record(z.string(), z.json()) })),
});
type NotebookResult = z.output<typeof NotebookResult>;

/** The spec.json of `notebooks/main.ts`. */
export function notebookSpec(input: {
  readonly attempt: Attempt;
  readonly section: StepSection;
  readonly params: Readonly<Record<string, Json>>;
  readonly python: string;
  readonly exports: readonly string[];
  /** What the kernel is watched for, as `notebooks/types.ts` has it. */
  readonly watch: Readonly<Record<string, unknown>> | null;
}): Readonly<Record<string, unknown>> {
  const { attempt, section } = input;
  const notebook = section.notebook ?? '';
  const folder = notebook.includes('/') ? notebook.slice(0, notebook.lastIndexOf('/')) : '';
  return {
    notebook: join(attempt.src, notebook),
    name: notebook,
    cwd: join(attempt.src, folder),
    python: input.python,
    output: join(attempt.folder, 'executed.ipynb'),
    progress: join(attempt.folder, 'progress.jsonl'),
    result: join(attempt.folder, 'result.json'),
    params: input.params,
    cellTimeoutMs: null,
    timeoutMs: section.timeoutMs,
    watch: input.watch,
    mayFail: section.mayFail,
    front: isAdopted(input) ? { root: attempt.src, reads: section.reads } : null,
    exports: input.exports.map((variable) => ({
      variable,
      folder: join(attempt.folder, 'exports', fileNameOf(variable)),
      facts: join(attempt.folder, `export-${fileNameOf(variable)}.json`),
    })),
  };
}

/** A notebook that is not written for this machine: what adopt did for it is done again. */
const isAdopted = ({ section, watch }: Pick<Parameters<typeof notebookSpec>[0], 'section' | 'watch'>): boolean =>
  Object.keys(section.reads).length > 0 || section.mayFail.length > 0 || (watch?.features ?? null) !== null;

/** A variable under its own name; what one holds (`models['a/b']`) under its digest. */
const fileNameOf = (variable: string): string =>
  /^\w+$/.test(variable) ? variable : `reached-${sha256(variable).slice(0, 16)}`;

export async function readNotebookResult(attempt: Attempt): Promise<NotebookResult | undefined> {
  const text = await readFile(join(attempt.folder, 'result.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : NotebookResult.safeParse(JSON.parse(text)).data;
}

/** The saved variables, into the content store; one that could not be saved keeps its facts, which say why. */
export async function collectExports(deps: Pick<PipelinesDeps, 'content'>, attempt: Attempt): Promise<Exports> {
  const result = await readNotebookResult(attempt);
  const found: Exports = {};
  for (const { variable, ok, facts } of result?.exports ?? []) {
    found[variable] = {
      files: ok ? await collectFolder(deps, join(attempt.folder, 'exports', fileNameOf(variable))) : [],
      facts,
    };
  }
  return found;
}

/** In plain words why a step's process did not get through, and whether another attempt may help. */
export function failureOfExit(input: {
  readonly state: TaskState;
  readonly timedOut: boolean;
  readonly section: StepSection;
  readonly step: string;
  readonly result: NotebookResult | undefined;
  readonly tail: readonly string[];
}): { readonly failure: Failure; readonly cause: FailureCause } {
  const { state, section, result, tail } = input;
  const name = section.notebook ?? input.step;
  if (state.state !== 'exited') {
    const reason = state.state === 'lost' ? state.reason : `its process is ${state.state}`;
    return { failure: failureOf('lost', `${name} was lost: ${reason}`, { logTail: tail }), cause: 'lost' };
  }
  const more = { exitCode: state.exitCode, logTail: tail };
  if (input.timedOut || result?.status === 'timeout') {
    const message = `${name} took longer than its timeout of ${(section.timeoutMs ?? 0) / 1_000} s`;
    return {
      failure: failureOf('timeout', message, {
        ...more,
        cell: result?.cell ?? null,
        hint: `raise steps.${input.step}.timeout`,
      }),
      cause: 'exit',
    };
  }
  if (result && result.status !== 'ok') {
    const { memoryBytes } = section.resources;
    const limit = memoryBytes === null ? null : `steps.${input.step}.resources.memory (${toMiB(memoryBytes)} MiB)`;
    return ofNotebook(result, name, more, { isKnown: state.oom === true, limit });
  }
  if (state.oom)
    return { failure: failureOf('oom', `${name} was killed: the machine ran out of memory`, more), cause: 'oom' };
  const how = state.signal ? `was killed by ${state.signal}` : `ended with exit code ${state.exitCode}`;
  const last = tail.findLast((line) => line.trim() !== '' && !line.startsWith('[levain]'))?.trim();
  return { failure: failureOf('exit', `${name} ${how}${last ? `: ${last.slice(0, 300)}` : ''}`, more), cause: 'exit' };
}

/** Errors of a notebook that mean something else where nobody sits before it. */
const HINTS: Readonly<Record<string, string>> = {
  StdinNotImplementedError:
    'nobody can answer input() or getpass() in a step: write the value under params, or a secret under steps.*.secrets, and read it from there',
};

const toMiB = (bytes: number): number => Math.round(bytes / 2 ** 20);

function ofNotebook(
  result: NotebookResult,
  name: string,
  more: Pick<Failure, 'exitCode' | 'logTail'>,
  oom: { readonly isKnown: boolean; readonly limit: string | null },
): { readonly failure: Failure; readonly cause: FailureCause } {
  const where = result.cell ? `${name}, cell ${result.cell.code} of ${result.cell.of}` : name;
  const detail = { ...more, cell: result.cell };
  if (result.error) {
    return {
      failure: failureOf('cell', `${where}: ${result.error.name}: ${result.error.message}`, {
        ...detail,
        hint: HINTS[result.error.name] ?? null,
      }),
      cause: 'exit',
    };
  }
  if (result.status === 'dead') {
    const isMemory = oom.isKnown || result.cause?.includes('memory') === true;
    return {
      failure: failureOf(oom.isKnown ? 'oom' : 'kernel_died', `${where}: ${result.cause ?? 'the kernel died'}`, {
        ...detail,
        hint: isMemory && oom.limit !== null ? `if its limit was too small, raise ${oom.limit}` : null,
      }),
      cause: isMemory ? 'oom' : 'exit',
    };
  }
  return { failure: failureOf('environment', result.cause ?? `${name} could not be run`, detail), cause: 'final' };
}
