import { digestOf } from '../kernel/hash.ts';
import { complete } from './complete.ts';
import { parseYamlText, problemsError, type YamlText } from './document.ts';
import { toProblems } from './problems.ts';
import { projectFileSchema } from './schema.ts';
import type { ProjectFile } from './types.ts';

/**
 * Reads a levain.yaml: the whole grammar, every default filled in. `path` names it in messages, and its folder gives the
 * default name. Throws `invalid` that names line and key, and the nearest key that exists:
 * `levain.yaml:12: key "stpes" is unknown; did you mean "steps"?`.
 */
export const parseProjectFile = (text: string, path: string): ProjectFile => parseWithLines(text, path).file;

/** The same, with the text's positions, for `explain`. */
export function parseWithLines(text: string, path: string): { readonly file: ProjectFile; readonly yaml: YamlText } {
  const yaml = parseYamlText(text, path);
  const parsed = projectFileSchema.safeParse(withoutEmptySections(yaml.value));
  if (!parsed.success) throw problemsError(yaml.name, toProblems(yaml, parsed.error.issues));
  const { file, problems } = complete(parsed.data, path, yaml);
  if (problems.length > 0) throw problemsError(yaml.name, problems);
  return { file, yaml };
}

/** Identity of what a file says: equal for files that differ in comments, order of sections or defaults written out. */
export const projectFileDigest = (file: ProjectFile): string => digestOf(file);

/** `data:` with nothing behind it is an empty section, as is `deploy: { churn: }`. */
function withoutEmptySections(value: unknown): unknown {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  const sections = Object.entries(value).filter(([, section]) => section !== null);
  return Object.fromEntries(
    sections.map(([key, section]) => [key, key === 'deploy' || key === 'environments' ? filled(section) : section]),
  );
}

const filled = (section: unknown): unknown =>
  typeof section === 'object' && section !== null && !Array.isArray(section)
    ? Object.fromEntries(Object.entries(section).map(([name, entry]) => [name, entry ?? {}]))
    : section;
