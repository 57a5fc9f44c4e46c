import { z } from 'zod';
import type { Json } from '../kernel/canonical-json.ts';

/** What `adopt/main.ts` is told. Paths are absolute. */
export const AdoptSpec = z.object({
  /** The notebook, script or folder to adopt. It is read, never written. */
  source: z.string(),
  /** The project's folder: where levain.yaml will stand; paths of the result are relative to it. */
  folder: z.string(),
  /** The server's data directory: environments are built in its `envs`, where steps and endpoints find them again. */
  dataDir: z.string(),
  /** A folder of this adoption alone; kept between runs, so that a long notebook resumes. */
  work: z.string(),
  /** Data files or folders given with `--data`. */
  data: z.array(z.string()).default([]),
  /** `--model`: the variable to serve. */
  model: z.string().nullable().default(null),
  network: z.boolean().default(false),
  cellTimeoutMs: z.number().positive().nullable().default(null),
  /** After a cell that took longer the state is kept, so that the same notebook resumes there. */
  checkpointAfterMs: z.number().positive().default(20_000),
  /** `--python`: `3.11`. */
  python: z.string().nullable().default(null),
  name: z.string().nullable().default(null),
  /** A server that the notebook may track to. */
  server: z.object({ url: z.string(), token: z.string().nullable() }).nullable().default(null),
});
export type AdoptSpec = z.output<typeof AdoptSpec>;

/** Stages in the order in which a person sees them. */
export const STAGES = ['read', 'data', 'environment', 'copy', 'run', 'choose', 'extract', 'prove', 'finish'] as const;
export type Stage = (typeof STAGES)[number];

export const ProgressLine = z.object({
  t: z.literal('progress'),
  stage: z.enum(STAGES),
  text: z.string(),
  /** The code cell that runs, from 1, and how many there are. */
  cell: z.number().optional(),
  of: z.number().optional(),
});

export const Question = z.object({
  kind: z.enum(['model', 'data', 'load', 'network']),
  /** One sentence. */
  text: z.string(),
  /** The first is the best-supported one: what is answered where nobody sits at the terminal. */
  options: z.array(z.object({ value: z.string(), label: z.string(), hint: z.string().nullable() })),
});
export type Question = z.output<typeof Question>;

/** Answered by one line on stdin: `{"id","answer"}`, the answer being an option's value. */
export const AskLine = z.object({ t: z.literal('ask'), id: z.string(), question: Question });

export const Score = z.object({ name: z.string(), value: z.number(), rows: z.number().nullable() });

/** A fitted object that may be the model, as `candidates.json` has it; members that are not named here are kept. */
export const Candidate = z.looseObject({
  /** A name of the kernel; null where only an expression reaches the object (`models["rf"]`). */
  variable: z.string().nullable().default(null),
  expression: z.string().nullable().default(null),
  type: z.string(),
  cell: z.number().nullable().default(null),
  score: z.looseObject({ name: z.string(), value: z.number(), rows: z.number().nullish() }).nullable().default(null),
  evidence: z.array(z.string()).default([]),
  confidence: z.number().default(0),
  task: z.string().nullable().default(null),
  classes: z.array(z.json()).nullable().default(null),
  target: z.looseObject({ column: z.string().nullable(), positive: z.json().nullish() }).nullable().default(null),
  /** Why no column is told as the target. */
  targetWhy: z.string().nullable().default(null),
  features: z.array(z.string()).nullable().default(null),
  testRows: z
    .looseObject({ variable: z.string().nullable(), cell: z.number().nullish(), rows: z.number() })
    .nullable()
    .default(null),
  dependsOnFailed: z.array(z.number()).default([]),
  printedAnswersHold: z.boolean().nullable().default(null),
  why_not: z.string().nullable().default(null),
});
export type Candidate = z.output<typeof Candidate>;

/** A stored output that the new run does not repeat. */
export const Difference = z.looseObject({
  cell: z.number(),
  stored: z.string(),
  now: z.string(),
  package: z.string().nullable().default(null),
});
export type Difference = z.output<typeof Difference>;

