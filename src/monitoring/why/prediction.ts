import { amountWords, cellWords, contributionWords } from '../../engines/contribution-words.ts';
import type { Contributions } from '../../engines/contributions.ts';
import type { Cell } from '../../kernel/frame.ts';
import { timeOfUuidv7 } from '../../kernel/ids.ts';
import { findVersionById } from '../../registry/index.ts';
import { findPrediction, listEndpoints, type Prediction } from '../../serving/index.ts';
import type { FeatureProfile, MonitorProfile } from '../../stats/profile.ts';
import type { Actor } from '../../wire/route.ts';
import { judgedBy } from '../evaluation/versions.ts';
import { findLabel, selectHistory } from '../labels/labels.store.ts';
import type { MonitoringDeps } from '../types.ts';
import { type Explained, explainRow } from './explain.ts';
import type { Finder } from './types.ts';

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** What `why` knows of a prediction. */
export interface PredictionWhy {
  readonly prediction: Prediction;
  /** What came true, as the target column says it, and what was said before. */
  readonly label: { readonly value: Cell; readonly source: string; readonly history: readonly unknown[] } | null;
  readonly contributions: (Contributions & { readonly sentence: string }) | null;
  readonly contributionsReason: string | null;
}

/** Ids carry their time; one so young may still be on its way into the log. */
const FRESH_MS = 30_000;

/** Whether this may be a prediction that the log has not brought in yet. */
export async function isFresh(deps: MonitoringDeps, actor: Pick<Actor, 'projectId'>, id: string): Promise<boolean> {
  if (!ID.test(id)) return false;
  if (Math.abs(deps.clock.now() - timeOfUuidv7(id)) < FRESH_MS) return true;
  return (await listEndpoints(deps.serving, actor)).some(({ eventTime }) => eventTime === 'client');
}

export const ofPrediction: Finder = async (deps, actor, id) => {
  const prediction = await findPrediction(deps.serving, { projectId: actor.projectId, id });
  if (!prediction) return undefined;
  const { label, history } = await deps.db.read(async (tx) => ({
    label: await findLabel(tx, actor.projectId, prediction.endpoint, prediction.id),
    history: await selectHistory(tx, actor.projectId, prediction.endpoint, prediction.id),
  }));
  const profile = (await judgedBy(deps, prediction.versionId))?.profile ?? null;
  const explained = await explain(deps, prediction);
  const truth = label ? { value: JSON.parse(label.value) as Cell, source: label.source, history } : null;
  const { contributions, reason } = explained;
  return {
    kind: 'prediction',
    id: prediction.id,
    answer: answerOf(prediction, explained, profile, truth?.value),
    details: [
      `  asked at ${prediction.eventTime} of ${prediction.model}@v${prediction.version} as ${prediction.role}${prediction.rehearsal ? `, rehearsal ${prediction.rehearsal}` : ''}`,
      ...columnLines(prediction, contributions, profile),
      ...(contributions ? [`  ${methodWords(contributions)}`] : []),
      `  ${truth ? `label: ${cellWords(truth.value)} (${truth.source}${history.length > 0 ? `, corrected ${history.length === 1 ? 'once' : `${history.length} times`}` : ''})` : 'no label yet'}`,
    ],
    next: [`levain why ${prediction.model}@v${prediction.version}`],
    links: {
      prediction: `/predictions/${prediction.id}`,
      version: `/models/${encodeURIComponent(prediction.model)}/versions/${prediction.version}`,
    },
    data: {
      prediction,
      label: truth,
      contributions: contributions && { ...contributions, sentence: contributionWords(contributions) },
      contributionsReason: reason,
    } satisfies PredictionWhy,
  };
};

