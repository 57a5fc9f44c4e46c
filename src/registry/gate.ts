import { setImmediate } from 'node:timers/promises';
import { overlapCount } from '../data/index.ts';
import type { Outputs, ServableSpec } from '../engines/types.ts';
import { recordActivity } from '../identity/index.ts';
import { messageOf } from '../kernel/errors.ts';
import { type Cell, cellAt, type Frame, findColumn } from '../kernel/frame.ts';
import type { ModelSection } from '../project-file/index.ts';
import { defaultMetric, metricNamed, metricValue, type Scored } from '../stats/metrics.ts';
import { pairedDifference } from '../stats/paired.ts';
import type { Actor } from '../wire/route.ts';
import { takeAnswers } from './answers.ts';
import { sameCell } from './coding.ts';
import { alike, isOfLabels, metricOfSides, votesOf } from './gate-sides.ts';
import { openServable, scoreRows, seeded } from './scoring.ts';
import { takeNumbers, toRegression, toScored, truthColumn, truthRule } from './truth.ts';
import type { GateSample, GateVerdict, ModelVersion, RegistryDeps, SliceVerdict } from './types.ts';
import * as store from './versions.store.ts';
import { findChampion, getVersion, profileOf } from './versions.ts';

/** More gate rows than these are sampled. */
export const GATE_ROWS_LIMIT = 40_000;
/** Fewer rows decide nothing. */
const MIN_GATE_ROWS = 20;
const MAX_SLICES = 20;
/** The share of rows that a challenger may leave unanswered where the other one answers. */
const MAX_UNANSWERED = 0.01;
const MAX_WHY = 200;
const MIN_SLICE_ROWS = 50;

interface Comparison {
  readonly version: ModelVersion;
  readonly champion: ModelVersion | undefined;
  readonly section: ModelSection;
  readonly spec: ServableSpec;
  readonly sample: GateSample;
  readonly about: string | null;
}

/**
 * Scores challenger and champion (the first time: the base rate of the training data) on the same raw rows, through the path
 * that serving takes, and keeps the verdict on the version. The challenger passes where the lower end of the 95 % interval of the
 * mean paired difference is above 0 (or above minus the margin). Rows that the champion was trained on refuse the comparison.
 */
export async function runGate(
  deps: RegistryDeps,
  actor: Actor,
  input: {
    readonly model: string;
    readonly version: number;
    readonly sample: GateSample | null;
    /** In words: which rows these are, or why there are none. */
    readonly about?: string | null;
  },
): Promise<GateVerdict> {
  const version = await getVersion(deps, actor, input);
  const verdict = await judge(deps, version, input.sample, input.about ?? null);
  await deps.db.write(async (tx) => {
    await store.updateGate(tx, version.id, verdict);
    await recordActivity(tx, deps.identity, {
      projectId: version.projectId,
      at: deps.clock.now(),
      kind: 'gate',
      subject: `${version.model}@v${version.version}`,
      sentence: verdict.sentence,
      command: `levain models show ${version.model}@v${version.version}`,
    });
  });
  return verdict;
}

async function judge(
  deps: RegistryDeps,
  version: ModelVersion,
  sample: GateSample | null,
  about: string | null,
): Promise<GateVerdict> {
  const { spec } = version;
  const section = version.facts.section;
  const name = `${version.model}@v${version.version}`;
  if (!spec || !section?.target)
    return unmeasured(deps, spec, name, 'the file names no target column, so there is nothing to compare with');
  if (!sample || sample.frame.rowCount < MIN_GATE_ROWS) return unmeasured(deps, spec, name, fewRows(sample, about));
  const champion = await findChampion(deps, version.projectId, version.model);
  const comparison = { version, champion, section, spec, sample, about };
  try {
    const unknown = unknownCoding(comparison);
    if (unknown !== undefined) return unmeasured(deps, spec, name, unknown);
    for (const other of [champion, version]) {
      const overlap = other ? await trainedOn(deps, version, other, sample) : 0;
      if (other && overlap > 0) return refused(deps, comparison, other, overlap);
    }
    return await compare(deps, comparison);
  } catch (error) {
    return unmeasured(deps, spec, name, messageOf(error));
  }
}

const fewRows = (sample: GateSample | null, about: string | null): string =>
  sample === null && about !== null
    ? about
    : `${sample?.frame.rowCount ?? 0} rows were held out; at least ${MIN_GATE_ROWS} are needed`;

