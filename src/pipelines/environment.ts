import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { canonicalJson, type Json } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { sha256 } from '../kernel/hash.ts';
import { DEFAULT_PATH, inheritedEnvironment, PYTHON_SETTINGS } from '../kernel/step-environment.ts';
import type { PythonEnvironment } from '../ports/executor.ts';
import type { ProjectFile } from '../project-file/index.ts';
import type { PipelinesDeps } from './deps.ts';
import { lockPath } from './keys.ts';
import type { PipelineRun, SnapshotFile } from './types.ts';

/** The digest that stands for "the system's own Python": a file without a lock. */
export const NO_ENVIRONMENT = sha256('system');

/** The lock's text with its Python version first, or undefined where the project has no lock. */
export async function lockOf(
  deps: Pick<PipelinesDeps, 'content'>,
  file: ProjectFile,
  snapshot: readonly SnapshotFile[],
): Promise<string | undefined> {
  const path = lockPath(file);
  const entry = snapshot.find((candidate) => candidate.path === path);
  if (!entry) {
    if (file.python.lock === null) return undefined;
    throw new AppError('invalid', `levain.yaml names the lock ${path}, which is not in the project`);
  }
  const text = await readFile(await deps.content.localPath(entry.digest), 'utf8');
  if (/^#\s*python:/.test(text)) return text;
  if (file.python.version === null) {
    throw new AppError(
      'invalid',
      `${path} does not say its Python version; make its first line "# python: 3.11", or set python.version`,
    );
  }
  return `# python: ${file.python.version}\n${text}`;
}

export interface StepEnvironmentInput {
  readonly run: PipelineRun;
  readonly step: string;
  readonly attemptId: string;
  readonly projectName: string | null;
  readonly token: string;
  readonly params: Readonly<Record<string, Json>>;
  readonly environment: PythonEnvironment | undefined;
  readonly secrets: Readonly<Record<string, string>>;
  readonly cpu: number | null;
}

/** The whole environment of a step's process. Runs attach to the step by the token, whatever experiment the code chooses. */
export function stepEnvironment(
  deps: Pick<PipelinesDeps, 'env' | 'serverUrl' | 'pythonPath'>,
  input: StepEnvironmentInput,
): Readonly<Record<string, string>> {
  const { run, environment } = input;
  const inherited = inheritedEnvironment(deps.env, { network: true });
  const path = inherited['PATH'] ?? DEFAULT_PATH;
  const bin = environment && dirname(environment.python);
  const url = projectUrl(deps, input.projectName);
  const params = Object.entries(input.params).map(([name, value]) => [
    `LEVAIN_PARAM_${name.toUpperCase()}`,
    typeof value === 'string' ? value : canonicalJson(value),
  ]);
  return {
    LANG: 'C.UTF-8',
    ...inherited,
    PATH: bin ? `${bin}${delimiter}${path}` : path,
    ...(bin && { VIRTUAL_ENV: join(bin, '..') }),
    PYTHONPATH: deps.pythonPath,
    ...PYTHON_SETTINGS,
    PYTHONDONTWRITEBYTECODE: '1',
    ...(input.cpu !== null && { OMP_NUM_THREADS: String(Math.max(1, Math.floor(input.cpu))) }),
    MLFLOW_TRACKING_URI: url,
    MLFLOW_REGISTRY_URI: url,
    MLFLOW_EXPERIMENT_NAME: run.pipeline,
    MLFLOW_TRACKING_TOKEN: input.token,
    LEVAIN_URL: url,
    LEVAIN_PIPELINE: run.pipeline,
    LEVAIN_RUN_ID: run.id,
    LEVAIN_STEP: input.step,
    LEVAIN_ATTEMPT: input.attemptId,
    LEVAIN_PARAMS: canonicalJson(input.params),
    ...Object.fromEntries(params),
    ...input.secrets,
  };
}

/** Where a process on this machine reaches the project; null: the one that the root stands for. */
export const projectUrl = (deps: Pick<PipelinesDeps, 'serverUrl'>, project: string | null): string =>
  `${deps.serverUrl()}${project === null ? '' : `/p/${project}`}`;

/** The values of declared secrets; throws `precondition_failed` that names one that is not set. */
export async function findSecrets(
  deps: Pick<PipelinesDeps, 'secrets'>,
  names: readonly string[],
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of names) {
    const value = await deps.secrets.find(name);
    if (value === undefined) {
      throw new AppError('precondition_failed', `The step needs the secret ${name}, which is not set`, {
        hint: `levain secret set ${name}`,
      });
    }
    found[name] = value;
  }
  return found;
}
