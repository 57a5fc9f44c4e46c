import { digestOf, sha256 } from '../kernel/hash.ts';
import { datasetOf, type ProjectFile, type StepSection } from '../project-file/index.ts';
import { matchesPath } from './paths.ts';
import type { KeyPart, OutputFile, PipelineRun, SnapshotFile } from './types.ts';

/** Rises when the meaning of a key changes. */
const KEY_FORMAT = 1;
/** Beyond so many files a snapshot is told by its folders, not file by file. */
const MAX_FILE_PARTS = 300;

export interface KeyInput {
  readonly name: string;
  readonly section: StepSection;
  readonly file: ProjectFile;
  readonly params: Readonly<Record<string, unknown>>;
  readonly snapshot: readonly SnapshotFile[];
  /** Digest of the notebook's code cells, for notebook steps. */
  readonly notebookCode: string | null;
  /** By dataset: the identity of the rows that the step sees. */
  readonly dataCuts: Readonly<Record<string, string>>;
  /** What the steps before it put out, by step. */
  readonly upstream: Readonly<Record<string, readonly OutputFile[]>>;
  readonly envDigest: string;
  readonly platform: string;
}

/**
 * Everything that a step's result may depend on, part by part, so that one can say which part made it run again. What a step
 * before it put out counts by content: a rerun with equal bytes stops the wave.
 */
export function keyPartsOf(input: KeyInput): readonly KeyPart[] {
  const { section, file } = input;
  const command =
    section.notebook === null
      ? [{ name: 'command', digest: sha256(section.run ?? '') }]
      : [{ name: `notebook:${section.notebook}`, digest: input.notebookCode ?? '' }];
  const params = Object.entries(input.params).map(([name, value]) => ({
    name: `param:${name}`,
    digest: digestOf(value ?? null),
  }));
  const data = Object.entries(input.dataCuts).map(([name, digest]) => ({ name: `data:${name}`, digest }));
  const upstream = Object.entries(input.upstream).map(([name, files]) => ({
    name: `from:${name}`,
    digest: digestOf(files.map(({ path, digest }) => ({ path, digest }))),
  }));
  const shape = {
    format: KEY_FORMAT,
    out: section.out,
    secrets: [...section.secrets].sort(),
    exports: exportsOf(file, input.name),
    // Left out where they say nothing: what ran without them is known under the same key.
    ...(Object.keys(section.reads).length > 0 && { reads: section.reads }),
    ...(section.mayFail.length > 0 && { mayFail: section.mayFail }),
  };
  return [
    ...command,
    ...codeParts(input),
    ...data,
    ...upstream,
    ...params,
    { name: 'env', digest: input.envDigest },
    { name: 'platform', digest: sha256(input.platform) },
    { name: 'step', digest: digestOf(shape) },
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export const cacheKeyOf = (parts: readonly KeyPart[]): string => digestOf(parts);

/** Datasets that a step sees: those of its `in`; without `in` all but the one of labels, which comes after predictions. */
export function datasetsOf(file: ProjectFile, section: StepSection): readonly string[] {
  if (section.in !== null) return section.in.flatMap((input) => datasetOf(input) ?? []);
  return Object.keys(file.data).filter((name) => name !== file.monitor.labels?.data);
}

/** The kernel variables that are saved when a notebook step has finished. */
export const exportsOf = (file: ProjectFile, step: string): readonly string[] =>
  file.model?.from.kind === 'variable' && file.model.from.step === step ? [file.model.from.variable] : [];

/** `first run`, or what changed since the last time, in words. */
export function rerunReason(parts: readonly KeyPart[], previous: readonly KeyPart[] | undefined): string {
  if (!previous) return 'first run';
  const before = new Map(previous.map(({ name, digest }) => [name, digest]));
  const now = new Map(parts.map(({ name, digest }) => [name, digest]));
  const changed = [...now].filter(([name, digest]) => before.get(name) !== digest).map(([name]) => name);
  const gone = [...before.keys()].filter((name) => !now.has(name));
  const words = [...changed.map((name) => partInWords(name)), ...gone.map((name) => `${partInWords(name)} (gone)`)];
  if (words.length === 0) return 'its last attempt did not succeed';
  const shown = words.slice(0, 3).join(', ');
  const more = words.length > 3 ? ` and ${words.length - 3} more` : '';
  return `re-ran because ${shown}${more} changed`;
}

/** `maker`: the run that left the outputs; one that adopt filed is named as such. */
export function cachedReason(
  parts: readonly KeyPart[],
  maker: Pick<PipelineRun, 'id'> & Partial<Pick<PipelineRun, 'trigger' | 'finishedAt'>>,
): string {
  const has = (prefix: string) => parts.some(({ name }) => name.startsWith(prefix));
  const what = [
    has('notebook:') ? 'notebook' : 'command',
    ...(has('data:') ? ['data'] : []),
    ...(has('file:') ? ['code'] : []),
    'environment',
  ];
  const same = `same ${what.join(', ')}`;
  if (maker.trigger?.kind !== 'adopt') return `cached from run ${maker.id.slice(-7)}: ${same}`;
  const at = new Date(maker.finishedAt ?? 0).toISOString().slice(0, 16).replace('T', ' ');
  return `cached, adopt ran it at ${at} UTC: ${same}`;
}

/** @example partInWords('file:train.py') === 'train.py' */
export function partInWords(name: string): string {
  const at = name.indexOf(':');
  const [kind, rest] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
  if (kind === 'file' || kind === 'notebook') return rest;
  if (kind === 'folder') return `a file in ${rest}/`;
  if (kind === 'data') return `data ${rest}`;
  if (kind === 'from') return `what ${rest} puts out`;
  if (kind === 'param') return `parameter ${rest}`;
  if (kind === 'env') return 'the environment';
  if (kind === 'platform') return 'the platform';
  return kind === 'command' ? 'its command' : 'its entry in levain.yaml';
}

/**
 * Files of the snapshot that count: those of `in`; without `in` all but levain.yaml and the lock, which count through the step's
 * entry, the parameters and the environment. The step's own notebook counts by its code alone.
 */
function codeParts({ section, file, snapshot }: KeyInput): readonly KeyPart[] {
  const apart = new Set(['levain.yaml', lockPath(file), section.notebook]);
  const paths = section.in?.filter((input) => datasetOf(input) === undefined);
  const counted = snapshot.filter(
    ({ path }) => !apart.has(path) && (paths === undefined || paths.some((pattern) => matchesPath(path, pattern))),
  );
  if (counted.length <= MAX_FILE_PARTS) return counted.map(({ path, digest }) => ({ name: `file:${path}`, digest }));
  const folders = Map.groupBy(counted, ({ path }) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '.'));
  return [...folders].map(([folder, files]) => ({
    name: `folder:${folder}`,
    digest: digestOf(files.map(({ path, digest }) => [path, digest])),
  }));
}

/** Where the project's lock stands, whether or not there is one. */
export const lockPath = (file: ProjectFile): string => file.python.lock ?? 'requirements.lock';
