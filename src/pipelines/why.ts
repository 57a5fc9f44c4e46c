import { AppError } from '../kernel/errors.ts';
import { shortId } from '../kernel/ids.ts';
import type { PipelinesDeps } from './deps.ts';
import { partInWords } from './keys.ts';
import { getRun } from './runs.ts';
import { findPrevious, findStep, listKeyParts } from './steps.store.ts';

export interface WhyStep {
  readonly run: string;
  readonly step: string;
  readonly state: string;
  readonly reason: string | null;
  /** The run that it is compared with: the last one before that tried the step. */
  readonly comparedWith: string | null;
  /** Parts of the key, those that changed first. */
  readonly parts: readonly {
    readonly name: string;
    readonly what: string;
    readonly before: string | null;
    readonly now: string | null;
    readonly changed: boolean;
  }[];
}

/** Why a step ran or was taken from the cache: its key, part by part, beside the one of the run before. */
export async function whyStep(
  deps: Pick<PipelinesDeps, 'db'>,
  projectId: string,
  input: { readonly id: string; readonly step: string },
): Promise<WhyStep> {
  const run = await getRun(deps, projectId, input.id);
  return deps.db.read(async (tx) => {
    const step = await findStep(tx, { projectId, runId: run.id, name: input.step });
    if (!step) throw new AppError('not_found', `The run ${shortId(run.id)} has no step "${input.step}"`);
    const previous = await findPrevious(tx, step, run.pipeline);
    const now = new Map((await listKeyParts(tx, step)).map(({ name, digest }) => [name, digest]));
    const before = new Map(
      previous ? (await listKeyParts(tx, previous)).map(({ name, digest }) => [name, digest]) : [],
    );
    const parts = [...new Set([...now.keys(), ...before.keys()])].map((name) => {
      const [old, current] = [before.get(name) ?? null, now.get(name) ?? null];
      return { name, what: partInWords(name), before: old, now: current, changed: old !== current };
    });
    parts.sort((a, b) => Number(b.changed) - Number(a.changed) || (a.name < b.name ? -1 : 1));
    return {
      run: run.id,
      step: step.name,
      state: step.state,
      reason: step.reason,
      comparedWith: previous?.runId ?? null,
      parts,
    };
  });
}
