import { messageOf } from '../kernel/errors.ts';
import { parseShare } from '../kernel/units.ts';
import { type Complain, mapValues, toList } from './complete.ts';
import type { Path } from './document.ts';
import { label } from './problems.ts';
import type { Written, WrittenEntry } from './schema.ts';
import type {
  ColumnExpectation,
  DataSection,
  DeploySection,
  NotifySection,
  RetrySection,
  RolloutSection,
  StepSection,
  TriggerSection,
} from './types.ts';

const DAY_MS = 864e5;
const DEFAULT_RETRY: RetrySection = {
  max: 0,
  backoffMs: 10_000,
  factor: 2,
  jitter: 0.2,
  when: ['exit', 'oom', 'lost'],
};

export function completeData(written: WrittenEntry<'data'>, at: Path, complain: Complain): DataSection {
  const as = written.as ?? seenAt(written.from);
  if (as === null)
    complain(
      at,
      `${label(at)} lacks "as": a file name at which steps see this data, for example as: ${at.at(-1)}.parquet`,
    );
  if (written.window !== undefined && written.time === undefined)
    complain([...at, 'window'], `${label(at)}.window needs "time": the column by which to cut`);
  const [min, max] = written.row_count ?? [];
  if (typeof max === 'number' && min !== undefined && max < min)
    complain([...at, 'row_count'], `${label(at)}.row_count ends before it begins`);
  return {
    from: written.from,
    as: as ?? '',
    ...(written.decimal === ',' && { decimal: written.decimal }),
    ...(written.text && { text: written.text }),
    ...(written.table === false && { table: written.table }),
    key: toList(written.key) ?? [],
    time: written.time ?? null,
    windowMs: written.window ?? null,
    expect: mapValues(written.expect, (entry, column) =>
      completeExpectation(entry, [...at, 'expect', column], complain),
    ),
    expectTable: { rowCount: written.row_count ? { min: min ?? null, max: max ?? null } : null },
  };
}