async function explain(deps: MonitoringDeps, prediction: Prediction): Promise<Explained> {
  if (prediction.status !== 'ok') return { contributions: null, reason: null };
  if (prediction.fallback) return { contributions: null, reason: 'the fallback answered, not the model' };
  const version = await findVersionById(deps.registry, prediction.versionId);
  if (!version) return { contributions: null, reason: 'its version is not known any more' };
  if (version.spec?.fault)
    return { contributions: null, reason: `the rehearsed fault of v${version.version} answered, not the model` };
  return explainRow(deps, version, prediction.features);
}

function answerOf(
  prediction: Prediction,
  { contributions, reason }: Explained,
  profile: MonitorProfile | null,
  truth: Cell | undefined,
): string {
  const { endpoint, label, score, status, error } = prediction;
  if (status !== 'ok')
    return `${endpoint} ${status === 'refused' ? 'refused this row' : 'gave no answer'} because ${error ?? 'nothing was said of it'}.`;
  const isValue = typeof label === 'number' && label === score;
  const told = `${endpoint} answered ${cellWords(label)}${score === null || isValue ? '' : ` (score ${Number(score.toPrecision(4))})`}`;
  const because = contributions
    ? `: ${contributionWords(contributions)}.`
    : reason === null
      ? '.'
      : `, and what mattered to it cannot be said: ${reason.replace(/\.$/, '')}.`;
  const strange = Object.entries(prediction.features).flatMap(([name, value]) => {
    const known = profile?.features.find((feature) => feature.name === name);
    const what = known && strangeWords(known, value);
    return what ? [`${name} = ${cellWords(value)} is ${what}`] : [];
  });
  const outside =
    strange.length === 0
      ? ''
      : ` Mind that ${strange.slice(0, 3).join(' and ')}${strange.length > 3 ? `, and ${strange.length - 3} more` : ''}.`;
  const right = truth === undefined ? '' : ` What came true is ${cellWords(truth)}.`;
  return `${told}${because}${outside}${right}`;
}

/** undefined for what training held. */
function strangeWords(known: FeatureProfile, value: Cell): string | undefined {
  if (value === null) return known.nulls === 0 ? 'never missing in training' : undefined;
  if (known.kind === 'numeric' && typeof value === 'number')
    return value < known.min || value > known.max
      ? `outside the training range (${cellWords(known.min)} to ${cellWords(known.max)})`
      : undefined;
  if (known.kind === 'category' && known.other === 0 && !known.values.includes(String(value)))
    return 'a category never seen in training';
  return undefined;
}

/** Every column: what it did, and what training held; the one that mattered most first. */
function columnLines(
  { features }: Prediction,
  contributions: Contributions | null,
  profile: MonitorProfile | null,
): string[] {
  const columns = contributions?.features ?? Object.entries(features).map(([name, value]) => ({ name, value }));
  const width = Math.max(0, ...columns.map(({ name, value }) => `${name} = ${cellWords(value)}`.length));
  return columns.map((column) => {
    const left = `${column.name} = ${cellWords(column.value)}`.padEnd(contributions ? Math.min(width, 60) : 0);
    const did = contributions && 'contribution' in column ? `  ${didWords(column, contributions.scale)}` : '';
    const known = profile?.features.find(({ name }) => name === column.name);
    const training =
      known?.kind === 'numeric'
        ? `  (training: ${cellWords(known.min)} to ${cellWords(known.max)}, mean ${cellWords(known.mean)})`
        : '';
    return `  ${left}${did}${training}`;
  });
}

function didWords({ contribution, error }: Contributions['features'][number], scale: Contributions['scale']): string {
  const spread = error === undefined || error === 0 ? '' : ` ± ${amountWords(error, scale).replace(/^[+−]/, '')}`;
  return contribution === 0 ? 'nothing' : `${amountWords(contribution, scale)}${spread}`;
}

const methodWords = ({ method, background }: Contributions): string =>
  method === 'exact'
    ? `contributions: exact, beside ${background} training rows; they add up to the answer`
    : `contributions: sampled orders of columns beside ${background} training rows, ± one standard error; they add up to the answer`;
