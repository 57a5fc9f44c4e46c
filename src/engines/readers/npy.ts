import { checkShape, Dtype, type DtypeField, NdArray, parseDtype } from './graph.ts';
import { LIMITS, refuse, within } from './limits.ts';

/** Reads an .npy file (versions 1 to 3). The object dtype, which is a pickle, is refused. */
export function readNpy(bytes: Uint8Array): NdArray {
  if (bytes.length < 10 || Buffer.from(bytes.subarray(0, 6)).toString('latin1') !== '\x93NUMPY')
    throw refuse('an array is no npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6]! >= 2;
  if (wide && bytes.length < 12) throw refuse('an npy header is cut short');
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const start = wide ? 12 : 10;
  within('npyHeaderBytes', length);
  if (start + length > bytes.length) throw refuse('an npy header is cut short');
  const header = parseLiteral(Buffer.from(bytes.subarray(start, start + length)).toString('utf8'));
  if (!(header instanceof Map)) throw refuse('an npy header is no dict');
  const array = new NdArray();
  array.dtype = toDtype(header.get('descr') ?? null);
  if (hasObjects(array.dtype)) throw refuse('an npy array of objects');
  array.fortran = header.get('fortran_order') === true;
  const shape = header.get('shape');
  if (!Array.isArray(shape) || !shape.every((n) => typeof n === 'number')) throw refuse('an npy header has no shape');
  array.shape = shape as number[];
  array.bytes = bytes.subarray(start + length);
  checkShape(array.shape, array.dtype.size, array.bytes.length);
  return array;
}

const hasObjects = (dtype: Dtype): boolean =>
  dtype.kind === 'O' || (dtype.fields?.some((f) => hasObjects(f.dtype)) ?? false);

/** Fields stand one after the other; padding is a nameless field that only takes room. */
function toDtype(descr: Literal): Dtype {
  if (typeof descr === 'string') return parseDtype(descr);
  if (!Array.isArray(descr)) throw refuse('an npy header has no dtype');
  const record = new Dtype('V', 0);
  const fields: DtypeField[] = [];
  let offset = 0;
  for (const entry of descr) {
    if (!Array.isArray(entry) || entry.length !== 2 || typeof entry[0] !== 'string')
      throw refuse('an npy field is odd');
    const dtype = toDtype(entry[1] as Literal);
    if (entry[0] !== '') fields.push({ name: entry[0], dtype, offset });
    offset += dtype.size;
  }
  record.size = offset;
  record.fields = fields;
  return record;
}

type Literal = string | number | boolean | null | Literal[] | Map<string, Literal>;

const TOKEN = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d{1,15})L?|(True|False|None)|([[\](){},:]))/y;

/** The Python literals that numpy writes: dicts, tuples, lists, strings, integers, booleans. */
function parseLiteral(text: string): Literal {
  const tokens: (Literal | { p: string })[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const match = TOKEN.exec(text);
    if (!match) throw refuse('an npy header is no literal');
    tokens.push(toToken(match));
    within('npyHeaderBytes', tokens.length);
  }
  const parser = { tokens, at: 0 };
  const value = parseValue(parser, 0);
  if (parser.at !== tokens.length) throw refuse('an npy header has more after its end');
  return value;
}

function toToken([, single, double, digits, word, sign]: RegExpExecArray): Literal | { p: string } {
  if (single !== undefined || double !== undefined) return single ?? double ?? '';
  if (digits !== undefined) return Number(digits);
  if (word !== undefined) return word === 'None' ? null : word === 'True';
  return { p: sign! };
}

interface Parser {
  readonly tokens: readonly (Literal | { p: string })[];
  at: number;
}

const sign = (parser: Parser): string | undefined => {
  const token = parser.tokens[parser.at];
  return typeof token === 'object' && token !== null && 'p' in token ? token.p : undefined;
};

function parseValue(parser: Parser, depth: number): Literal {
  if (depth > LIMITS.literalDepth) within('literalDepth', depth);
  const open = sign(parser);
  const token = parser.tokens[parser.at++];
  if (open === undefined) {
    if (token === undefined) throw refuse('an npy header is cut short');
    return token as Literal;
  }
  if (open === '{') return parseDict(parser, depth);
  if (open === '(' || open === '[') return parseItems(parser, open === '(' ? ')' : ']', depth);
  throw refuse(`an npy header has a stray ${open}`);
}

function parseItems(parser: Parser, close: string, depth: number): Literal[] {
  const items: Literal[] = [];
  while (sign(parser) !== close) {
    items.push(parseValue(parser, depth + 1));
    if (sign(parser) === ',') parser.at++;
    else if (sign(parser) !== close) throw refuse('an npy header is no literal');
  }
  parser.at++;
  return items;
}

function parseDict(parser: Parser, depth: number): Map<string, Literal> {
  const dict = new Map<string, Literal>();
  while (sign(parser) !== '}') {
    const key = parseValue(parser, depth + 1);
    if (sign(parser) !== ':' || typeof key !== 'string') throw refuse('an npy header is no dict');
    parser.at++;
    dict.set(key, parseValue(parser, depth + 1));
    if (sign(parser) === ',') parser.at++;
    else if (sign(parser) !== '}') throw refuse('an npy header is no dict');
  }
  parser.at++;
  return dict;
}