/** A notebook may write its target otherwise than the data does; where nothing tells how, nothing is compared. */
function unknownCoding({ version, section, spec, sample }: Comparison): string | undefined {
  if (sample.cut.split?.kind !== 'notebook' || version.facts.coding) return undefined;
  const { column, positive } = section.target!;
  const why = `the notebook's own test rows do not tell how it writes ${column}`;
  if (spec.task === 'regression') return why;
  const classes = spec.classes ?? [];
  // Numbers may be codes that only look like the data's own: 0 and 1 the other way round, classes counted from another one.
  if (classes.length > 0 && classes.every((one) => typeof one !== 'string')) return why;
  const isWord = positive === null || typeof positive === 'object' || classes.some((one) => sameCell(one, positive));
  return isWord ? undefined : `${why}: its model answers ${classes.map(String).join(', ')}, not ${positive}`;
}

/** How many of the gate's rows a version's training cut holds. A version's own are checked where it was not cut to leave them out. */
async function trainedOn(
  deps: RegistryDeps,
  version: ModelVersion,
  other: ModelVersion,
  { cut }: GateSample,
): Promise<number> {
  const mine = version.facts.data[0];
  const theirs = other.facts.data.find(({ dataset }) => dataset === mine?.dataset);
  if (!theirs || (other === version && cut.split?.kind !== 'all')) return 0;
  const { versionId, section, split, asOf } = theirs;
  return overlapCount(deps.data, { ...cut, other: { versionId, section, split, asOf } });
}

async function compare(deps: RegistryDeps, comparison: Comparison): Promise<GateVerdict> {
  const { section, spec, sample, champion, version } = comparison;
  const target = section.target!;
  const side = (of: ModelVersion, outputs: Outputs) => ({
    version: of,
    y: truthColumn(sample.frame, target.column, truthRule(of.spec!, target, of.facts.coding ?? null)),
    outputs,
  });
  const mine = side(version, takeAnswers(deps, spec, sample) ?? (await outputsOf(deps, spec, sample.frame)));
  const theirs = champion?.spec && side(champion, await outputsOf(deps, champion.spec, sample.frame));
  await setImmediate();
  const sides = theirs ? alike(mine, theirs) : undefined;
  const y = sides?.y ?? mine.y;
  const answers = [sides?.mine ?? mine.outputs, ...(sides ? [sides.theirs] : [])];
  const metric = metricOfSides(metricOf(section, spec.task), answers, spec.task);
  const isVote = spec.task !== 'regression' && answers.some(isOfLabels);
  const [challenger, rival] = isVote ? answers.map((outputs) => votesOf(outputs, voting(spec, target))) : answers;
  const before = rival ?? (await baseRate(deps, comparison, challenger!));
  const rows = usable(y, challenger!, before);
  if (rows.length < MIN_GATE_ROWS) throw new Error(fewComparable(comparison, rows.length, y));
  const threshold = isVote ? 0.5 : target.threshold;
  const scored = (outputs: Outputs): Scored =>
    spec.task === 'regression' ? toRegression(outputs, y, rows) : toScored(outputs, y, rows, threshold);
  const flips = flipsOf(before, challenger!, rows);
  await setImmediate();
  const unanswered = unansweredBy(challenger!, y, before);
  const compared = { metric, rows, flips, unanswered };
  return verdictOf(deps, comparison, scored(before), scored(challenger!), compared);
}

/** What the model calls positive; the file's word where the model tells no classes. */
const voting = (spec: ServableSpec, target: NonNullable<ModelSection['target']>) => ({
  ...spec,
  ...(spec.positive === undefined && typeof target.positive !== 'object' && { positive: target.positive }),
});

/** Too few rows are left: most often the data's words are not the model's classes. */
function fewComparable({ spec, section }: Comparison, rows: number, y: Float64Array): string {
  const { column } = section.target!;
  const known = y.reduce((n, value) => n + Number(!Number.isNaN(value)), 0);
  if (known >= MIN_GATE_ROWS) return `only ${rows} gate rows have an answer of both`;
  const answers = spec.classes ? `, and the model answers ${spec.classes.slice(0, 10).map(String).join(', ')}` : '';
  return `only ${known} gate rows have a ${column} that means something to the model${answers}`;
}

async function outputsOf(deps: RegistryDeps, spec: ServableSpec, frame: Frame): Promise<Outputs> {
  const servable = await openServable(deps, spec);
  try {
    return await scoreRows(servable, frame);
  } finally {
    await servable.close();
  }
}

