import { z } from 'zod';
import { cron, duration, insidePath, percent, rate, secretName, share, size, slug, timeZone } from './scalars.ts';
import { LIGHTS } from './types.ts';

/**
 * The grammar as people write it. The message of an `unrecognized_keys` issue is the list of the keys that are known
 * there, one a line: the parser makes its suggestion from it.
 */
const section = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join('\n') : undefined),
  });

/** A key of the grammar whose feature does not exist yet: refused with one sentence. */
const notBuilt = (what: string) =>
  z
    .unknown()
    .refine((value) => value === undefined, `${what} is not built yet; remove it`)
    .optional()
    .meta({ description: 'Not built yet.', deprecated: true });

const text = z.string().min(1).max(10_000);
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const listOf = <T extends z.ZodType>(item: T) => z.array(item).max(1000);
const oneOrMany = <T extends z.ZodType>(item: T) => z.union([item, listOf(item).min(1)]);
const named = <T extends z.ZodType>(value: T) => z.record(slug, value);
const count = z.number().int().min(0);

const columnExpectation = section({
  type: z.enum(['number', 'integer', 'boolean', 'string', 'category', 'date', 'timestamp']).optional(),
  nulls: z.union([z.number().min(0), z.string()]).optional(),
  between: z.tuple([z.union([z.number(), z.string()]), z.union([z.number(), z.string()])]).optional(),
  max_new: count.optional(),
  unique: z.boolean().optional(),
  in: listOf(scalar).min(1).optional(),
  matches: text.optional(),
  mostly: share.optional(),
});

const dataset = section({
  from: z.union([text, section({ sql: text, url: text })]),
  as: insidePath.optional(),
  decimal: z.enum([',', '.']).optional(),
  text: listOf(text).min(1).optional(),
  table: z.boolean().optional(),
  key: oneOrMany(text).optional(),
  time: text.optional(),
  window: duration.optional(),
  expect: z.record(text, columnExpectation).optional(),
  row_count: z.tuple([count, count.nullable()]).optional(),
  partition: notBuilt('"partition"'),
});

const retry = section({
  max: count.max(100).optional(),
  backoff: duration.optional(),
  factor: z.number().min(1).max(100).optional(),
  jitter: share.optional(),
  when: listOf(z.enum(['exit', 'oom', 'lost']))
    .min(1)
    .optional(),
});

const resources = section({
  cpu: z.number().positive().max(1024).optional(),
  memory: size.optional(),
  gpu: count.max(64).optional(),
  pool: slug.optional(),
});

const step = section({
  run: text.optional(),
  notebook: insidePath.optional(),
  reads: z.record(text, insidePath).optional(),
  may_fail: oneOrMany(count.min(1)).optional(),
  in: oneOrMany(text).optional(),
  out: oneOrMany(insidePath).optional(),
  needs: oneOrMany(text).optional(),
  retry: z.union([count.max(100), retry]).optional(),
  timeout: duration.optional(),
  resources: resources.optional(),
  when: text.optional(),
  each: z
    .union([
      listOf(z.json()).min(1),
      z.string().refine(() => false, '"each" over what a step puts out is not built yet; write the list itself'),
    ])
    .optional(),
  secrets: listOf(secretName).optional(),
});

const rollout = z.union([
  z.enum(['auto', 'direct', 'blue_green']),
  section({
    auto: section({ at_most: duration.optional() }).optional(),
    canary: listOf(percent).min(1).max(20).optional(),
  }),
]);

const metric = z.union([text, section({ name: text, better: z.enum(['higher', 'lower']) })]);

const gate = section({
  rows: text.optional(),
  metric: metric.optional(),
  pass: z.union([z.literal('better'), section({ not_worse: z.number().min(0) })]).optional(),
  slices: oneOrMany(text).optional(),
});

const approve = section({
  first: z.enum(['human', 'auto']).optional(),
  retrain: z.enum(['human', 'auto']).optional(),
  by: slug.optional(),
  within: duration.optional(),
  // biome-ignore lint/suspicious/noThenProperty: the grammar's own word; it never holds a function
  then: z.enum(['keep_champion']).optional(),
});

