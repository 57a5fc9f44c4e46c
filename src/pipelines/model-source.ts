import { AppError } from '../kernel/errors.ts';
import type { ModelSection } from '../project-file/index.ts';
import { getRun, type LoggedModel, listArtifacts, loggedModelsOfRun } from '../tracking/index.ts';
import { actorOf } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep } from './engine-types.ts';
import type { OutputFile, StepRun } from './types.ts';

/** The files of the model that a step left, and the tracked run that they belong to. */
export interface ModelSource {
  readonly runId: string;
  readonly files: readonly OutputFile[];
  /** What the run logged last, by name. */
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * What `model.from` names: a variable of the finished kernel, a file or folder that the step put out, or a logged model that is
 * READY (the last by an explicit log_model, else autolog's last; or the named one). Throws `precondition_failed` in plain words.
 */
export async function findModelSource(
  deps: PipelinesDeps,
  held: HeldStep,
  section: ModelSection,
): Promise<ModelSource> {
  const { from } = section;
  const step = held.steps.find((candidate) => candidate.name === from.step);
  if (!step)
    throw new AppError('invalid', `model.from names the step "${from.step}", which the pipeline does not have`);
  const runs = step.outputs?.trackedRuns ?? [];
  const primary = runs[0];
  if (primary === undefined)
    throw new AppError('precondition_failed', `The step ${from.step} has no tracked run; run it again`);
  if (from.kind === 'variable')
    return { runId: primary, files: variableFiles(step, from.variable), metrics: await metricsOf(deps, held, primary) };
  if (from.kind === 'file')
    return { runId: primary, files: outputFiles(step, from.file), metrics: await metricsOf(deps, held, primary) };
  const model = await loggedModel(deps, held, runs, from.step, from.logged);
  if (model.root === null)
    throw new AppError('precondition_failed', `The files of the logged model ${model.name} are not with this server`);
  const files = await listArtifacts(deps.tracking, held.run.projectId, model.root);
  return { runId: model.sourceRunId, files, metrics: await metricsOf(deps, held, model.sourceRunId) };
}

/** The logged model to take; pure. */
export function chooseLogged(models: readonly LoggedModel[], named: string | true): LoggedModel | undefined {
  const ready = models.filter((model) => model.status === 'READY' && (named === true || model.name === named));
  return ready.findLast((model) => model.explicit) ?? ready.at(-1);
}

async function loggedModel(
  deps: PipelinesDeps,
  held: HeldStep,
  runs: readonly string[],
  step: string,
  named: string | true,
): Promise<LoggedModel> {
  const lists = await Promise.all(runs.map((runId) => loggedModelsOfRun(deps.tracking, held.run.projectId, runId)));
  const all = lists.flat().sort((a, b) => a.createdAt - b.createdAt);
  const chosen = chooseLogged(all, named);
  if (chosen) return chosen;
  const what = named === true ? 'no model' : `no model named ${named}`;
  const others = all.map((model) => `${model.name} (${model.status})`).join(', ');
  const hint = others
    ? `it logged ${others}`
    : 'call mlflow.sklearn.log_model in it, turn on mlflow.autolog, or name a variable or file in model.from';
  throw new AppError('precondition_failed', `The step ${step} logged ${what} that is ready; ${hint}`);
}

function variableFiles(step: StepRun, variable: string): readonly OutputFile[] {
  const found = step.outputs?.exports?.[variable];
  if (found && found.files.length > 0) return found.files;
  const facts = found?.facts as { readonly message?: string } | undefined;
  throw new AppError('precondition_failed', facts?.message ?? `The step ${step.name} left no variable ${variable}`);
}

/** A folder's files relative to it, or the one file under its own name. */
function outputFiles(step: StepRun, path: string): readonly OutputFile[] {
  const plain = path.replace(/^\.\//, '').replace(/\/+$/, '');
  const files = step.outputs?.files ?? [];
  const exact = files.find((file) => file.path === plain);
  if (exact) return [{ ...exact, path: plain.slice(plain.lastIndexOf('/') + 1) }];
  const inside = files
    .filter((file) => file.path.startsWith(`${plain}/`))
    .map((file) => ({ ...file, path: file.path.slice(plain.length + 1) }));
  if (inside.length > 0) return inside;
  throw new AppError('precondition_failed', `The step ${step.name} put out no ${path}; name it in its "out"`);
}

async function metricsOf(deps: PipelinesDeps, held: HeldStep, runId: string): Promise<Record<string, number>> {
  const run = await getRun(deps.tracking, actorOf(held.run), runId);
  return Object.fromEntries(run.metrics.map(({ key, value }) => [key, value]));
}
