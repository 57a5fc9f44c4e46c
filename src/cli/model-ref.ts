import { AppError } from '../kernel/errors.ts';

export interface ModelRef {
  readonly model: string;
  /** A number as text, or an alias; undefined where only the model was named. */
  readonly version: string | undefined;
}

/** `churn`, `churn@v7`, `churn@champion`, `models:/churn/7`, `models:/churn@champion`. */
export function parseModelRef(text: unknown): ModelRef {
  const match = /^(?:models:\/)?([^@/\s]+)(?:[@/]v?([\w-]+))?$/.exec(String(text).trim());
  if (!match)
    throw new AppError(
      'invalid',
      `"${String(text)}" is not a model; write for example churn, churn@v7 or churn@champion`,
    );
  return { model: match[1]!, version: match[2] };
}

/** The route of a version; without one, of the champion or `otherwise`. */
export const versionPath = ({ model, version }: ModelRef, otherwise = 'champion'): string =>
  `/models/${encodeURIComponent(model)}/versions/${encodeURIComponent(version ?? otherwise)}`;
