import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Static } from '../static.ts';
import { obstacleIn } from './build.ts';
import { alsoNeeds, isAside, isOfPackages } from './failures.ts';
import {
  dayOf,
  dayRecipe,
  firstRecipe,
  type Ingredients,
  olderPandasRecipe,
  otherDay,
  todayRecipe,
} from './recipes.ts';

const PYTHONS = ['3.13.0', '3.12.1', '3.11.7', '3.9.18', '3.8.18', '3.7.16'];
const PACKAGES = [
  { name: 'pandas' },
  { name: 'scikit-learn', spec: '==1.0.2' },
  { name: 'odd', known: false, optional: true },
];

const ingredients = (more: object = {}, rest: Partial<Ingredients> = {}): Ingredients => ({
  found: Static.parse({ ok: true, packages: PACKAGES, ...more }),
  declared: undefined,
  kernel: undefined,
  asked: new Set(),
  pythons: PYTHONS,
  wanted: null,
  today: '2026-06-01',
  ...rest,
});

const day = (suggestion: object | null, version: string | null, below: object = {}) => ({
  below,
  day: { python: version === null ? null : { version }, suggestion },
});

test("today's packages are asked for by the imports, with the pins of pip lines", () => {
  const recipe = todayRecipe(ingredients());
  assert.deepEqual(recipe.requirements.slice(0, 2), ['pandas', 'scikit-learn==1.0.2']);
  assert.ok(!recipe.requirements.includes('odd'), 'an optional import of a package that nobody knows is left out');
  assert.equal(recipe.pythons[0], '3.11');
  assert.equal(todayRecipe(ingredients(day(null, '3.12.4'))).pythons[0], '3.12');
});

test('versions of a file beside the notebook bind; names alone do not', () => {
  const bound = firstRecipe(
    ingredients({}, { declared: { file: 'requirements.txt', lines: ['pandas==1.5.3', 'openpyxl'], python: null } }),
  );
  assert.deepEqual([bound.kind, bound.constraints], ['files', ['pandas==1.5.3']]);
  assert.ok(bound.requirements.includes('openpyxl'), 'what only pandas loads is taken from the file');
  const named = firstRecipe(
    ingredients({}, { declared: { file: 'requirements.txt', lines: ['pandas'], python: null } }),
  );
  assert.equal(named.kind, 'today');
});

test('the packages of a kernel that is here are taken as they are', () => {
  const versions = new Map([
    ['pandas', '1.3.5'],
    ['scikit-learn', '1.0.2'],
  ]);
  const recipe = firstRecipe(
    ingredients({}, { kernel: { label: 'the notebook\'s kernel "ds"', python: '3.9', versions } }),
  );
  assert.deepEqual([recipe.kind, recipe.pythons], ['kernel', ['3.9']]);
  assert.ok(recipe.requirements.includes('pandas==1.3.5'));
});

test('the same packages with an older pandas keep their other versions', () => {
  const declared = { file: 'requirements.txt', lines: ['pandas==3.0.1', 'numpy==2.4.0'], python: null };
  const recipe = olderPandasRecipe(firstRecipe(ingredients({}, { declared })), 'x');
  assert.deepEqual([recipe.kind, recipe.constraints], ['pins', ['numpy==2.4.0', 'pandas<3']]);
  assert.equal(recipe.label, 'the packages of requirements.txt with pandas 2');
});

test('the day is the one that the notebook tells, held under what it uses', () => {
  const told = { date: '2024-06-01', python: '3.9', why: 'cell 3 ran on 2024-06-01' };
  assert.equal(dayOf(ingredients(day(told, '3.9.7')).found, '2026-06-01').day, '2024-06-01');
  const held = dayOf(ingredients(day(told, '3.9.7', { 'scikit-learn': '1.2' })).found, '2026-06-01');
  assert.deepEqual([held.day, held.why], ['2022-12-07', 'it uses what scikit-learn 1.2 removed']);
  assert.equal(dayOf(ingredients().found, '2026-06-01').day, '2023-01-15');
});