export const Lint = z.looseObject({
  code: z.string(),
  cell: z.number().nullable().default(null),
  line: z.number().nullable().default(null),
  message: z.string(),
  fix: z.string().nullable().default(null),
});
export type Lint = z.output<typeof Lint>;

/** One environment that was tried. */
export const EnvironmentAttempt = z.object({
  /** Where the packages come from: `kernel` the notebook's own kernel, `files` requirements beside it, `today`, `pins`, `day`. */
  kind: z.enum(['kernel', 'files', 'today', 'pins', 'day']),
  /** `today's packages`, `the packages of 2021-06-01`. */
  label: z.string(),
  day: z.string().nullable(),
  python: z.string(),
  digest: z.string().nullable(),
  /** How its run went, in a few words. */
  outcome: z.string(),
});
export type EnvironmentAttempt = z.output<typeof EnvironmentAttempt>;

/** A file that the run read, and what becomes a data entry of levain.yaml. */
export const DataFile = z.object({
  /** The dataset's name: letters, digits, `_` and `-`. */
  name: z.string(),
  /** `main`: the rows that the model answers; `lookup`: what features.py learned from; `other`. */
  role: z.enum(['main', 'lookup', 'other']),
  /** Relative to the project's folder; for a file given with `--data` from elsewhere the path where the run saw it. */
  path: z.string(),
  /** Where the file is now (absolute). */
  source: z.string(),
  /** Whether the file lies outside the project's folder: the notebook step needs it at `path`. */
  outside: z.boolean(),
  /** The paths that the notebook names it by. */
  asWritten: z.array(z.string()),
  digest: z.string(),
  sizeBytes: z.number(),
  rows: z.number().nullable(),
  columns: z.number().nullable(),
  /** A column that tells its rows apart, where there is one. */
  key: z.string().nullable(),
  /** False where only the notebook can read its rows: see `brought`. */
  isTable: z.boolean().optional(),
});
export type DataFile = z.output<typeof DataFile>;

export const CellOutcome = z.object({
  /** Among the code cells, from 1. */
  number: z.number(),
  /** Position in the notebook, from 1. */
  position: z.number(),
  status: z.enum(['ok', 'error', 'resumed', 'unrun']),
  seconds: z.number(),
  error: z.object({ name: z.string(), message: z.string(), line: z.number().nullable() }).nullable(),
});
export type CellOutcome = z.output<typeof CellOutcome>;

/** What a notebook run leaves of a variable: `folder` as MLflow lays a model out, `facts` as `levain_runtime.inspect` tells them. */
export const ExportedModel = z.object({
  variable: z.string(),
  ok: z.boolean(),
  folder: z.string(),
  facts: z.record(z.string(), z.json()),
});

