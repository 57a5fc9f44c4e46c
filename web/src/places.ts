/** The rail: every page belongs to one of them. The letter follows `g`. */
export const PLACES = [
  { to: '/', word: 'Home', key: 'h' },
  { to: '/models', word: 'Models', key: 'm' },
  { to: '/runs', word: 'Runs', key: 'r' },
  { to: '/data', word: 'Data', key: 'd' },
  { to: '/activity', word: 'Activity', key: 'a' },
  { to: '/settings', word: 'Settings', key: 's' },
] as const;

/** Which of them a path belongs to. */
export function placeOf(path: string): string {
  const [first = ''] = path.split('/').filter((part) => part !== '');
  if (first === 'm') return '/models';
  if (first === 'i') return '/activity';
  if (first === 'compare') return '/runs';
  if (first === 'new' || first === 'why') return '/';
  return `/${first}`;
}

/** All keys that work, for the list behind `?`. */
export const KEYS: readonly { readonly title: string; readonly keys: readonly (readonly [string, string])[] }[] = [
  {
    title: 'Anywhere',
    keys: [
      ['/', 'search'],
      ...PLACES.map(({ key, word }) => [`g ${key}`, `go to ${word}`] as const),
      ['?', 'this list'],
      ['Esc', 'close what is open'],
    ],
  },
  {
    title: 'Tables',
    keys: [
      ['j k', 'next, previous row (or ↓ ↑)'],
      ['Home End', 'first, last row'],
      ['Enter', 'open the row'],
      ['x', 'select the row'],
      ['Shift + click', 'select all rows up to this one'],
      ['Esc', 'select none'],
    ],
  },
  {
    title: 'Charts',
    keys: [
      ['drag', 'zoom in'],
      ['double click', 'zoom out again'],
      ['click on a name', 'hide or show a line'],
      ['double click on a name', 'show it alone'],
    ],
  },
];
