import { digestOf } from '../kernel/hash.ts';
import { attemptOf, readProgress } from './attempts.ts';
import type { PipelinesDeps } from './deps.ts';
import { finalLine } from './log-line.ts';
import type { RunDetail } from './runs.ts';
import type { Failure, KeyPart, PipelineRun, StepKind, StepOutputs, StepState } from './types.ts';

type Times = 'createdAt' | 'startedAt' | 'finishedAt';

/** A run as our interface shows it: times in ISO 8601. */
export type WireRun = Omit<PipelineRun, Times | 'projectId' | 'trigger'> & {
  readonly trigger: { readonly kind: string; readonly key: string; readonly asOf: string | null };
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
};

export interface WireStep {
  readonly name: string;
  readonly kind: StepKind;
  readonly needs: readonly string[];
  readonly state: StepState;
  readonly attempt: number;
  readonly reason: string | null;
  readonly cachedFrom: string | null;
  readonly failure: Failure | null;
  readonly outputs: StepOutputs | null;
  readonly envDigest: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  /** Of a notebook: the cell that runs now. */
  readonly progress: {
    readonly cell: number;
    readonly of: number;
    readonly state: string;
    readonly title: string;
  } | null;
  /** The last line that a working step said. */
  readonly says: string | null;
  readonly keyParts: readonly KeyPart[];
}

export interface WireDetail {
  readonly run: WireRun;
  readonly steps: readonly WireStep[];
  /** Another one means that something changed. */
  readonly stamp: string;
}

export function toWireRun(run: PipelineRun): WireRun {
  const { projectId: _project, trigger, createdAt, startedAt, finishedAt, ...rest } = run;
  return {
    ...rest,
    trigger: { ...trigger, asOf: iso(trigger.asOf) },
    createdAt: new Date(createdAt).toISOString(),
    startedAt: iso(startedAt),
    finishedAt: iso(finishedAt),
  };
}

export async function toWireDetail(deps: Pick<PipelinesDeps, 'workDir'>, detail: RunDetail): Promise<WireDetail> {
  const steps = await Promise.all(detail.steps.map((step) => toWireStep(deps, step)));
  const body = { run: toWireRun(detail.run), steps };
  return { ...body, stamp: digestOf(body).slice(0, 16) };
}

async function toWireStep(deps: Pick<PipelinesDeps, 'workDir'>, step: RunDetail['steps'][number]): Promise<WireStep> {
  const isBusy = step.state === 'leased' || step.state === 'running';
  const attempt = attemptOf(
    deps,
    step.state === 'leased' ? { ...step, attempt: isPhase(step.kind) ? step.attempt : step.attempt + 1 } : step,
  );
  const progress = isBusy && step.kind === 'notebook' ? await readProgress(attempt) : undefined;
  const { name, kind, needs, state, reason, cachedFrom, failure, outputs, envDigest, keyParts } = step;
  return {
    name,
    kind,
    needs,
    state,
    attempt: step.attempt,
    reason,
    cachedFrom,
    failure,
    outputs,
    envDigest,
    startedAt: iso(step.startedAt),
    finishedAt: iso(step.finishedAt),
    progress: progress
      ? {
          cell: Number(progress['cell']),
          of: Number(progress['of']),
          state: String(progress['state']),
          title: String(progress['title']),
        }
      : null,
    says: isBusy ? ((await finalLine(attempt)) ?? null) : null,
    keyParts,
  };
}

const isPhase = (kind: StepKind): boolean => kind !== 'run' && kind !== 'notebook';

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
