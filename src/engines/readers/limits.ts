import { AppError } from '../../kernel/errors.ts';
import type { PyGlobal } from './graph.ts';

/** Bounds on what a model file may ask of the reader. A file beyond one is refused with the limit's name. */
export const LIMITS = {
  fileBytes: 2 ** 30,
  inflatedBytes: 2 ** 30,
  inflatedFloorBytes: 64 * 2 ** 20,
  inflatedRatio: 32,
  objects: 2_000_000,
  memo: 2_000_000,
  stack: 1_000_000,
  marks: 10_000,
  integerBytes: 256,
  lineBytes: 2 ** 20,
  nameBytes: 1024,
  dimensions: 32,
  elements: 2 ** 28,
  zipEntries: 100_000,
  schemaBytes: 64 * 2 ** 20,
  schemaBrackets: 2_000_000,
  jsonDepth: 400,
  nodeDepth: 100,
  npyHeaderBytes: 64 * 2 ** 10,
  literalDepth: 8,
  sharedElementsFloor: 1_000_000,
  sharedElementsRatio: 4,
  treeNodesFloor: 100_000,
  treeNodeBytes: 16,
  estimators: 10_000,
  nesting: 30,
  treeDepth: 10_000,
} as const;

export type LimitName = keyof typeof LIMITS;

/** The file is malformed, or asks for more than it may: nothing further is done with it. */
export function refuse(reason: string, details: Readonly<Record<string, unknown>> = {}): AppError {
  return new AppError('invalid', `The model file was refused: ${reason}`, { reason, ...details });
}

/** Throws where `value` is beyond the named limit. */
export function within(limit: LimitName, value: number): void {
  if (value > LIMITS[limit]) throw refuse(`limit ${limit} (${LIMITS[limit]}) exceeded by ${value}`, { limit });
}

/** Valid as far as seen, but only Python can run it. Caught by `convertModel`, which offers the worker. */
export class NeedsPython extends Error {
  /** Names that were seen before reading stopped; Python would stop at the same place. */
  globals: readonly PyGlobal[] = [];

  constructor(reason: string, globals: readonly PyGlobal[] = []) {
    super(reason);
    this.name = 'NeedsPython';
    this.globals = globals;
  }
}

/** Runs a reader; where it stops for Python, the names seen until then go along. */
export function withGlobals<T>(globals: ReadonlyMap<string, PyGlobal>, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof NeedsPython && error.globals.length === 0) error.globals = [...globals.values()];
    throw error;
  }
}
