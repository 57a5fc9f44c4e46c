import { access, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { runPython } from '../run/processes.ts';

/** A Python that the notebook may have run in, with what is installed there. */
export interface InstalledKernel {
  /** `the kernel "ds"`, `.venv beside the notebook`. */
  readonly label: string;
  /** `3.9`. */
  readonly python: string;
  /** Distribution (normalised name) → version. */
  readonly versions: ReadonlyMap<string, string>;
}

export interface NeededPackage {
  readonly name: string;
  /** What is imported of it, where an import asked for it. */
  readonly module: string | null;
  readonly optional: boolean;
}

const ENVIRONMENT_FOLDERS = ['.venv', 'venv', 'env', '.env'];
const LOOK_TIMEOUT_MS = 30_000;

/** Looks only: nothing is imported, so nothing of it runs. */
const LOOK = `
import importlib.metadata as m, importlib.util as u, json, sys
names = json.loads(sys.argv[1])
def there(name):
    try:
        return u.find_spec(name) is not None
    except Exception:
        return False
found = {}
for d in m.distributions():
    name = d.metadata["Name"]
    if name and name not in found:
        found[name] = d.version
print(json.dumps({"python": "%d.%d" % sys.version_info[:2], "versions": found, "there": [n for n in names if there(n)]}))
`;

const Looked = z.object({
  python: z.string(),
  versions: z.record(z.string(), z.string()),
  there: z.array(z.string()),
});

/** The notebook's kernel where it is on this machine with all that the notebook imports; an environment beside it first. */
export async function findKernel(
  name: string | null,
  needed: readonly NeededPackage[],
  folders: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<InstalledKernel | undefined> {
  for (const { label, python } of await pythonsOf(name, folders, env)) {
    const looked = await look(python, needed);
    if (looked) return { label, ...looked };
  }
  return undefined;
}

async function look(
  python: string,
  needed: readonly NeededPackage[],
): Promise<Omit<InstalledKernel, 'label'> | undefined> {
  const modules = needed.flatMap(({ module, optional }) => (module !== null && !optional ? [module] : []));
  const command = [python, '-I', '-c', LOOK, JSON.stringify(['ipykernel', ...modules])];
  const { code, stdout } = await runPython(command, { env: process.env, timeoutMs: LOOK_TIMEOUT_MS });
  const value = code === 0 ? Looked.safeParse(JSON.parse(stdout)).data : undefined;
  if (!value || value.there.length < new Set(['ipykernel', ...modules]).size) return undefined;
  if (Number(value.python.split('.')[1]) < 8) return undefined;
  const versions = new Map(Object.entries(value.versions).map(([key, version]) => [normalised(key), version]));
  return { python: value.python, versions };
}

/** @example normalised('Scikit_Learn') === 'scikit-learn' */
export const normalised = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

async function pythonsOf(
  name: string | null,
  folders: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<readonly { readonly label: string; readonly python: string }[]> {
  const found: { label: string; python: string }[] = [];
  for (const folder of folders) {
    for (const each of ENVIRONMENT_FOLDERS) {
      const python = join(folder, each, 'bin', 'python');
      if (await isThere(python)) found.push({ label: `the environment ${each} beside it`, python });
    }
  }
  if (name === null || !/^[\w.-]+$/.test(name)) return found;
  for (const data of dataFolders(env)) {
    const text = await readFile(join(data, 'kernels', name.toLowerCase(), 'kernel.json'), 'utf8').catch(
      () => undefined,
    );
    const python = text === undefined ? undefined : programOf(text, data);
    if (python && (await isThere(python))) found.push({ label: `the notebook's kernel "${name}"`, python });
  }
  return found;
}

/** Where Jupyter keeps kernels, in its own order. */
function dataFolders(env: NodeJS.ProcessEnv): readonly string[] {
  const home = env['HOME'] ?? homedir();
  const prefixes = [env['VIRTUAL_ENV'], env['CONDA_PREFIX']].flatMap((prefix) =>
    prefix ? [join(prefix, 'share', 'jupyter')] : [],
  );
  return [
    ...(env['JUPYTER_PATH'] ?? '').split(delimiter).filter(Boolean),
    env['JUPYTER_DATA_DIR'] ?? join(home, '.local', 'share', 'jupyter'),
    join(home, 'Library', 'Jupyter'),
    ...prefixes,
    '/usr/local/share/jupyter',
    '/usr/share/jupyter',
  ];
}

function programOf(text: string, data: string): string | undefined {
  try {
    const { argv } = JSON.parse(text) as { argv?: unknown };
    const program = Array.isArray(argv) ? argv[0] : undefined;
    if (typeof program !== 'string') return undefined;
    // A kernel inside an environment may name its Python by its bare name.
    return program.includes('/') ? program : join(data, '..', '..', 'bin', program);
  } catch {
    return undefined;
  }
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
