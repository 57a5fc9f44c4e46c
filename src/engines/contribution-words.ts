import type { Cell } from '../kernel/frame.ts';
import type { Contribution, Contributions } from './contributions.ts';

/** Columns that are named in a sentence, and what is too little to be named: a share of the largest. */
const NAMED = 3;
const NAMED_SHARE = 0.05;

/** What mattered most, in words: the columns that moved the output most, each with its direction and how far. */
export function contributionWords(found: Contributions, named = NAMED): string {
  const { features, base, scale } = found;
  const least = Math.abs(features[0]?.contribution ?? 0) * NAMED_SHARE;
  const top = features.slice(0, named).filter(({ contribution }) => Math.abs(contribution) > Math.max(least, 1e-12));
  const subject =
    found.of === null ? 'the answer' : `the ${scale === 'score' ? 'score' : 'chance'} of ${cellWords(found.of)}`;
  const usual = `over ${found.background} training rows ${subject} averages ${levelWords(base, scale)}`;
  if (top.length === 0) return `${usual}, and no column moved it`;
  const parts = top.map(
    (feature) =>
      `${nameWords(feature)} ${feature.contribution > 0 ? 'raised' : 'lowered'} it (${amountWords(feature.contribution, scale)})`,
  );
  const told = parts.length === 1 ? parts[0]! : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
  return `${usual}, and here ${told}`;
}

export const nameWords = ({ name, value }: Pick<Contribution, 'name' | 'value'>): string =>
  `${name} = ${cellWords(value)}`;

export const cellWords = (cell: Cell): string =>
  cell === null
    ? 'missing'
    : typeof cell === 'number'
      ? numberWords(cell)
      : String(cell).length > 40
        ? `${String(cell).slice(0, 40)}…`
        : String(cell);

/** A contribution with its sign: points of probability, log-odds, or the number itself. */
export function amountWords(contribution: number, scale: Contributions['scale']): string {
  const sign = contribution < 0 ? '−' : '+';
  const size = Math.abs(contribution);
  switch (scale) {
    case 'probability':
      return `${sign}${numberWords(size * 100)} points`;
    case 'logit':
      return `${sign}${numberWords(size)} log-odds`;
    case 'log':
      return `×${numberWords(Math.exp(contribution))}`;
    default:
      return `${sign}${numberWords(size)}`;
  }
}

/** A base or an output as people read it. */
export function levelWords(level: number, scale: Contributions['scale']): string {
  switch (scale) {
    case 'probability':
      return `${numberWords(level * 100)} %`;
    case 'logit':
      return `${numberWords(100 / (1 + Math.exp(-level)))} %`;
    case 'log':
      return numberWords(Math.exp(level));
    default:
      return numberWords(level);
  }
}

const numberWords = (x: number): string =>
  x !== 0 && Math.abs(x) < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(Math.abs(x) >= 1000 ? 6 : 3)));