const target = section({
  column: text,
  positive: scalar.optional(),
  threshold: z.number().gt(0).lt(1).optional(),
});

const model = section({
  from: text,
  features: insidePath.optional(),
  task: z.enum(['binary', 'multiclass', 'regression']).optional(),
  target: z.union([text, target]).optional(),
  entity: text.optional(),
  gate: gate.optional(),
  approve: approve.optional(),
});

const deployment = section({
  rollout: rollout.optional(),
  event_time: z.enum(['server', 'client']).optional(),
  abort_on: section({ error_rate: share.optional(), latency_p99: duration.optional() }).optional(),
  fallback: scalar.optional(),
  batch: notBuilt('a batch deployment ("batch")'),
  every: notBuilt('a batch deployment ("every")'),
});

const environment = section({
  endpoint: slug.optional(),
  rollout: rollout.optional(),
  server: notBuilt('an environment on another server ("server")'),
});

const light = z.enum(LIGHTS as readonly ['service', 'data', 'predictions', 'performance', 'business']);

const monitor = section({
  labels: section({
    data: text.optional(),
    join: z.enum(['prediction', 'entity']).optional(),
    key: text.optional(),
    column: text.optional(),
    at: text.optional(),
    horizon: duration.optional(),
  }).optional(),
  metrics: oneOrMany(text).optional(),
  business: notBuilt('"business"'),
  false_alarms: rate.optional(),
  predictions: notBuilt('watching a model served elsewhere ("predictions")'),
  page: listOf(light).optional(),
  to: section({ page: text.optional(), ticket: text.optional() }).optional(),
});

const address = z.union([text, z.literal(true), z.null()]);
const notifier = section({
  log: address.optional(),
  webhook: text.optional(),
  slack: text.optional(),
  smtp: text.optional(),
  pagerduty: text.optional(),
  alertmanager: text.optional(),
});

const trigger = section({
  cron: cron.optional(),
  tz: timeZone.optional(),
  catchup: z.enum(['none', 'last', 'all']).optional(),
  data: text.optional(),
  alert: light.optional(),
  after: section({ pipeline: slug, status: z.enum(['succeeded', 'failed', 'finished']).optional() }).optional(),
  files: notBuilt('a trigger on "files"'),
  webhook: notBuilt('a trigger on a "webhook"'),
  git: notBuilt('a trigger on "git"'),
  stale: notBuilt('a trigger on "stale"'),
});

export const projectFileSchema = section({
  name: slug.optional(),
  python: section({
    lock: insidePath.optional(),
    version: z
      .string()
      .regex(/^3\.\d{1,2}(\.\d{1,2})?$/, 'a Python version reads "3.11"')
      .optional(),
  }).optional(),
  data: named(dataset).optional(),
  params: z.record(text, z.json()).optional(),
  steps: named(step).optional(),
  tune: notBuilt('"tune"'),
  model: model.optional(),
  deploy: named(deployment).optional(),
  environments: named(environment).optional(),
  monitor: monitor.optional(),
  notify: named(notifier).optional(),
  triggers: listOf(trigger).optional(),
  concurrency: section({
    max_runs: count.min(1).max(100).optional(),
    on_conflict: z.enum(['queue', 'skip', 'cancel_old', 'coalesce']).optional(),
  }).optional(),
  partition: notBuilt('"partition"'),
});

/** The file as written: every key optional, scalars already parsed. */
export type WrittenFile = z.output<typeof projectFileSchema>;
export type Written<K extends keyof WrittenFile> = NonNullable<WrittenFile[K]>;
export type WrittenEntry<K extends 'data' | 'steps' | 'deploy' | 'environments' | 'notify'> = Written<K>[string];

/** JSON Schema (draft 2020-12) of levain.yaml, for editors. */
export const jsonSchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(projectFileSchema, { io: 'input', unrepresentable: 'any' }),
  title: 'levain.yaml',
});
