import type { Cell } from '../../../kernel/frame.ts';
import type { Categories } from '../../model.ts';
import { NdArray, PyDict, PyGlobal, PyList, PyObject, PyTuple, type PyValue } from '../graph.ts';
import { LIMITS, NeedsPython, refuse, within } from '../limits.ts';
import { arrayValues, classOf, toFloat64 } from '../numpy.ts';

/** What one conversion has used up so far, against files that share little data many times. */
export class Conversion {
  readonly fileBytes: number;
  private elements = 0;
  private nodes = 0;
  private estimators = 0;
  private readonly categories = new Map<NdArray, Categories>();

  constructor(fileBytes: number) {
    this.fileBytes = fileBytes;
  }

  chargeElements(count: number): void {
    this.elements += count;
    const allowed = LIMITS.sharedElementsRatio * this.fileBytes + LIMITS.sharedElementsFloor;
    if (this.elements > allowed)
      throw refuse(`limit sharedElements (${allowed}) exceeded`, { limit: 'sharedElements' });
  }

  chargeNodes(count: number): void {
    this.nodes += count;
    const allowed = Math.floor(this.fileBytes / LIMITS.treeNodeBytes) + LIMITS.treeNodesFloor;
    if (this.nodes > allowed)
      throw refuse(`limit treeNodes (${allowed}) exceeded by ${this.nodes}`, { limit: 'treeNodes' });
  }

  chargeEstimator(): void {
    within('estimators', ++this.estimators);
  }

  /** One set of categories per array object, however often it is used. */
  categoriesOf(array: NdArray): Categories {
    let known = this.categories.get(array);
    if (!known) {
      this.chargeElements(array.size);
      known = toCategories(arrayValues(array));
      this.categories.set(array, known);
    }
    return known;
  }
}

/** An estimator's state with typed getters; every getter names what is missing. */
export class Fitted {
  readonly name: string;
  readonly module: string;
  private readonly state: PyDict;

  constructor(value: PyValue) {
    const type = value instanceof PyObject ? classOf(value) : undefined;
    const state = value instanceof PyObject ? value.state : undefined;
    if (!type) throw refuse('an estimator is no object');
    this.name = type.name;
    this.module = type.module;
    const dict = state instanceof PyTuple ? state.items[0] : state;
    this.state = dict instanceof PyDict ? dict : new PyDict();
  }

  get(name: string): PyValue {
    return this.state.get(name);
  }

  has(name: string): boolean {
    return this.state.get(name) !== undefined;
  }

  /** Major and minor version of the library as one number: 1.9.1 → 1.09. */
  get version(): number {
    const match = /^(\d+)\.(\d+)/.exec(this.text('_sklearn_version', '0.0'));
    return match ? Number(match[1]) + Number(match[2]) / 100 : 0;
  }

  text(name: string, otherwise?: string): string {
    const value = this.get(name);
    if (typeof value === 'string') return value;
    if (otherwise !== undefined) return otherwise;
    throw this.odd(name, value);
  }

  number(name: string, otherwise?: number): number {
    const value = this.get(name);
    if (typeof value === 'number') return value;
    if (otherwise !== undefined && (value === undefined || value === null)) return otherwise;
    throw this.odd(name, value);
  }

  /** True unless the flag was fitted as false; absent flags take `otherwise`. */
  flag(name: string, otherwise: boolean): boolean {
    const value = this.get(name);
    return typeof value === 'boolean' ? value : otherwise;
  }

  array(name: string): NdArray {
    const value = this.get(name);
    if (value instanceof NdArray) return value;
    throw this.odd(name, value);
  }

  floats(name: string, conversion: Conversion): Float64Array<ArrayBuffer> {
    const value = this.get(name);
    if (typeof value === 'number') return Float64Array.of(value);
    const array = this.array(name);
    conversion.chargeElements(array.size);
    return toFloat64(array);
  }

  /** The same, or undefined where the attribute is absent or None. */
  optionalFloats(name: string, conversion: Conversion): Float64Array<ArrayBuffer> | undefined {
    const value = this.get(name);
    return value === undefined || value === null ? undefined : this.floats(name, conversion);
  }

  items(name: string): readonly PyValue[] {
    return itemsOf(this.get(name)) ?? fail(this.odd(name, this.get(name)));
  }

  private odd(name: string, value: PyValue): Error {
    return value === undefined || value === null
      ? new NeedsPython(`${this.name} has no ${name}`)
      : new NeedsPython(`${this.name}.${name} is not of the form that is understood`);
  }
}

const fail = (error: Error): never => {
  throw error;
};

/** The items of a list, tuple or one-dimensional array. */
export function itemsOf(value: PyValue): readonly PyValue[] | undefined {
  if (value instanceof PyList || value instanceof PyTuple) return value.items;
  if (value instanceof NdArray && value.shape.length <= 2) return arrayValues(value);
  if (value instanceof PyObject && value.appended.length > 0) return value.appended;
  return undefined;
}

/** A cell for Levain: text, boolean, number; refuses integers that a number cannot hold. */
export function toCell(value: PyValue): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (typeof value === 'bigint') throw new NeedsPython(`the integer ${value} is beyond 2^53`);
  throw new NeedsPython('a value is neither text nor number');
}

export function toCategories(values: readonly PyValue[]): Categories {
  let nan = -1;
  let none = -1;
  const cells = values.map((value, i) => {
    if (typeof value === 'number' && Number.isNaN(value)) nan = i;
    else if (value === null) none = i;
    else {
      const cell = toCell(value);
      if (typeof cell === 'number' && !Number.isFinite(cell)) throw new NeedsPython('an infinite category');
      return cell;
    }
    return null;
  });
  return { values: cells, nan, none };
}

/** Class labels of a classifier. */
export const classCells = (fitted: Fitted): Cell[] => arrayValues(fitted.array('classes_')).map(toCell);

/** Column indices from a list, array, mask or slice of integers. */
export function toIndices(value: PyValue): Uint32Array<ArrayBuffer> {
  const items = itemsOf(value);
  if (!items) throw new NeedsPython('a column selection of an odd kind');
  if (items.length > 0 && items.every((item) => typeof item === 'boolean'))
    return Uint32Array.from(items.flatMap((item, i) => (item ? [i] : [])));
  return Uint32Array.from(items, (item) => {
    if (typeof item !== 'number' || !Number.isInteger(item) || item < 0)
      throw new NeedsPython('a column selection by other than indices');
    return item;
  });
}

export const isClass = (value: PyValue, path: string): boolean => value instanceof PyGlobal && value.path === path;

/** Throws where a nested structure goes deeper than any real model. */
export const nested = (depth: number): number => {
  within('nesting', depth);
  return depth + 1;
};
