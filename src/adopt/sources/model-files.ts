import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describeModelFile, type ModelFileFacts } from '../../engines/index.ts';
import { messageOf } from '../../kernel/errors.ts';

export const MODEL_FILES =
  /\.(pkl|pickle|pk|p|joblib|skops|onnx|ubj|cbm|bst|xgb|lgb|model|sav|mdl|keras|h5|json|txt)$/i;
/** These are models only where their bytes say so. */
const MAYBE = /\.(json|txt|model|bst|p|sav|h5)$/i;
const SKIPPED = new Set(['node_modules', '__pycache__', 'venv', 'env', 'site-packages', 'catboost_info']);
const MAX_FILES = 200;
const MAX_DEPTH = 3;
/** What the readers read. */
const MAX_BYTES = 2 * 2 ** 30;

export interface ModelFile {
  readonly path: string;
  readonly name: string;
  readonly facts: ModelFileFacts;
}

export interface RefusedFile {
  readonly path: string;
  readonly name: string;
  readonly reason: string;
}

export interface FoundModels {
  readonly models: readonly ModelFile[];
  readonly refused: readonly RefusedFile[];
}

/** Reads each model file of a folder, or the one file, without running anything in it. */
export async function findModelFiles(source: string): Promise<FoundModels> {
  const models: ModelFile[] = [];
  const refused: RefusedFile[] = [];
  for (const path of await candidates(source)) {
    const name = basename(path);
    try {
      models.push({ path, name, facts: describeModelFile(await readBytes(path), name) });
    } catch (error) {
      if (!MAYBE.test(name) || path === source) refused.push({ path, name, reason: messageOf(error) });
    }
  }
  return { models, refused };
}

async function readBytes(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > MAX_BYTES) throw new Error(`it has ${size} bytes; at most ${MAX_BYTES} are read`);
  return readFile(path);
}

async function candidates(source: string): Promise<readonly string[]> {
  if ((await stat(source)).isFile()) return [source];
  const found: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (entry.name.startsWith('.') || found.length >= MAX_FILES) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH && !SKIPPED.has(entry.name)) await walk(path, depth + 1);
      else if (entry.isFile() && MODEL_FILES.test(entry.name)) found.push(path);
    }
  };
  await walk(source, 1);
  return found;
}

/** Objects that prepare rows and predict nothing, told by their class. */
const PREPARES =
  /(Scaler|Encoder|Imputer|Vectorizer|Transformer|Binarizer|Discretizer|Normalizer|Selector|PCA|SVD|SelectKBest|PolynomialFeatures|Tokenizer|Binarize)$/;
const NO_MODEL = /^(dict|list|tuple|builtins\.|collections\.|numpy\.|pandas\.|datetime\.)/;

/** Why a file cannot be the model, in a few words; undefined where it may be. */
export function whyNoModel({ facts }: ModelFile): string | undefined {
  const type = facts.type ?? '';
  const short = type.slice(type.lastIndexOf('.') + 1);
  if (facts.dangers.length > 0) return `would run ${facts.dangers.slice(0, 3).join(', ')} when loaded`;
  if (facts.engine === 'levain') return undefined;
  if (PREPARES.test(short)) return `is a ${short}, which prepares rows and predicts nothing`;
  if (NO_MODEL.test(type)) return `holds a ${type}, which is no model`;
  return undefined;
}

/** @example `scikit-learn Pipeline, classes no and yes, 3 features` */
export function describeFacts({ facts }: ModelFile): string {
  const type = facts.type ? facts.type.slice(facts.type.lastIndexOf('.') + 1) : `an object in a ${facts.format} file`;
  const version = facts.libraries['scikit-learn'];
  const parts = [
    version === undefined ? type : `${type} of scikit-learn ${version}`,
    facts.classes && `classes ${listed(facts.classes.map(String))}`,
    facts.features && `features ${listed(facts.features)}`,
  ];
  return parts.filter(Boolean).join('; ');
}

const MAX_LISTED = 6;

const listed = (names: readonly string[]): string =>
  names.length <= MAX_LISTED
    ? names.join(', ')
    : `${names.slice(0, MAX_LISTED).join(', ')} and ${names.length - MAX_LISTED} more`;
