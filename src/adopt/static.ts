import { z } from 'zod';
import { refusal } from './refusal.ts';
import { runPython } from './run/processes.ts';
import { Lint } from './types.ts';

const Problem = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().nullish(),
  cell: z.number().nullish(),
  line: z.number().nullish(),
});

/** A path that the text names: what `levain_runtime.adopt.static` tells of reads and writes. */
export const StaticPath = z.looseObject({
  cell: z.number(),
  line: z.number(),
  path: z.string(),
  kind: z.string().nullish(),
  url: z.boolean().nullish(),
});
export type StaticPath = z.output<typeof StaticPath>;

const StaticPackage = z.looseObject({
  name: z.string(),
  spec: z.string().nullish(),
  module: z.string().nullish(),
  optional: z.boolean().default(false),
  known: z.boolean().default(true),
  cell: z.number().nullish(),
  why: z.string().nullish(),
});

/** What the notebook's text tells, as far as the adoption uses it. */
export const Static = z.looseObject({
  ok: z.boolean(),
  problem: Problem.nullish(),
  kernel: z.looseObject({ name: z.string().nullish(), display_name: z.string().nullish() }).nullish(),
  packages: z.array(StaticPackage).default([]),
  imports: z.array(z.looseObject({ top: z.string() })).default([]),
  /** Private modules that are nowhere to be found. */
  missing: z
    .array(
      z.looseObject({
        module: z.string(),
        cell: z.number().nullish(),
        line: z.number().nullish(),
        optional: z.boolean(),
      }),
    )
    .default([]),
  /** Modules beside the notebook. */
  local: z.array(z.looseObject({ module: z.string(), path: z.string() })).default([]),
  reads: z.array(StaticPath).default([]),
  writes: z.array(StaticPath).default([]),
  mentions: z.array(StaticPath.partial({ line: true })).default([]),
  datasets: z.array(z.looseObject({})).default([]),
  /** Interfaces that packages have removed since. */
  removed: z
    .array(
      z.looseObject({
        package: z.string(),
        below: z.string(),
        fix: z.string().nullish(),
        sure: z.boolean().default(false),
        cell: z.number().nullish(),
        line: z.number().nullish(),
      }),
    )
    .default([]),
  /** Package → the first version without an interface that is used. */
  below: z.record(z.string(), z.string()).default({}),
  day: z
    .looseObject({
      python: z.looseObject({ version: z.string() }).nullish(),
      versions: z.array(z.looseObject({ package: z.string(), spec: z.string() })).default([]),
      suggestion: z.looseObject({ date: z.string(), python: z.string().nullish(), why: z.string() }).nullish(),
    })
    .nullish(),
  order: z
    .looseObject({ ranOutOfOrder: z.boolean(), neverRun: z.array(z.number()) })
    .default({ ranOutOfOrder: false, neverRun: [] }),
  cells: z
    .array(
      z.looseObject({
        number: z.number(),
        source: z.string(),
        hasCode: z.boolean().default(true),
        /** Names that it makes, needs, needs inside its functions, and changes in place. */
        defs: z.array(z.string()).default([]),
        uses: z.array(z.looseObject({ name: z.string() })).default([]),
        later: z.array(z.string()).default([]),
        changes: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  lints: z.array(Lint).default([]),
});
export type Static = z.output<typeof Static>;

const TIMEOUT_MS = 120_000;

/** Asks `levain_runtime.adopt.static`; throws the refusal that it names. */
export async function readStatic(options: {
  readonly python: string;
  readonly pythonPath: string;
  readonly file: string;
  readonly root: string;
  /** The notebook that holds a script's cells. */
  readonly cells?: string | undefined;
}): Promise<Static> {
  const { python, pythonPath, file, root, cells } = options;
  const env = { ...process.env, PYTHONPATH: pythonPath, PYTHONDONTWRITEBYTECODE: '1' };
  const command = [python, '-m', 'levain_runtime.adopt.static', file, '--root', root];
  if (cells !== undefined) command.push('--cells', cells);
  const { code, stdout, stderr } = await runPython(command, { env, timeoutMs: TIMEOUT_MS });
  if (code === null) {
    throw refusal('no_python', `Reading the notebook needs Python 3.8 or newer; "${python}" could not be run`, {
      hint: 'Install Python 3 and see that python3 is on the PATH.',
    });
  }
  const last = stderr.trim().split('\n').at(-1) ?? 'no reason given';
  if (code !== 0) throw refusal('not_read', `The notebook's code could not be read: ${last}`);
  const found = Static.parse(JSON.parse(stdout));
  if (found.problem) {
    const { code: kind, message, hint, cell, line } = found.problem;
    throw refusal(kind, message, { cell: cell ?? null, line: line ?? null, hint: hint ?? null });
  }
  return found;
}
