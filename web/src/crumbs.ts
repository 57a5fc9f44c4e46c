import { shortId } from './ui/format.ts';

export interface Crumb {
  readonly to: string;
  readonly word: string;
}

const WORDS: Readonly<Record<string, string>> = {
  models: 'Models',
  m: 'Models',
  runs: 'Runs',
  data: 'Data',
  activity: 'Activity',
  settings: 'Settings',
  compare: 'Compare',
  new: 'New',
  why: 'Why',
  live: 'Live',
  monitor: 'Monitor',
  versions: 'Versions',
  pipeline: 'Pipeline',
};
/** First segments that are no page of their own, and the page that they belong to. */
const PARENTS: Readonly<Record<string, Crumb>> = {
  m: { to: '/models', word: 'Models' },
  i: { to: '/activity?kind=incident', word: 'Incidents' },
  compare: { to: '/runs', word: 'Runs' },
  why: { to: '/', word: 'Home' },
};
const HAS_PAGE = new Set(['models', 'runs', 'data', 'activity', 'settings', 'new', 'compare']);

/** From a place of the rail to the page: `/m/churn/monitor` is Models / churn / Monitor. */
export function crumbsOf(path: string): readonly Crumb[] {
  const [first, ...rest] = path.split('/').filter((part) => part !== '');
  if (first === undefined) return [{ to: '/', word: 'Home' }];
  const parent = PARENTS[first];
  const own = HAS_PAGE.has(first) ? [{ to: `/${first}`, word: WORDS[first] ?? first }] : [];
  return [
    ...(parent ? [parent] : []),
    ...own,
    ...rest.map((part, index) => ({
      to: `/${[first, ...rest.slice(0, index + 1)].join('/')}`,
      word: wordOf(first, decode(part), index),
    })),
  ];
}

function wordOf(first: string, part: string, index: number): string {
  if (first === 'i') return `Incident ${part}`;
  if (first === 'm' && index === 1) return WORDS[part] ?? part;
  return /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/.test(part) ? shortId(part) : part;
}

/** What the browser's tab says: the page first, because tabs are narrow. */
export const titleOf = (path: string): string =>
  [
    ...crumbsOf(path)
      .map(({ word }) => word)
      .reverse(),
    'Levain',
  ].join(' · ');

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
