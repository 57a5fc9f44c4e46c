import type { Run } from './page.tsx';

export interface MadeBy {
  /** The pipeline, once the step told it; it does so at its end. */
  readonly pipeline: string | undefined;
  readonly run: string;
  readonly step: string;
}

/** The pipeline run and step under whose token a run was made: `RUN.STEP.ATTEMPT`. */
export function pipelineOf({ attemptId, tags }: Pick<Run, 'attemptId' | 'tags'>): MadeBy | undefined {
  if (attemptId === null) return undefined;
  const [run = ''] = attemptId.split('.', 1);
  const step = attemptId.slice(run.length + 1, attemptId.lastIndexOf('.'));
  return { pipeline: tags['levain.pipeline'], run, step };
}

/** Tags by what they are about: ours and MLflow's own tell where a run came from, the rest are the user's. */
export function tagsOf({ tags }: Pick<Run, 'tags'>) {
  const all = Object.entries(tags);
  return {
    own: all.filter(([key]) => !/^(levain|mlflow)\./.test(key)),
    note: tags['mlflow.note.content'] ?? '',
    datasets: all
      .filter(([key]) => key.startsWith('levain.dataset.'))
      .map(([key, versionId]) => ({ name: key.slice('levain.dataset.'.length), versionId })),
    diff: tags['mlflow.source.git.diff'] ?? tags['mlflow.git.diff'],
  };
}
