type Kind = 'number' | 'boolean' | 'string';

export interface Datatype {
  readonly kind: Kind;
  /** Bounds of whole numbers. */
  readonly range?: readonly [number, number];
}

const whole = (low: number, high: number): Datatype => ({ kind: 'number', range: [low, high] });

/** The protocol's datatypes. 64-bit integers are exact up to 2^53-1, which is what JSON numbers carry. */
const DATATYPES: ReadonlyMap<unknown, Datatype> = new Map<unknown, Datatype>([
  ['BOOL', { kind: 'boolean' }],
  ['UINT8', whole(0, 2 ** 8 - 1)],
  ['UINT16', whole(0, 2 ** 16 - 1)],
  ['UINT32', whole(0, 2 ** 32 - 1)],
  ['UINT64', whole(0, Number.MAX_SAFE_INTEGER)],
  ['INT8', whole(-(2 ** 7), 2 ** 7 - 1)],
  ['INT16', whole(-(2 ** 15), 2 ** 15 - 1)],
  ['INT32', whole(-(2 ** 31), 2 ** 31 - 1)],
  ['INT64', whole(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)],
  ['FP16', { kind: 'number' }],
  ['FP32', { kind: 'number' }],
  ['FP64', { kind: 'number' }],
  ['BYTES', { kind: 'string' }],
]);

export const DATATYPE_NAMES = [...DATATYPES.keys()].join(', ');

export const datatypeOf = (name: unknown): Datatype | undefined => DATATYPES.get(name);

/** Which numbers a datatype takes; undefined where it takes none. */
export function rangeOf(name: unknown): readonly [number, number] | 'any' | undefined {
  if (name === 'FP64' || name === 'FP32') return 'any';
  const datatype = DATATYPES.get(name);
  return datatype?.kind === 'number' ? (datatype.range ?? 'any') : undefined;
}