test("a day takes the notebook's own Python where wheels of that day exist for it, else the nearest that is installed", () => {
  const pythonOf = (date: string, version: string | null) =>
    dayRecipe(ingredients(day(null, version)), date, '').pythons[0];
  assert.equal(pythonOf('2021-06-01', '3.9.5'), '3.9');
  assert.equal(pythonOf('2021-06-01', '3.7.4'), '3.9');
  assert.equal(pythonOf('2020-06-01', '3.7.4'), '3.8');
  assert.equal(pythonOf('2023-01-15', null), '3.11');
  const early = dayRecipe(ingredients(), '2018-01-01', '');
  assert.deepEqual(
    [early.pythons[0], early.day],
    ['3.8', '2019-12-20'],
    'before the oldest Python has wheels there is nothing',
  );
});

test('another day lies a year off, and never in the future or before there were wheels', () => {
  assert.equal(otherDay('2023-01-15', 'earlier', '2026-06-01'), '2022-01-15');
  assert.equal(otherDay('2026-01-15', 'later', '2026-06-01'), undefined);
  assert.equal(otherDay('2020-06-01', 'earlier', '2026-06-01'), undefined);
});

test('what the resolver stumbles over is read from its words', () => {
  const wheels =
    'Because all versions of wordcloud have no usable wheels and you require wordcloud, we can conclude. hint: Wheels are required for `wordcloud` because building from source is disabled';
  assert.deepEqual(obstacleIn(wheels), { name: 'wordcloud', kind: 'wheels' });
  const absent =
    'Because utils-of-mine was not found in the package registry and you require utils-of-mine, we can conclude';
  assert.deepEqual(obstacleIn(absent), { name: 'utils-of-mine', kind: 'absent' });
  assert.equal(obstacleIn('something else'), undefined);
});

const fails = (name: string, message: string) => ({ name, message, line: 1 });

test('packages that a library asks for when it is used are told from its words', () => {
  const { found } = ingredients();
  const asked: readonly (readonly [string, string, string | undefined])[] = [
    ['ImportError', "Missing optional dependency 'openpyxl'.  Use pip or conda to install openpyxl.", 'openpyxl'],
    ['ImportError', '`Import tabulate` failed.  Use pip or conda to install the tabulate package.', 'tabulate'],
    [
      'ImportError',
      'matplotlib is required for plotting when the default backend "matplotlib" is selected.',
      'matplotlib',
    ],
    ['ImportError', 'load_iris with as_frame=True requires pandas.', 'pandas'],
    ['ModuleNotFoundError', "No module named 'PIL'", 'pillow'],
    ['NameError', "name 'x' is not defined", undefined],
  ];
  const bare = { ...found, packages: [] };
  for (const [name, message, expected] of asked) assert.equal(alsoNeeds(fails(name, message), bare), expected, message);
  assert.equal(
    alsoNeeds(fails('ImportError', 'load_iris with as_frame=True requires pandas.'), found)?.length,
    undefined,
  );
});

test('a cell that only draws is no reason for another environment; one that others build on is', () => {
  const cells = [
    { number: 1, source: '', defs: ['df'] },
    { number: 2, source: '', uses: [{ name: 'df' }] },
    { number: 3, source: '', uses: [{ name: 'df' }], defs: ['X'] },
  ];
  const { found } = ingredients({ cells });
  assert.deepEqual(
    [1, 2, 3].map((cell) => isAside(cell, found)),
    [false, true, true],
  );
  const gone = fails('AttributeError', "'DataFrame' object has no attribute 'append'");
  assert.deepEqual([isOfPackages(gone, 1, found), isOfPackages(gone, 2, found)], [true, false]);
  assert.equal(isOfPackages(fails('NameError', "name 'x' is not defined"), 1, found), false);
});
