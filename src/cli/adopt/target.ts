import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import { type CommandContext, EXIT, usage } from '../command.ts';

export interface Target {
  /** What is adopted: a notebook, a script or a folder. Absolute. */
  readonly source: string;
  /** The project's folder, where the files will stand. */
  readonly folder: string;
}

/** Files by which a folder says itself how it is run. */
const PROJECT_FILES = ['dvc.yaml', 'MLproject'];
const MODEL_FILES = /\.(pkl|pickle|joblib|skops|onnx|ubj|cbm|bst|model)$/i;

/** What to adopt: the file named, or the only notebook of the folder; with several a person is asked. */
export async function findTarget(context: CommandContext, given: string | undefined): Promise<Target> {
  const path = resolve(context.cwd, given ?? '.');
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new AppError('not_found', `There is no ${given ?? path}`, { exitCode: EXIT.notFound });
  if (info.isDirectory()) return { source: await inFolder(context, path), folder: path };
  return { source: path, folder: projectFolder(context.cwd, path) };
}

/** The folder one stands in, where the file lies in it or below; else the file's own. */
function projectFolder(cwd: string, path: string): string {
  const isBelow = !relative(cwd, path).startsWith(`..${sep}`);
  const isTooWide = cwd === homedir() || dirname(cwd) === cwd;
  return isBelow && !isTooWide ? cwd : dirname(path);
}

async function inFolder(context: CommandContext, folder: string): Promise<string> {
  const names = (await readdir(folder)).sort();
  if (names.some((name) => PROJECT_FILES.includes(name))) return folder;
  const notebooks = names.filter((name) => name.endsWith('.ipynb') && !name.startsWith('.'));
  const [only, ...more] = notebooks;
  if (only !== undefined) return join(folder, more.length === 0 ? only : await choose(context, notebooks));
  if (names.some((name) => MODEL_FILES.test(name))) return folder;
  throw usage(
    `${folder} holds no notebook, dvc.yaml, MLproject or model file; name what to adopt`,
    'levain adopt NOTEBOOK.ipynb',
  );
}

async function choose(context: CommandContext, notebooks: readonly string[]): Promise<string> {
  if (!context.isTerminal || context.json || context.yes)
    throw usage(
      `There are ${notebooks.length} notebooks here (${notebooks.slice(0, 5).join(', ')}); name one`,
      `levain adopt ${notebooks[0]}`,
    );
  const { isCancel, select } = await import('@clack/prompts');
  const answer = await select<string>({
    message: 'Which notebook makes the model?',
    options: notebooks.map((name) => ({ value: name, label: basename(name) })),
  });
  if (isCancel(answer)) throw usage('No notebook was chosen', `levain adopt ${notebooks[0]}`);
  return answer;
}

/** The notebooks right in a folder. */
export const notebooksIn = async (folder: string): Promise<readonly string[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.ipynb') && !name.startsWith('.')).sort();