/** What one would answer knowing only the training data's target: its positive share, class shares or mean. */
async function baseRate(deps: RegistryDeps, { version, spec }: Comparison, like: Outputs): Promise<Outputs> {
  const { rowCount } = like;
  const constant = (value: number): Float64Array => new Float64Array(rowCount).fill(value);
  const labels = new Array<Cell>(rowCount).fill(null);
  if (spec.task === 'multiclass') {
    const classes = spec.classes?.length ?? like.probabilities?.length ?? 0;
    const shares = version.facts.classShares ?? new Array<number>(classes).fill(1 / classes);
    return { rowCount, labels, scores: constant(Math.max(...shares)), probabilities: shares.map(constant) };
  }
  const rate = (await profileOf(deps, version.projectId, version))?.labelRate ?? Number.NaN;
  return { rowCount, labels: spec.task === 'regression' ? labels.fill(rate) : labels, scores: constant(rate) };
}

function usable(y: Float64Array, ...answers: readonly Outputs[]): number[] {
  const rows: number[] = [];
  for (let i = 0; i < y.length; i++)
    if (!Number.isNaN(y[i]!) && answers.every((outputs) => !Number.isNaN(outputs.scores[i]!))) rows.push(i);
  return rows;
}

interface Unanswered {
  readonly rows: number;
  readonly of: number;
  readonly why: string;
}

/** Rows with a target that the other one answers and this one does not, refused or failed: leaving them out would be to its advantage. */
function unansweredBy(challenger: Outputs, y: Float64Array, other: Outputs): Unanswered {
  let [rows, of, why] = [0, 0, ''];
  const messages = new Map(challenger.errors?.map(({ row, message }) => [row, message]));
  for (let i = 0; i < y.length; i++) {
    if (Number.isNaN(y[i]!) || Number.isNaN(other.scores[i]!)) continue;
    of += 1;
    if (!Number.isNaN(challenger.scores[i]!)) continue;
    rows += 1;
    why ||= messages.get(i) ?? 'not a number';
  }
  return { rows, of, why };
}

const flipsOf = (before: Outputs, after: Outputs, rows: readonly number[]): number =>
  rows.reduce((n, i) => n + Number(!sameLabel(before.labels[i], after.labels[i])), 0);

const sameLabel = (a: Cell | undefined, b: Cell | undefined): boolean => a === b || String(a) === String(b);

interface Compared {
  readonly metric: string;
  readonly rows: readonly number[];
  readonly flips: number;
  readonly unanswered: Unanswered;
}

async function verdictOf(
  deps: RegistryDeps,
  comparison: Comparison,
  before: Scored,
  after: Scored,
  { metric, rows, flips, unanswered }: Compared,
): Promise<GateVerdict> {
  const { section, sample, champion, version } = comparison;
  const { better } = metricNamed(metric, after.task);
  const clusters = clustersOf(sample.frame, section.entity, rows);
  const difference = await pairedDifference(metric, before, after, { clusters, random: seeded(version.version) });
  const margin = section.gate.pass.kind === 'not_worse' ? section.gate.pass.margin : 0;
  const passed = difference.low > -margin && unanswered.rows <= MAX_UNANSWERED * unanswered.of;
  await setImmediate();
  const verdict = {
    outcome: passed ? ('passed' as const) : ('failed' as const),
    metric,
    better,
    championVersion: champion?.version ?? null,
    champion: metricValue(metric, before),
    challenger: metricValue(metric, after),
    difference: Number.isFinite(difference.low) ? difference : null,
    auc: after.task === 'binary' ? metricValue('auc', after) : null,
    rows: rows.length,
    totalRows: sample.total,
    overlap: 0,
    flips: champion ? flips : null,
    slices: await slicesOf(comparison, before, after, rows, metric),
    rowsDigest: sample.digest,
    at: deps.clock.now(),
  };
  return { ...verdict, sentence: `${sentenceOf(comparison, verdict, margin)}${unansweredWords(unanswered)}` };
}

function metricOf(section: ModelSection, task: Scored['task']): string {
  const { metric } = section.gate;
  if (metric === null) return defaultMetric(task);
  return typeof metric === 'string' ? metric : metric.name;
}

