import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { copyFile, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { pythonEnvironment, TEST_CACHE } from '../support/python-environment.ts';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));
const VEGA = fileURLToPath(new URL('../../node_modules/vega-datasets/data', import.meta.url));

/** case.json of a notebook's folder. */
export interface Case {
  readonly name: string;
  readonly folder: string;
  readonly notebook: string;
  /** The pinned packages that lie beside it as requirements.txt; null leaves them to adopt. */
  readonly environment: string | null;
  /** The pins in which expected.json was found, where adopt is given none. */
  readonly expectedIn?: string;
  /** Where its data lies, and which file of data.py that is. */
  readonly data: Readonly<Record<string, string>>;
  readonly model?: string;
  readonly target?: string;
  readonly task?: string;
  readonly answers?: {
    /** Null where the notebook reads no file: the rows are in expected.json. */
    readonly dataset?: string;
    readonly read?: { readonly separator?: string; readonly decimal?: string; readonly names?: readonly string[] };
  };
  /** The refusal that is right: the cell that it names, and a pattern of what it says. */
  readonly refused?: { readonly cell?: number; readonly says: string };
  /** Served right is as good as the refusal. */
  readonly either?: boolean;
}

/** What answers.py found: the answers of the notebook's own model on its own test rows. */
export interface Expected {
  readonly type: string;
  readonly classes: readonly (string | number)[] | null;
  readonly testRows: number;
  readonly dataset: string | null;
  readonly sha256: string | null;
  readonly answers: readonly {
    /** Position in the data file, from 0. */
    readonly row: number;
    readonly predict: string | number;
    readonly proba?: readonly number[];
    readonly values?: Readonly<Record<string, string | number | null>>;
  }[];
}

export function listCases(): Case[] {
  return globSync('notebooks/*/case.json', { cwd: HERE })
    .sort()
    .map((path) => {
      const folder = dirname(join(HERE, path));
      return { ...(JSON.parse(readFileSync(join(HERE, path), 'utf8')) as Case), name: basename(folder), folder };
    });
}

export async function expectedOf({ folder }: Case): Promise<Expected> {
  return JSON.parse(await readFile(join(folder, 'expected.json'), 'utf8')) as Expected;
}

/** The data files of data.py, made once for its text and the packages it takes them from. */
export async function makeData(): Promise<string> {
  const packages = await readFile(join(HERE, 'data-packages.txt'), 'utf8');
  const script = await readFile(join(HERE, 'data.py'), 'utf8');
  const digest = createHash('sha256').update(packages).update(script).digest('hex').slice(0, 16);
  const out = join(TEST_CACHE, `adopt-data-${digest}`);
  if (existsSync(out)) return out;
  const { environment } = await pythonEnvironment(['pandas==3.1.1', 'scikit-learn==1.9.1']);
  const sources = join(
    TEST_CACHE,
    `adopt-packages-${createHash('sha256').update(packages).digest('hex').slice(0, 16)}`,
  );
  const requirements = join(HERE, 'data-packages.txt');
  if (!existsSync(sources)) {
    const half = `${sources}.${process.pid}`;
    await run('uv', [
      'pip',
      'install',
      '-q',
      '--no-deps',
      '--python',
      environment.python,
      '--target',
      half,
      '-r',
      requirements,
    ]);
    await rename(half, sources);
  }
  const half = `${out}.${process.pid}`;
  await run(environment.python, [join(HERE, 'data.py'), VEGA, sources, half]);
  await rename(half, out);
  return out;
}

/** Lays a notebook out as its author has it: with its data, its helpers and the packages that it names. */
export async function layOut(each: Case, data: string, folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await cp(each.folder, folder, {
    recursive: true,
    filter: (path) => !['case.json', 'expected.json'].includes(basename(path)),
  });
  for (const [path, name] of Object.entries(each.data)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(join(data, name), join(folder, path));
  }
  if (each.environment) {
    const pins = await readFile(join(HERE, 'environments', `${each.environment}.txt`), 'utf8');
    await writeFile(join(folder, 'requirements.txt'), pins);
  }
  return join(folder, each.notebook);
}
