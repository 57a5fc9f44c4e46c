import { z } from 'zod';

/** What `notebooks/main.ts` is told. Paths are absolute. */
export const NotebookSpec = z.object({
  /** The .ipynb to run; it is read, never written. */
  notebook: z.string(),
  /** How the notebook is called in messages. */
  name: z.string(),
  cwd: z.string(),
  python: z.string(),
  /** Where the executed notebook, the progress lines and the result go. */
  output: z.string(),
  progress: z.string(),
  result: z.string(),
  params: z.record(z.string(), z.json()),
  cellTimeoutMs: z.number().positive().nullable(),
  timeoutMs: z.number().positive().nullable(),
  /** Variables to save from the finished kernel, each as an MLflow model folder with its facts beside it. */
  exports: z.array(z.object({ variable: z.string(), folder: z.string(), facts: z.string() })),
  /** Code cells, counted from 1, whose failure is passed over. */
  mayFail: z.array(z.number()).default([]),
  /** Of a notebook written for another machine: its paths, and the files below `root` that they lead to. */
  front: z
    .object({ root: z.string(), reads: z.record(z.string(), z.string()) })
    .nullable()
    .default(null),
  /**
   * What the kernel is watched for: the notebook's own test rows in this file, and what features.py learns; null: nothing is.
   * Both are written into the exported folders, under `levain/`.
   */
  watch: z
    .object({
      features: z.string().nullable(),
      target: z.string().nullable(),
      dataset: z
        .object({
          path: z.string(),
          /** As the step sees it, relative to the project. */
          name: z.string(),
          format: z.enum(['csv', 'parquet', 'json', 'files']),
          delimiter: z.string(),
          quote: z.string(),
          decimal: z.string().default('.'),
          /** Columns that are text, whatever their cells look like. */
          texts: z.array(z.string()),
        })
        .nullable(),
    })
    .nullable()
    .default(null),
});
export type NotebookSpec = z.output<typeof NotebookSpec>;

/** One line of the progress file. Cells are counted from 1, code cells only. */
export interface NotebookProgress {
  readonly at: number;
  readonly cell: number;
  readonly of: number;
  readonly state: 'started' | 'running' | 'ok' | 'failed' | 'finished';
  /** First line of the cell. */
  readonly title: string;
}

export const NotebookResult = z.object({
  status: z.enum(['ok', 'error', 'dead', 'timeout', 'invalid']),
  /** The failed cell: position in the notebook from 1, and among its code cells. */
  cell: z.object({ position: z.number(), code: z.number(), of: z.number(), source: z.string() }).nullable(),
  error: z.object({ name: z.string(), message: z.string(), traceback: z.array(z.string()) }).nullable(),
  /** Why the kernel died, in words. */
  cause: z.string().nullable(),
  exports: z.array(z.object({ variable: z.string(), ok: z.boolean(), facts: z.record(z.string(), z.json()) })),
  startMs: z.number(),
  runMs: z.number(),
});
export type NotebookResult = z.output<typeof NotebookResult>;

/** Exit codes of a notebook step. */
export const NOTEBOOK_EXIT = { ok: 0, error: 1, invalid: 2, dead: 3, timeout: 124 } as const;
