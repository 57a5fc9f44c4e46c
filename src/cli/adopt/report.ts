import type { AdoptResult } from '../../adopt/types.ts';
import type { GateMetric } from './calibration.ts';
import { FEATURES_FILE, LOCK_FILE, taskOf } from './compose.ts';
import type { PlannedFile } from './files.ts';
import { secondsOf } from './progress.ts';

/** A finding: what it is about, and its lines. */
type Finding = readonly [label: string, lines: readonly string[]];

const MAX_SHOWN = 6;
const LABEL_WIDTH = 12;

/** What adopt found, for people: each finding under its word, the ones without anything to say left out. */
export function reportText(result: AdoptResult, gate: GateMetric | null = null): string {
  const findings: readonly Finding[] = [
    ['notebook', notebookLines(result)],
    ['environment', environmentLines(result)],
    ['data', dataLines(result)],
    ['network', [result.network.sentence, ...shown(result.network.refused.map((what) => `refused: ${what}`))]],
    [
      'skipped',
      shown(result.run.skipped.map(({ cell, error }) => `cell ${cell}: ${error}; the model depends on nothing of it`)),
    ],
    ['outputs', shown(result.differences.map(differenceText))],
    ['model', modelLines(result)],
    ['features', featuresLines(result)],
    ['gate', gate === null ? [] : [gate.sentence]],
    ['leaks', shown(leaksOf(result))],
    ['lint', shown(result.lints.map(lintText))],
  ];
  return findings.flatMap(toLines).join('\n');
}

const toLines = ([label, lines]: Finding): string[] =>
  lines
    .filter((line) => line !== '')
    .map((line, index) => `${(index === 0 ? label : '').padEnd(LABEL_WIDTH)}${line.replace(/\s*\n\s*/g, ' ')}`);

function notebookLines({ source, run }: AdoptResult): string[] {
  const failed = run.cells.filter(({ status }) => status === 'error').length;
  const ran = run.cells.filter(({ status }) => status === 'ok' || status === 'resumed').length;
  const resumed = run.resumedAfter === null ? '' : `, taken up after cell ${run.resumedAfter}`;
  return [
    `${source.path}: ${ran} of ${source.cells} cells ran${failed > 0 ? `, ${failed} failed` : ''}${resumed} (${secondsOf(run.endedAt - run.startedAt)})`,
    source.ranOutOfOrder ? 'it was saved after being run out of order; here it ran from top to bottom' : '',
    source.neverRun.length > 0 ? `its author never ran cell ${source.neverRun.join(', ')}` : '',
  ];
}

const environmentLines = ({ environment }: AdoptResult): string[] => [
  environment.sentence,
  ...environment.attempts
    .slice(0, -1)
    .map(({ label, python, outcome }) => `tried before: ${label}, Python ${python}: ${outcome}`),
];

function dataLines({ data, brought }: AdoptResult): string[] {
  const lines = data.flatMap((file) => {
    const size = [
      file.rows === null ? '' : `${file.rows.toLocaleString('en-US')} rows`,
      file.columns === null ? '' : `${file.columns} columns`,
      file.key === null ? '' : `key ${file.key}`,
    ].filter((part) => part !== '');
    const elsewhere = file.asWritten.filter((path) => path !== file.path);
    return [
      `${file.name}: ${file.outside ? file.source : file.path}${size.length > 0 ? `, ${size.join(', ')}` : ''}${file.role === 'main' ? '' : ` (${file.role})`}`,
      ...elsewhere.map((path) => `  the notebook reads ${path}; it was led to ${file.path}`),
    ];
  });
  return [...lines, brought?.sentence ?? '', ...withoutData(data)];
}

/** A version stands on a dataset; where none holds the model's rows that is said before anything is written. */
const withoutData = (data: AdoptResult['data']): readonly string[] =>
  data.some(({ role }) => role === 'main')
    ? []
    : [
        'no file holds the rows that the model answers, so `levain run` cannot register a version of it, and neither gate nor monitor works',
        'give the file that the notebook means with --data PATH and adopt again, or have the notebook read its rows from a file beside it',
      ];

function modelLines({ model, others, facts }: AdoptResult): string[] {
  const cell = model.cell === null ? '' : ` of cell ${model.cell}`;
  const positive = model.positive === null ? '' : ` (positive: ${JSON.stringify(model.positive)})`;
  return [
    `${model.variable}${cell}, ${shortType(model.type)}${scoreText(model.score)}`,
    `${targetText(model)}${positive}${taskOf(model) === null ? '' : `, ${taskOf(model)}`}`,
    ...notesOf(facts),
    model.reason,
    model.runsIn ?? '',
    ...shown(
      others.map(
        (other) =>
          `not ${other.variable ?? other.expression}: ${shortType(other.type)}${scoreText(other.score)}${other.why_not ? `; ${other.why_not}` : ''}`,
      ),
    ),
  ];
}

