import { AppError } from '../../kernel/errors.ts';

/** A request's fields as they came: a JSON object, or a query string's parameters. */
export type Message = Readonly<Record<string, unknown>>;

const SEE_DOCS = ' See the API docs for more information about request parameters.';
const camelNames = new Map<string, string>();

/** The field by its own name or in camel case: both are valid JSON of a protobuf message. */
export function fieldOf(message: Message, name: string): unknown {
  const value = message[name];
  if (value !== undefined) return value ?? undefined;
  return message[toCamel(name)] ?? undefined;
}

/** Text, or undefined where it is missing. Numbers are never read as text. */
export function textOf(message: Message, name: string): string | undefined {
  const value = fieldOf(message, name);
  if (value === undefined || typeof value === 'string') return value;
  throw wrongType(name, value);
}

/** Text that is there and not empty. */
export function requiredText(message: Message, name: string): string {
  return textOf(message, name) || missing(name);
}

/** The run that a request is about; old clients say `run_uuid`. */
export const runIdOf = (message: Message): string =>
  textOf(message, 'run_id') || textOf(message, 'run_uuid') || missing('run_id');

/** A whole number, also one written as text. */
export function integerOf(message: Message, name: string): number | undefined {
  const value = fieldOf(message, name);
  if (value === undefined) return undefined;
  const number = toInteger(value);
  if (number === undefined) throw wrongType(name, value);
  return number;
}

export function toInteger(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string' || !/^[+-]?\d+(\.0+)?$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A double as protobuf's JSON says it: a number, its text, or "NaN", "Infinity", "-Infinity". */
export function toDouble(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return undefined;
  if (value === 'NaN') return Number.NaN;
  if (value === 'Infinity') return Number.POSITIVE_INFINITY;
  if (value === '-Infinity') return Number.NEGATIVE_INFINITY;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value) ? Number(value) : undefined;
}

export function booleanOf(message: Message, name: string): boolean | undefined {
  const value = fieldOf(message, name);
  if (value === undefined || typeof value === 'boolean') return value;
  if (value === 'true' || value === 'false') return value === 'true';
  throw wrongType(name, value);
}

/** More than any client sends at once, and less than the databases take in one statement. */
const MAX_ITEMS = 5_000;
const MAX_ORDERS = 100;

/** A repeated field, within bounds. A query parameter that stands once is a list of one. */
export function listOf(message: Message, name: string): readonly unknown[] {
  const value = fieldOf(message, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw wrongType(name, value);
  const most = name === 'order_by' ? MAX_ORDERS : MAX_ITEMS;
  if (value.length > most)
    throw invalid(`'${name}' has ${value.length} items; at most ${most} are read in one request`);
  return value;
}

export function textsOf(message: Message, name: string): readonly string[] {
  const value = fieldOf(message, name);
  const list = typeof value === 'string' ? [value] : listOf(message, name);
  for (const item of list) if (typeof item !== 'string') throw wrongType(name, value);
  return list as readonly string[];
}

export function messagesOf(message: Message, name: string): readonly Message[] {
  const list = listOf(message, name);
  for (const item of list) if (!isMessage(item)) throw wrongType(name, list);
  return list as readonly Message[];
}

export function messageOfField(message: Message, name: string): Message | undefined {
  const value = fieldOf(message, name);
  if (value === undefined || isMessage(value)) return value;
  throw wrongType(name, value);
}

/** An enum by its name or its number; what is not known counts as not given. */
export function enumOf<T>(message: Message, name: string, values: ReadonlyMap<string, T>): T | undefined {
  const value = fieldOf(message, name);
  return value === undefined ? undefined : values.get(String(value));
}

export const isMessage = (value: unknown): value is Message =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function missing(name: string): never {
  throw invalid(`Missing value for required parameter '${name}'.${SEE_DOCS}`);
}

export const wrongType = (name: string, value: unknown): AppError =>
  invalid(`${invalidValue(name, value)}:  Hint: Value was of type '${pythonType(value)}'.${SEE_DOCS}`);

export const invalid = (message: string): AppError => new AppError('invalid', message);

/** `Invalid value <JSON> for parameter 'x' supplied`, as MLflow begins its complaints. */
export const invalidValue = (name: string, value: unknown): string =>
  `Invalid value ${compactJson(value)} for parameter '${name}' supplied`;

const MAX_SHOWN = 2_000;

function compactJson(value: unknown): string {
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    isMessage(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
  return (text ?? 'null').slice(0, MAX_SHOWN);
}

function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return { string: 'str', boolean: 'bool', object: 'dict' }[typeof value as string] ?? typeof value;
}

function toCamel(name: string): string {
  let camel = camelNames.get(name);
  if (camel === undefined) {
    camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    camelNames.set(name, camel);
  }
  return camel;
}
