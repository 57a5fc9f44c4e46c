import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import type { ModelStatus } from '../../domain/model-facts.tsx';

export type AppliedFile = AnswerOf<'GET /pipelines/:name'>['file'];

/** The applied levain.yaml of a model; undefined where there is none, as for models that clients registered. */
export function useApplied(model: string): AppliedFile | undefined {
  const { data, error } = useGet('GET /pipelines/:name', { params: { name: model } }, { enabled: model.length <= 100 });
  return error ? undefined : data?.file;
}

/** The environment whose endpoint this is, in the file's words. */
export function useEnvironment({ name, endpoint }: ModelStatus): string | undefined {
  const file = useApplied(name);
  return Object.entries(file?.environments ?? {}).find(([, section]) => section.endpoint === endpoint)?.[0];
}

/** Endpoints that answer requests, as the file names them. */
export const endpointsOf = (file: AppliedFile | undefined): readonly string[] => Object.keys(file?.deploy ?? {});
