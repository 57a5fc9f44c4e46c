import { AppError } from '../../kernel/errors.ts';
import { type Cell, cellAt, type Frame } from '../../kernel/frame.ts';
import type { FeatureProfile, MonitorProfile, NumericProfile } from '../../stats/profile.ts';
import type { ColumnFault, RehearsalInput } from '../types.ts';
import type { Inputs } from './replay.ts';

/** A fault done to one raw column. */
export interface Spoiler {
  readonly column: string;
  /** `30 % of tenure missing`. */
  readonly words: string;
  readonly facts: { readonly factor?: number };
  apply(frame: Frame): Frame;
}

export interface SpoilerInput extends Pick<RehearsalInput, 'column' | 'factor' | 'amount' | 'share'> {
  readonly kind: ColumnFault;
  readonly profile: MonitorProfile;
  readonly inputs: Inputs;
  readonly random: () => number;
}

const MILES_TO_KILOMETRES = 1.609344;
/** Share of the rows that are spoiled where nobody said it: units change for all at once. */
const DEFAULT_SHARE: Readonly<Record<ColumnFault, number>> = {
  'unit-change': 1,
  shift: 1,
  nulls: 0.3,
  'new-category': 0.3,
};
const NEVER_SEEN = 'rehearsal: never seen';

export function spoilerOf(input: SpoilerInput): Spoiler {
  const { kind, inputs, random } = input;
  const feature = pickColumn(input);
  const { name } = feature;
  const type = inputs.find((column) => column.name === name)?.type;
  const isWhole = type === 'long' || type === 'integer';
  const number = (change: (x: number) => number) => (cell: Cell) =>
    typeof cell === 'number' ? (isWhole ? Math.round(change(cell)) : change(cell)) : cell;
  const isShareKind = kind === 'nulls' || kind === 'new-category';
  const share = input.share ?? (isShareKind ? input.amount : undefined) ?? DEFAULT_SHARE[kind];
  const make = (words: string, change: (cell: Cell) => Cell, facts: Spoiler['facts'] = {}): Spoiler => ({
    column: name,
    words: share === 1 || isShareKind ? words : `${words} in ${Math.round(share * 100)} % of the rows`,
    facts,
    apply: (frame) => changed(frame, name, (cell) => (random() < share ? change(cell) : cell)),
  });
  const part = `${Number((share * 100).toPrecision(3))} % of ${name}`;
  switch (kind) {
    case 'unit-change': {
      const factor = input.factor ?? MILES_TO_KILOMETRES;
      return make(
        `${name} ×${factor}`,
        number((x) => x * factor),
        { factor },
      );
    }
    case 'shift': {
      const by = (input.amount ?? 1) * (feature as NumericProfile).sd;
      return make(
        `${name} shifted by ${Number(by.toPrecision(3))}`,
        number((x) => x + by),
      );
    }
    case 'nulls':
      return make(`${part} missing`, () => null);
    case 'new-category':
      return make(`${part} never seen before`, () => NEVER_SEEN);
  }
}

function changed(frame: Frame, column: string, change: (cell: Cell) => Cell): Frame {
  return {
    rowCount: frame.rowCount,
    columns: frame.columns.map(({ name, values }) =>
      name === column
        ? { name, values: Array.from({ length: frame.rowCount }, (_, i) => change(cellAt(values, i))) }
        : { name, values },
    ),
  };
}

/** The named column, else the most important one that the fault can be done to. */
function pickColumn({ kind, column: wanted, profile, inputs }: SpoilerInput): FeatureProfile {
  const fitting = profile.features.filter((feature) => fits(kind, feature, inputs));
  if (wanted !== undefined) return named({ kind, profile, inputs }, wanted, fitting);
  const best = byImportance(profile, preferred(kind, fitting))[0];
  if (best) return best;
  throw new AppError('precondition_failed', noneFits(kind, profile));
}

function fits(kind: ColumnFault, feature: FeatureProfile, inputs: Inputs): boolean {
  if (kind === 'nulls') return true;
  if (kind !== 'new-category') return feature.kind === 'numeric';
  const type = inputs.find(({ name }) => name === feature.name)?.type;
  return feature.kind === 'category' && (type === 'string' || type === 'category');
}

/** A column of many values, for of 0 and 1 no factor can be told; missing values where they are a surprise. */
function preferred(kind: ColumnFault, features: readonly FeatureProfile[]): readonly FeatureProfile[] {
  const wide = features.filter(
    (feature) =>
      kind === 'nulls' ||
      kind === 'new-category' ||
      (feature.kind === 'numeric' && feature.edges.length >= MANY_EDGES && feature.sd > 0),
  );
  return wide.length > 0 ? wide : features;
}
const MANY_EDGES = 6;

const byImportance = ({ importance }: MonitorProfile, features: readonly FeatureProfile[]): FeatureProfile[] =>
  features.toSorted((a, b) => (importance?.[b.name] ?? 0) - (importance?.[a.name] ?? 0));

function named(
  { kind, profile, inputs }: Pick<SpoilerInput, 'kind' | 'profile' | 'inputs'>,
  wanted: string,
  fitting: readonly FeatureProfile[],
): FeatureProfile {
  const found = fitting.find(({ name }) => name === wanted);
  if (found) return found;
  const known = profile.features.find(({ name }) => name === wanted);
  const isTwoValued = inputs.find(({ name }) => name === wanted)?.type === 'boolean';
  const there = fitting.map(({ name }) => name).join(', ') || 'none';
  const isWhat = known
    ? `holds ${known.kind === 'numeric' ? 'numbers' : isTwoValued ? 'true and false only' : 'categories'}`
    : 'is no column that the model watches';
  throw new AppError('invalid', `"${wanted}" ${isWhat}; ${kind} can be done to: ${there}`);
}

function noneFits(kind: ColumnFault, profile: MonitorProfile): string {
  if (profile.features.length === 0) return 'The model watches no column, so there is nothing to spoil';
  const columns = profile.features.map(({ name }) => name);
  const shown =
    columns.length > 6 ? `${columns.slice(0, 6).join(', ')} and ${columns.length - 6} more` : columns.join(', ');
  return kind === 'new-category'
    ? `The model has no text column in which a category could be new (${shown}); rehearse shift or unit-change instead`
    : `The model has no numeric column (${shown}); rehearse nulls or new-category instead`;
}
