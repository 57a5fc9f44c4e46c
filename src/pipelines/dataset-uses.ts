import { listModels, listVersions, type RegistryDeps } from '../registry/index.ts';
import type { Actor } from '../wire/route.ts';
import { listApplied } from './applied.ts';
import { dataStep } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import { datasetsOf } from './keys.ts';
import { listRunsById } from './runs.store.ts';
import { listStepsNamed } from './steps.store.ts';

const MAX_RUNS = 200;
const MAX_VERSIONS = 500;

/** Who reads a dataset: applied files that name it, runs that settled on a version of it, model versions made of one. */
export interface DatasetUses {
  readonly dataset: string;
  readonly pipelines: readonly {
    readonly pipeline: string;
    /** Where its source's relative paths stand. */
    readonly folder: string;
    readonly from: string;
    readonly key: readonly string[];
    readonly time: string | null;
    readonly windowMs: number | null;
    /** Columns with promises. */
    readonly expects: readonly string[];
    readonly steps: readonly string[];
    /** Its rows become labels. */
    readonly labels: boolean;
  }[];
  /** Newest first. */
  readonly runs: readonly {
    readonly id: string;
    readonly pipeline: string;
    readonly state: string;
    readonly createdAt: string;
    /** The dataset version that it settled on; null where it did not come so far. */
    readonly version: number | null;
    readonly failure: string | null;
    readonly model: string | null;
    readonly modelVersion: number | null;
  }[];
  readonly models: readonly {
    readonly model: string;
    readonly version: number;
    readonly dataset: number;
    readonly aliases: readonly string[];
    readonly gate: string | null;
    readonly runId: string | null;
    readonly createdAt: string;
  }[];
}

type Deps = Pick<PipelinesDeps, 'db'> & { readonly registry: Pick<RegistryDeps, 'db'> };

export async function datasetUses(deps: Deps, actor: Actor, dataset: string): Promise<DatasetUses> {
  const { projectId } = actor;
  const rows = await deps.db.read(async (tx) => {
    const steps = await listStepsNamed(tx, projectId, dataStep(dataset), MAX_RUNS);
    const runs = await listRunsById(
      tx,
      projectId,
      steps.map(({ runId }) => runId),
    );
    return steps.flatMap((step) => {
      const run = runs.find(({ id }) => id === step.runId);
      return run ? [{ run, step }] : [];
    });
  });
  return {
    dataset,
    pipelines: (await listApplied(deps, projectId)).flatMap(({ pipeline, folder, file }) => {
      const section = Object.hasOwn(file.data, dataset) ? file.data[dataset] : undefined;
      if (!section) return [];
      return [
        {
          pipeline,
          folder,
          from: typeof section.from === 'string' ? section.from : 'a query',
          key: section.key,
          time: section.time,
          windowMs: section.windowMs,
          expects: Object.keys(section.expect),
          steps: Object.entries(file.steps).flatMap(([name, step]) =>
            datasetsOf(file, step).includes(dataset) ? [name] : [],
          ),
          labels: file.monitor.labels?.data === dataset,
        },
      ];
    }),
    runs: rows.map(({ run, step }) => ({
      id: run.id,
      pipeline: run.pipeline,
      state: run.state,
      createdAt: new Date(run.createdAt).toISOString(),
      version: step.outputs?.data?.version ?? null,
      failure: step.failure?.message ?? null,
      model: run.model,
      modelVersion: run.version,
    })),
    models: await modelsOf(deps, actor, dataset),
  };
}

export interface DatasetReaders {
  readonly dataset: string;
  readonly pipelines: readonly string[];
  /** Models of which a version was made of it, with the newest of those. */
  readonly models: readonly { readonly model: string; readonly version: number }[];
}

/** Who reads which dataset, for all of them at once. */
export async function datasetReaders(deps: Deps, actor: Actor): Promise<readonly DatasetReaders[]> {
  const found = new Map<string, { pipelines: Set<string>; models: Map<string, number> }>();
  const of = (dataset: string) => {
    const known = found.get(dataset) ?? { pipelines: new Set(), models: new Map() };
    found.set(dataset, known);
    return known;
  };
  for (const { pipeline, file } of await listApplied(deps, actor.projectId))
    for (const dataset of Object.keys(file.data)) of(dataset).pipelines.add(pipeline);
  for (const { name } of await listModels(deps.registry, actor)) {
    const { items } = await listVersions(deps.registry, actor, { model: name, limit: MAX_VERSIONS });
    for (const { version, facts } of items)
      for (const { dataset } of facts.data) {
        const { models } = of(dataset);
        models.set(name, Math.max(version, models.get(name) ?? 0));
      }
  }
  return [...found]
    .map(([dataset, { pipelines, models }]) => ({
      dataset,
      pipelines: [...pipelines],
      models: [...models].map(([model, version]) => ({ model, version })),
    }))
    .sort((a, b) => (a.dataset < b.dataset ? -1 : 1));
}

async function modelsOf(deps: Deps, actor: Actor, dataset: string): Promise<DatasetUses['models']> {
  const found: DatasetUses['models'][number][] = [];
  for (const { name } of await listModels(deps.registry, actor)) {
    const page = await listVersions(deps.registry, actor, { model: name, limit: MAX_VERSIONS });
    for (const version of page.items)
      for (const cut of version.facts.data)
        if (cut.dataset === dataset)
          found.push({
            model: version.model,
            version: version.version,
            dataset: cut.version,
            aliases: version.aliases,
            gate: version.gate?.outcome ?? null,
            runId: version.runId,
            createdAt: new Date(version.createdAt).toISOString(),
          });
  }
  return found;
}
