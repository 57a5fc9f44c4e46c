import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { adoptNotebook } from '../adopt.ts';
import type { AdoptDeps } from '../deps.ts';
import { EXIT, refusal } from '../refusal.ts';
import type { AdoptFiles, AdoptResult, AdoptSpec } from '../types.ts';
import { adoptDvc } from './dvc.ts';
import { adoptMlproject } from './mlproject.ts';
import { MODEL_FILES } from './model-files.ts';
import { adoptModels } from './models.ts';

/** Adopts whatever a person names: a notebook or script runs; a folder of models, of DVC or of MLflow becomes a project as it is. */
export async function adoptSource(deps: AdoptDeps, spec: AdoptSpec): Promise<AdoptResult | AdoptFiles> {
  const info = await stat(spec.source).catch(() => undefined);
  if (!info) throw refusal('not_found', `There is no ${spec.source}`, { exit: EXIT.notFound });
  const name = basename(spec.source);
  if (info.isDirectory()) return adoptFolder(deps, spec, name);
  if (name === 'dvc.yaml') return adoptDvc(deps, spec);
  if (name === 'MLproject') return adoptMlproject(deps, spec);
  if (/\.(ipynb|py)$/i.test(name)) return adoptNotebook(deps, spec);
  if (MODEL_FILES.test(name)) return adoptModels(deps, spec);
  throw refusal('unknown_file', `${name} is no notebook, script, model file, dvc.yaml or MLproject`, {
    hint: 'Name the notebook: levain adopt NOTEBOOK.ipynb',
    exit: EXIT.usage,
  });
}

async function adoptFolder(deps: AdoptDeps, spec: AdoptSpec, name: string): Promise<AdoptResult | AdoptFiles> {
  const names = await readdir(spec.source);
  if (names.includes('dvc.yaml')) return adoptDvc(deps, { ...spec, source: join(spec.source, 'dvc.yaml') });
  if (names.includes('MLproject')) return adoptMlproject(deps, { ...spec, source: join(spec.source, 'MLproject') });
  const notebooks = names.filter((each) => each.endsWith('.ipynb') && !each.startsWith('.'));
  if (notebooks.length === 1) return adoptNotebook(deps, { ...spec, source: join(spec.source, notebooks[0]!) });
  if (notebooks.length > 1) {
    throw refusal('several', `${name} holds ${notebooks.length} notebooks; name the one that makes the model`, {
      hint: `levain adopt ${notebooks.sort()[0]}`,
      exit: EXIT.usage,
    });
  }
  return adoptModels(deps, spec);
}
