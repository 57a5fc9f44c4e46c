import { z } from 'zod';
import type { Cell } from '../kernel/frame.ts';
import type { Positive } from '../project-file/index.ts';

const cell = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/**
 * How a notebook writes the target that the data holds: as it is, by a formula, by a table of its words, or two codes parted at a
 * number. Learned from the notebook's own test rows, each of which it holds for sure (`levain_runtime.adopt.testrows`).
 */
export const codingRule = z.union([
  z.object({ kind: z.enum(['same', 'log', 'log1p', 'log10', 'log2', 'sqrt']) }),
  z.object({ kind: z.literal('linear'), a: z.number(), b: z.number() }),
  z.object({ kind: z.literal('map'), pairs: z.array(z.tuple([cell, cell])).max(1_000) }),
  z.object({ kind: z.literal('border'), below: z.tuple([cell, z.number()]), above: z.tuple([cell, z.number()]) }),
]);
export type CodingRule = z.output<typeof codingRule>;

const FORMULAS: Readonly<Record<string, readonly [(x: number) => number, (y: number) => number]>> = {
  log: [Math.log, Math.exp],
  log1p: [Math.log1p, Math.expm1],
  log10: [Math.log10, (y) => 10 ** y],
  log2: [Math.log2, (y) => 2 ** y],
  sqrt: [Math.sqrt, (y) => y ** 2],
};

/**
 * A value of the data as the notebook writes it; null where its own rows do not tell.
 * @example coded('Yes', { kind: 'map', pairs: [['No', 0], ['Yes', 1]] }) === 1
 */
export function coded(value: Cell, rule: CodingRule | null): Cell {
  if (rule === null || rule.kind === 'same' || value === null) return value;
  if (rule.kind === 'map') return lookUp(value, rule.pairs);
  const number = Number(value);
  if (Number.isNaN(number) || value === '') return null;
  if (rule.kind === 'linear') return rule.a * number + rule.b;
  if (rule.kind !== 'border') return finite(FORMULAS[rule.kind]![0](number));
  if (number <= rule.below[1]) return rule.below[0];
  return number >= rule.above[1] ? rule.above[0] : null;
}

/** A number of the notebook's coding in the units of the data. NaN where it has none. */
export function decoded(value: number, rule: CodingRule | null): number {
  if (rule === null || rule.kind === 'same') return value;
  if (rule.kind === 'linear') return (value - rule.b) / rule.a;
  return FORMULAS[rule.kind]?.[1](value) ?? Number.NaN;
}

/** What the file calls positive, as the notebook writes it; null where that is not one code. */
export function positiveCode(positive: Positive | null, rule: CodingRule | null): Cell {
  if (positive === null || typeof positive !== 'object') return coded(positive, rule);
  if (rule?.kind === 'border') return positive.op.startsWith('>') ? rule.above[0] : rule.below[0];
  if (rule?.kind !== 'map') return null;
  const codes = new Set(rule.pairs.filter(([word]) => isPositive(word, positive)).map(([, code]) => code));
  return codes.size === 1 ? [...codes][0]! : null;
}

/** The data's words for a model's classes, in their order; undefined where not each class has exactly one word. */
export function wordsOf(classes: readonly Cell[], rule: CodingRule | null): readonly Cell[] | undefined {
  if (rule?.kind !== 'map') return undefined;
  const words = classes.map((code) => rule.pairs.filter((pair) => sameCell(pair[1], code)).map(([word]) => word));
  return words.every((found) => found.length === 1) ? words.map(([word]) => word!) : undefined;
}

/** Whether a value of the target column means the positive class. Missing is null. @example isPositive(31, { op: '>', value: 15 }) */
export function isPositive(value: Cell, positive: Positive): boolean | null {
  if (value === null || (typeof value === 'number' && Number.isNaN(value))) return null;
  if (typeof positive !== 'object') return value === positive || String(value) === String(positive);
  const number = Number(value);
  if (Number.isNaN(number)) return null;
  if (positive.op === '>') return number > positive.value;
  if (positive.op === '>=') return number >= positive.value;
  if (positive.op === '<') return number < positive.value;
  return number <= positive.value;
}

/** A word of the data; a label that a caller sends may be in the notebook's coding already. */
function lookUp(value: Cell, pairs: readonly (readonly [Cell, Cell])[]): Cell {
  const found = pairs.find(([word]) => sameCell(word, value)) ?? pairs.find(([, code]) => sameCell(code, value));
  return found ? found[1] : null;
}

export const sameCell = (a: Cell, b: Cell): boolean => a === b || String(a) === String(b);

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