/** The target; where it could not be proven, why, and what that costs. */
function targetText({ target, targetWhy }: AdoptResult['model']): string {
  if (target !== null) return `predicts ${target}`;
  const why = targetWhy ?? 'no column of the data holds its target';
  return `no target is told: ${why}. The gate measures nothing until levain.yaml names one (model: target: COLUMN)`;
}

/** What the answers mean, where they are not the target's own values. */
function notesOf(facts: AdoptResult['facts']): readonly string[] {
  const found = facts['notes'];
  return Array.isArray(found) ? found.map(String) : [];
}

function featuresLines({ features, facts }: AdoptResult): string[] {
  const tested = typeof facts['testRows'] === 'number' ? facts['testRows'] : null;
  const proof =
    tested === null
      ? 'proven: raw rows get the answers of the notebook'
      : `proven: its ${tested.toLocaleString('en-US')} test rows, raw, get the notebook's own answers, alone and in batches`;
  if (features === null) return ['raw rows go into the model as they are', proof];
  const count = features.statements === null ? 'the preparation' : `${features.statements} statements`;
  return [`${count} between raw rows and the model became ${FEATURES_FILE}`, proof];
}

export const scoreText = (
  score: { readonly name: string; readonly value: number; readonly rows?: number | null | undefined } | null,
): string =>
  score === null
    ? ', no score'
    : `, ${score.name} ${Number(score.value.toPrecision(4))}${score.rows == null ? '' : ` on ${score.rows.toLocaleString('en-US')} test rows`}`;

/** @example shortType('sklearn.svm._classes.SVC') === 'SVC' */
const shortType = (type: string): string => type.slice(type.lastIndexOf('.') + 1);

const differenceText = (each: AdoptResult['differences'][number]): string =>
  `cell ${each.cell} now says ${clip(each.now)}; stored was ${clip(each.stored)}${each.package === null ? '' : ` (${each.package})`}`;

function lintText({ cell, line, message, fix }: AdoptResult['lints'][number]): string {
  const where = cell === null ? '' : `cell ${cell}${line === null ? '' : `, line ${line}`}: `;
  return `${where}${message}${fix === null ? '' : `; ${fix}`}`;
}

const MAX_CLIPPED = 60;

function clip(text: string): string {
  const plain = text.replace(/\s+/g, ' ').trim();
  return plain.length <= MAX_CLIPPED ? plain : `${plain.slice(0, MAX_CLIPPED - 1)}…`;
}

const shown = (lines: readonly string[]): string[] =>
  lines.length <= MAX_SHOWN
    ? [...lines]
    : [...lines.slice(0, MAX_SHOWN), `and ${lines.length - MAX_SHOWN} more (--json lists them)`];

/** What of the test rows reached training, in sentences. */
export function leaksOf({ facts }: Pick<AdoptResult, 'facts'>): readonly string[] {
  const found = facts['leaks'];
  return Array.isArray(found) ? found.map(String) : [];
}

const FEATURES_LINES = 24;
/** Of rows; nobody reads all of them. */
const DATA_LINES = 4;

/** The files as they would stand; the lock in one line, a long features.py cut unless `whole`. */
export function filesText(files: readonly PlannedFile[], whole: boolean): string {
  return files.map((file) => fileText(file, whole)).join('\n\n');
}

const STATES: Readonly<Record<PlannedFile['state'], string>> = {
  new: 'new',
  same: 'stands there already',
  ours: 'written anew: adopt wrote what stands there',
  other: 'stands there and is NOT what adopt wrote',
};

function fileText({ path, text, state }: PlannedFile, whole: boolean): string {
  const title = `${path} (${STATES[state]})`;
  if (path === LOCK_FILE) return `${title}\n  ${lockSummary(text)}`;
  const lines = text.trimEnd().split('\n');
  const kept = path.endsWith('.csv')
    ? lines.slice(0, DATA_LINES)
    : whole || path !== FEATURES_FILE
      ? lines
      : lines.slice(0, FEATURES_LINES);
  const more = lines.length - kept.length;
  return [title, ...kept.map((line) => `  ${line}`.trimEnd()), ...(more > 0 ? [`  … ${more} more lines`] : [])].join(
    '\n',
  );
}

const NAMED = ['scikit-learn', 'pandas', 'numpy', 'xgboost', 'lightgbm', 'catboost', 'tensorflow', 'torch'];

/** @example `Python 3.12 and 14 packages: scikit-learn 1.5.2, pandas 2.2.3, numpy 2.1.1` */
export function lockSummary(lock: string): string {
  const python = /^#\s*python:\s*(\S+)/m.exec(lock)?.[1];
  const pins = [...lock.matchAll(/^([A-Za-z0-9._-]+)==([^\s;\\]+)/gm)].map(([, name = '', version = '']) => ({
    name,
    version,
  }));
  const known = NAMED.flatMap((name) => pins.find((pin) => pin.name.toLowerCase() === name) ?? []);
  const named = known.map(({ name, version }) => `${name} ${version}`).join(', ');
  return `Python ${python ?? '?'} and ${pins.length} packages${named === '' ? '' : `: ${named}`}`;
}