/** A local file is seen at its own path, a glob in its folder; anything else needs `as`. */
function seenAt(from: WrittenEntry<'data'>['from']): string | null {
  if (typeof from !== 'string' || /^[a-z][a-z0-9+.-]*:\/\//i.test(from)) return null;
  const path = from.replace(/^\.\//, '');
  const parts = path.split('/');
  const glob = parts.findIndex((part) => /[*?[{]/.test(part));
  if (path.startsWith('/') || path.startsWith('~') || parts.includes('..'))
    return glob >= 0 ? null : parts.at(-1) || null;
  return glob < 0 ? path : `${parts.slice(0, glob).join('/') || '.'}/`;
}

type WrittenExpectation = NonNullable<WrittenEntry<'data'>['expect']>[string];

function completeExpectation(written: WrittenExpectation, at: Path, complain: Complain): ColumnExpectation {
  const { between } = written;
  if (between && (typeof between[0] !== typeof between[1] || between[0] > between[1]))
    complain(
      [...at, 'between'],
      `${label(at)}.between is [${between.join(', ')}]; write the lower bound first, both of one kind`,
    );
  if (written.matches !== undefined) {
    try {
      new RegExp(written.matches);
    } catch (error) {
      complain([...at, 'matches'], `${label(at)}.matches is not a regular expression: ${messageOf(error)}`);
    }
  }
  return {
    type: written.type ?? null,
    nulls: nullsOf(written.nulls, [...at, 'nulls'], complain),
    between: between ?? null,
    maxNew: written.max_new ?? null,
    unique: written.unique ?? false,
    in: written.in ?? null,
    matches: written.matches ?? null,
    mostly: written.mostly ?? 1,
  };
}

/** `3` rows, or a share: `0.01` and `1%`. */
function nullsOf(written: number | string | undefined, at: Path, complain: Complain): ColumnExpectation['nulls'] {
  if (written === undefined) return null;
  if (typeof written === 'number' && Number.isInteger(written)) return { kind: 'count', atMost: written };
  try {
    const atMost = parseShare(written);
    if (atMost <= 1) return { kind: 'share', atMost };
  } catch {}
  complain(at, `${label(at)} is "${written}"; write a number of rows, or a share such as 1%`);
  return null;
}

export function completeStep(written: WrittenEntry<'steps'>, at: Path, complain: Complain): StepSection {
  if ((written.run === undefined) === (written.notebook === undefined))
    complain(at, `${label(at)} needs exactly one of "run" (a command) and "notebook" (a path)`);
  for (const key of ['reads', 'may_fail'] as const)
    if (written[key] !== undefined && written.notebook === undefined)
      complain([...at, key], `${label(at)}.${key} belongs to a notebook; a command reads and fails by itself`);
  const { retry, resources } = written;
  return {
    run: written.run ?? null,
    notebook: written.notebook ?? null,
    reads: written.reads ?? {},
    mayFail: [...new Set(toList(written.may_fail) ?? [])].sort((a, b) => a - b),
    in: toList(written.in) ?? null,
    out: toList(written.out) ?? [],
    needs: toList(written.needs) ?? [],
    retry: typeof retry === 'number' ? { ...DEFAULT_RETRY, max: retry } : retry ? retryOf(retry) : DEFAULT_RETRY,
    timeoutMs: written.timeout ?? null,
    resources: {
      cpu: resources?.cpu ?? null,
      memoryBytes: resources?.memory ?? null,
      gpu: resources?.gpu ?? 0,
      pool: resources?.pool ?? null,
    },
    when: written.when ?? null,
    each: Array.isArray(written.each) ? written.each : null,
    secrets: written.secrets ?? [],
  };
}

const retryOf = (written: Exclude<NonNullable<WrittenEntry<'steps'>['retry']>, number>): RetrySection => ({
  max: written.max ?? 2,
  backoffMs: written.backoff ?? DEFAULT_RETRY.backoffMs,
  factor: written.factor ?? DEFAULT_RETRY.factor,
  jitter: written.jitter ?? DEFAULT_RETRY.jitter,
  when: written.when ?? DEFAULT_RETRY.when,
});

type WrittenRollout = NonNullable<WrittenEntry<'deploy'>['rollout']>;
export const DEFAULT_ROLLOUT: RolloutSection = { kind: 'auto', atMostMs: DAY_MS };

export function rolloutOf(written: WrittenRollout | undefined, at: Path, complain: Complain): RolloutSection {
  if (written === undefined || written === 'auto') return DEFAULT_ROLLOUT;
  if (typeof written === 'string') return { kind: written };
  const { auto, canary } = written;
  if ((auto === undefined) === (canary === undefined)) {
    complain(at, `${label(at)} needs one of "auto" and "canary"`);
    return DEFAULT_ROLLOUT;
  }
  if (canary === undefined) return { kind: 'auto', atMostMs: auto?.at_most ?? DAY_MS };
  if (canary.some((share, i) => i > 0 && share <= canary[i - 1]!))
    complain([...at, 'canary'], `${label(at)}.canary must rise from step to step, for example [5, 25, 50]`);
  return { kind: 'canary', steps: canary };
}

export function completeDeploy(written: WrittenEntry<'deploy'>, at: Path, complain: Complain): DeploySection {
  const { abort_on: abort } = written;
  return {
    rollout: rolloutOf(written.rollout, [...at, 'rollout'], complain),
    eventTime: written.event_time ?? 'server',
    abortOn: {
      ...(abort?.error_rate === undefined ? {} : { errorRate: abort.error_rate }),
      ...(abort?.latency_p99 === undefined ? {} : { latencyP99Ms: abort.latency_p99 }),
    },
    fallback: fallbackOf(written.fallback),
  };
}

function fallbackOf(written: WrittenEntry<'deploy'>['fallback']): DeploySection['fallback'] {
  if (written === undefined) return null;
  if (written === 'base_rate') return { kind: 'base_rate' };
  const version = typeof written === 'string' ? /^v([1-9]\d{0,8})$/.exec(written)?.[1] : undefined;
  return version === undefined ? { kind: 'constant', value: written } : { kind: 'version', version: Number(version) };
}

export function completeNotify(written: WrittenEntry<'notify'>, at: Path, complain: Complain): NotifySection {
  const [first, ...more] = Object.entries(written);
  if (!first || more.length > 0) {
    complain(at, `${label(at)} needs exactly one of log, webhook, slack, smtp, pagerduty and alertmanager`);
    return { kind: 'log', address: '' };
  }
  return { kind: first[0] as NotifySection['kind'], address: typeof first[1] === 'string' ? first[1] : '' };
}

export function completeTrigger(written: Written<'triggers'>[number], at: Path, complain: Complain): TriggerSection {
  const kinds = (['cron', 'data', 'alert', 'after'] as const).filter((kind) => written[kind] !== undefined);
  if (kinds.length !== 1) complain(at, `${label(at)} needs exactly one of "cron", "data", "alert" and "after"`);
  if (written.cron === undefined && (written.tz !== undefined || written.catchup !== undefined))
    complain(at, `${label(at)}: "tz" and "catchup" belong to a "cron"`);
  if (written.data !== undefined) return { kind: 'data', dataset: written.data };
  if (written.alert !== undefined) return { kind: 'alert', light: written.alert };
  if (written.after !== undefined)
    return { kind: 'after', pipeline: written.after.pipeline, status: written.after.status ?? 'succeeded' };
  return { kind: 'cron', cron: written.cron ?? '', tz: written.tz ?? 'UTC', catchup: written.catchup ?? 'last' };
}
