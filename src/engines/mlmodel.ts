import { parse as parseYaml } from 'yaml';
import { AppError } from '../kernel/errors.ts';
import type { ColumnType, Signature, SignatureColumn } from './signature.ts';

const MAX_SIGNATURE_BYTES = 4 * 2 ** 20;
const TYPES: ReadonlySet<string> = new Set([
  'double',
  'float',
  'long',
  'integer',
  'boolean',
  'string',
  'datetime',
  'category',
]);

/** The signature inside an MLmodel file, or undefined where it has none or speaks of tensors. */
export function signatureFromMlmodel(yamlText: string): Signature | undefined {
  const document = parseMlmodel(yamlText);
  const signature = isRecord(document) ? document['signature'] : undefined;
  if (!isRecord(signature)) return undefined;
  const inputs = parseColumns(signature['inputs'], 'inputs');
  return inputs && { inputs, outputs: parseColumns(signature['outputs'], 'outputs') ?? [] };
}

export interface Flavor {
  readonly name: string;
  /** The version of the library (of Python for `python_function`) that wrote it. */
  readonly version: string | null;
}

/** The forms in which the model was saved, as its MLmodel file names them. */
export function flavorsFromMlmodel(yamlText: string): readonly Flavor[] {
  const document = parseMlmodel(yamlText);
  const flavors = isRecord(document) ? document['flavors'] : undefined;
  if (!isRecord(flavors)) return [];
  return Object.entries(flavors).map(([name, flavor]) => {
    const field = name === 'python_function' ? 'python_version' : `${name}_version`;
    const version = isRecord(flavor) ? flavor[field] : undefined;
    return { name, version: typeof version === 'string' || typeof version === 'number' ? String(version) : null };
  });
}

function parseMlmodel(yamlText: string): unknown {
  if (yamlText.length > MAX_SIGNATURE_BYTES)
    throw new AppError(
      'invalid',
      `The MLmodel file has ${yamlText.length} characters; at most ${MAX_SIGNATURE_BYTES} are read`,
    );
  try {
    return parseYaml(yamlText, { maxAliasCount: 0 });
  } catch (error) {
    throw new AppError('invalid', `The MLmodel file is not YAML: ${firstLine(error)}`, undefined, error);
  }
}

function parseColumns(text: unknown, what: string): SignatureColumn[] | undefined {
  if (text === null || text === undefined) return undefined;
  let list: unknown;
  try {
    list = typeof text === 'string' ? JSON.parse(text) : text;
  } catch (error) {
    throw new AppError('invalid', `The signature's ${what} are not JSON: ${firstLine(error)}`, undefined, error);
  }
  if (!Array.isArray(list)) throw new AppError('invalid', `The signature's ${what} are not a list`);
  if (list.some((entry) => isRecord(entry) && entry['type'] === 'tensor')) return undefined;
  return list.map((entry, i) => parseColumn(entry, i, what));
}

function parseColumn(entry: unknown, index: number, what: string): SignatureColumn {
  if (!isRecord(entry) || typeof entry['type'] !== 'string')
    throw new AppError('invalid', `Entry ${index} of the signature's ${what} has no type`);
  const type = entry['type'];
  if (!TYPES.has(type))
    throw new AppError(
      'invalid',
      `The signature's type "${type}" is not supported; supported are ${[...TYPES].join(', ')}`,
    );
  const name = typeof entry['name'] === 'string' ? entry['name'] : `${what === 'inputs' ? 'x' : 'y'}${index}`;
  return { name, type: type as ColumnType, required: entry['required'] !== false && entry['optional'] !== true };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n')[0]!;
