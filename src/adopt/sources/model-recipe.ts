import type { ModelFileFacts } from '../../engines/index.ts';
import { lastDayBelow, minorOf, type Recipe } from '../environment/recipes.ts';

/** Packages of modules whose names differ; others are called as they are. */
const PACKAGES: Readonly<Record<string, string>> = {
  sklearn: 'scikit-learn',
  imblearn: 'imbalanced-learn',
  category_encoders: 'category-encoders',
  onnx: 'onnxruntime',
  keras: 'tensorflow',
};
const KNOWN = new Set(
  'sklearn imblearn xgboost lightgbm catboost statsmodels category_encoders onnx keras tensorflow torch scipy skops joblib cloudpickle ngboost sklearn_pandas feature_engine mlxtend prophet pmdarima lifelines dill'.split(
    ' ',
  ),
);
const MODERN = ['3.11', '3.12', '3.13', '3.10', '3.14', '3.9', '3.8'];

/** Environments in which a model file may load, the likeliest first: the library's version that it names, of that version's day. */
export function modelRecipes(
  facts: ModelFileFacts,
  pythons: readonly string[],
  data: readonly string[],
  today: string,
): Recipe[] {
  const version = facts.libraries['scikit-learn'];
  const there = [...new Set(pythons.map(minorOf))];
  const modules = facts.modules.filter((module) => KNOWN.has(module));
  const named = modules.map((module) => PACKAGES[module] ?? module).filter((name) => name !== 'scikit-learn');
  const reads = [
    ...(data.some((path) => /\.(parquet|pq)$/i.test(path)) ? ['pyarrow'] : []),
    ...(data.some((path) => /\.xlsx?$/i.test(path)) ? ['openpyxl'] : []),
  ];
  const sklearn = version === undefined ? 'scikit-learn' : `scikit-learn==${version}`;
  const requirements = [...new Set([sklearn, ...named, 'pandas', 'numpy', 'joblib', 'cloudpickle', ...reads])];
  if (facts.format === 'skops') requirements.push('skops');
  const base = { why: '', constraints: [], requirements };
  const order = MODERN.filter((minor) => there.includes(minor));
  const now = { ...base, kind: 'today' as const, label: "today's packages", day: null, pythons: order };
  if (version === undefined) return [now];
  const label = `scikit-learn ${version}, which the file names`;
  const day = lastDayBelow('scikit-learn', nextMinor(version))[0]?.day;
  if (day === undefined || day >= today) return [{ ...now, kind: 'pins', label }];
  const old = [...order].sort((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]));
  const ofDay: Recipe = { ...base, kind: 'day', label: `${label}, and the packages of ${day}`, day, pythons: old };
  return [ofDay, { ...now, kind: 'pins', label, pythons: old }];
}

const nextMinor = (version: string): string => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return `${major}.${minor + 1}`;
};