export const AdoptResult = z.object({
  t: z.literal('result'),
  kind: z.enum(['notebook', 'script', 'models', 'dvc', 'mlproject']),
  /** The proposed name of the project. */
  name: z.string(),
  source: z.object({
    /** Relative to the project's folder. */
    path: z.string(),
    digest: z.string(),
    cells: z.number(),
    ranOutOfOrder: z.boolean(),
    neverRun: z.array(z.number()),
  }),
  model: z.object({
    variable: z.string(),
    expression: z.string().nullable(),
    type: z.string(),
    task: z.string().nullable(),
    classes: z.array(z.json()).nullable(),
    target: z.string().nullable(),
    positive: z.json().nullable(),
    /** Why there is no target, where there is none. */
    targetWhy: z.string().nullish(),
    features: z.array(z.string()).nullable(),
    cell: z.number().nullable(),
    score: Score.nullable(),
    evidence: z.array(z.string()),
    /** Why this one, in one sentence. */
    reason: z.string(),
    /** `person`: an answer other than the best-supported one; `option`: --model. */
    chosenBy: z.enum(['evidence', 'person', 'option']),
    /** Says so where only Python can run it (deep learning, classes of the notebook). */
    runsIn: z.string().nullable(),
  }),
  others: z.array(Candidate),
  environment: z.object({
    /** Which and why, in one sentence. */
    sentence: z.string(),
    kind: EnvironmentAttempt.shape.kind,
    day: z.string().nullable(),
    python: z.string(),
    pythonVersion: z.string(),
    digest: z.string(),
    /** The text of requirements.lock; its first line names the Python version. */
    lock: z.string(),
    attempts: z.array(EnvironmentAttempt),
  }),
  network: z.object({
    way: z.enum(['namespace', 'audit', 'open']),
    sentence: z.string(),
    refused: z.array(z.string()),
  }),
  /** Null where raw rows go into the model as they are. */
  features: z.object({ text: z.string(), statements: z.number().nullable() }).nullable(),
  /** facts.json and proof.json as the extraction wrote them. */
  facts: z.record(z.string(), z.json()),
  proof: z.record(z.string(), z.json()),
  /** golden.json on disk: raw rows with the notebook's own answers. */
  golden: z.string().nullable(),
  rawColumns: z.array(
    z.looseObject({
      name: z.string(),
      type: z.string(),
      nullable: z.boolean().nullish(),
      categories: z.json().nullish(),
    }),
  ),
  data: z.array(DataFile),
  /** Where a library brings the rows, the file to be written that holds them: `at` is where it is now; one of `data` is this one. */
  brought: z.object({ path: z.string(), at: z.string(), sentence: z.string() }).nullable().default(null),
  run: z.object({
    executed: z.string(),
    log: z.string(),
    logTail: z.array(z.string()),
    startedAt: z.number(),
    endedAt: z.number(),
    cells: z.array(CellOutcome),
    /** Failed cells from which nothing that the model depends on comes. */
    skipped: z.array(z.object({ cell: z.number(), error: z.string() })),
    /** The cell after which an earlier run's state was taken up. */
    resumedAfter: z.number().nullable(),
    params: z.record(z.string(), z.json()),
    metrics: z.record(z.string(), z.number()),
    exports: z.array(ExportedModel),
    writes: z.array(z.string()),
  }),
  lints: z.array(Lint),
  differences: z.array(Difference),
  warnings: z.array(z.string()),
  /** Milliseconds by stage; `notebook` is the notebook's own running time. */
  timings: z.record(z.string(), z.number()),
});
export type AdoptResult = z.output<typeof AdoptResult>;

/** What of a folder becomes a project without a run of it: model files, `dvc.yaml`, `MLproject`. */
export const AdoptFiles = z.object({
  t: z.literal('files'),
  kind: z.enum(['models', 'dvc', 'mlproject']),
  /** The proposed name of the project. */
  name: z.string(),
  /** The sections of levain.yaml, without the name. */
  project: z.record(z.string(), z.custom<Json>()),
  /** Other files, paths relative to the project's folder. */
  files: z.array(z.object({ path: z.string(), text: z.string() })),
  /** What was found, a sentence each. */
  found: z.array(z.string()),
  /** What is not taken over, a sentence each. */
  left: z.array(z.string()),
  warnings: z.array(z.string()),
});
export type AdoptFiles = z.output<typeof AdoptFiles>;

/** One plain sentence, and where the notebook stands in the way. */
export const Refused = z.object({
  t: z.literal('refused'),
  code: z.string(),
  message: z.string(),
  cell: z.number().nullable(),
  line: z.number().nullable(),
  hint: z.string().nullable(),
  /** The process's exit code: 1 failure, 2 usage, 3 not found, 124 timeout, 130 interrupted. */
  exit: z.number(),
  /** What is known of the run so far, for a person who wants to look: executed notebook, log, candidates. */
  details: z.record(z.string(), z.json()).default({}),
});
export type Refused = z.output<typeof Refused>;

export const AdoptLine = z.discriminatedUnion('t', [ProgressLine, AskLine, AdoptResult, AdoptFiles, Refused]);
export type AdoptLine = z.output<typeof AdoptLine>;