/** Entities of the rows, where the model has one: an entity's rows are one unit of evidence. */
function clustersOf(frame: Frame, entity: string | null, rows: readonly number[]): string[] | undefined {
  const column = entity === null ? undefined : findColumn(frame, entity);
  return column && rows.map((i) => String(cellAt(column.values, i)));
}

async function slicesOf(
  { section, sample }: Comparison,
  before: Scored,
  after: Scored,
  rows: readonly number[],
  metric: string,
): Promise<SliceVerdict[]> {
  const slices: SliceVerdict[] = [];
  for (const name of section.gate.slices) {
    const column = findColumn(sample.frame, name);
    if (!column) continue;
    await setImmediate();
    const groups = new Map<string, number[]>();
    rows.forEach((row, i) => {
      const value = String(cellAt(column.values, row));
      const members = groups.get(value);
      if (members) members.push(i);
      else groups.set(value, [i]);
    });
    for (const [value, members] of [...groups].sort((a, b) => b[1].length - a[1].length)) {
      if (members.length < MIN_SLICE_ROWS || slices.length >= MAX_SLICES) break;
      const part = (scored: Scored) => metricValue(metric, pickScored(scored, members));
      slices.push({ column: name, value, rows: members.length, champion: part(before), challenger: part(after) });
    }
  }
  return slices;
}

function pickScored(scored: Scored, members: readonly number[]): Scored {
  const take = (values: Float64Array): Float64Array => takeNumbers(values, members);
  if (scored.task === 'multiclass')
    return { ...scored, y: take(scored.y), probabilities: scored.probabilities.map(take) };
  return { ...scored, y: take(scored.y), scores: take(scored.scores) };
}

const digits = (value: number | null): string => (value === null ? '—' : value.toFixed(4));
const grouped = (n: number): string => n.toLocaleString('en-US');

const rowsInWords = (about: string | null): string =>
  about === null ? 'rows that neither saw' : `rows that neither saw (${about})`;

function sentenceOf(
  { version, champion, about }: Comparison,
  verdict: Omit<GateVerdict, 'sentence'>,
  margin: number,
): string {
  const name = `${version.model}@v${version.version}`;
  const against = champion ? `v${champion.version}` : 'the base rate';
  const d = verdict.difference;
  const judged = verdict.outcome === 'passed' ? 'passed' : 'failed';
  const need = margin > 0 ? `not worse than ${margin}` : 'better';
  const interval = d ? `${signed(d.mean)} [${signed(d.low)}, ${signed(d.high)}]` : '—';
  return `${name} ${judged} the gate: ${verdict.metric} ${digits(verdict.challenger)} against ${digits(verdict.champion)} of ${against} on ${grouped(verdict.rows)} ${rowsInWords(about)}; difference ${interval}, wanted ${need}`;
}

const unansweredWords = ({ rows, of, why }: Unanswered): string =>
  rows === 0 ? '' : `; no answer to ${grouped(rows)} of ${grouped(of)} rows (${why.slice(0, MAX_WHY)})`;

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;

function refused(
  deps: RegistryDeps,
  { version, champion, section, spec, sample }: Comparison,
  other: ModelVersion,
  overlap: number,
): GateVerdict {
  const who = other === version ? `v${version.version} itself` : 'champion';
  return {
    ...blank(deps, spec, section),
    outcome: 'refused',
    championVersion: champion?.version ?? null,
    totalRows: sample.total,
    overlap,
    rowsDigest: sample.digest,
    sentence: `${version.model}@v${version.version} was not compared: ${who} trained on ${grouped(overlap)} of these rows; bring newer rows or another split`,
  };
}

function unmeasured(deps: RegistryDeps, spec: ServableSpec | null, name: string, why: string): GateVerdict {
  return { ...blank(deps, spec, null), sentence: `${name} not measured: ${why}` };
}

function blank(
  deps: RegistryDeps,
  spec: ServableSpec | null,
  section: ModelSection | null,
): Omit<GateVerdict, 'sentence'> {
  const task = spec?.task ?? 'binary';
  const metric = section ? metricOf(section, task) : defaultMetric(task);
  return {
    outcome: 'not_measured',
    metric,
    better: metric === 'auc' || metric === 'accuracy' || metric === 'r2' ? 'higher' : 'lower',
    championVersion: null,
    champion: null,
    challenger: null,
    difference: null,
    auc: null,
    rows: 0,
    totalRows: 0,
    overlap: 0,
    flips: null,
    slices: [],
    rowsDigest: null,
    at: deps.clock.now(),
  };
}
