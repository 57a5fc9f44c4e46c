import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import type { Json } from '../../kernel/canonical-json.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { AdoptDeps } from '../deps.ts';
import { refusal } from '../refusal.ts';
import type { AdoptFiles, AdoptSpec } from '../types.ts';
import { freshSlug, slugOf, stemOf } from './names.ts';
import { lockFor } from './requirements.ts';

const MAX_YAML_BYTES = 2 * 2 ** 20;
const MODEL = /\.(pkl|pickle|joblib|skops|onnx|ubj|cbm|bst|model|keras)$/i;

/** `deps: [a, { b: { … } }]`: paths, with or without options. */
const Paths = z.array(z.union([z.string(), z.record(z.string(), z.json())])).default([]);
const Stage = z.looseObject({
  cmd: z.union([z.string(), z.array(z.string())]),
  wdir: z.string().optional(),
  deps: Paths,
  outs: Paths,
  metrics: Paths,
  plots: Paths,
  params: z.array(z.union([z.string(), z.record(z.string(), z.json())])).default([]),
  frozen: z.boolean().optional(),
});
type Stage = z.output<typeof Stage>;
const DvcFile = z.looseObject({ stages: z.record(z.string(), z.json()) });

interface Story {
  readonly folder: string;
  readonly data: Record<string, Json>;
  readonly steps: Record<string, Json>;
  readonly params: Record<string, Json>;
  readonly found: string[];
  readonly left: string[];
  /** Every path that some stage puts out. */
  readonly made: ReadonlySet<string>;
  readonly values: unknown;
}

/** `dvc.yaml` as a project: stages are steps, tracked files are data. Nothing runs; DVC's own files stay as they are. */
export async function adoptDvc(deps: AdoptDeps, spec: AdoptSpec): Promise<AdoptFiles> {
  const folder = dirname(spec.source);
  const file = DvcFile.safeParse(await readYaml(spec.source));
  if (!file.success) throw refusal('no_stages', 'dvc.yaml has no stages', { hint: 'dvc stage add makes one.' });
  const values = await readYaml(join(folder, 'params.yaml')).catch(() => ({}));
  const stages = readStages(file.data.stages);
  const made = new Set(stages.flatMap(([, stage]) => outputsOf(stage)));
  const story: Story = { folder, data: {}, steps: {}, params: {}, found: [], left: [], made, values };
  for (const [name, stage] of stages) await addStage(story, name, stage);
  const model = modelOf(story, stages);
  const locked = await lockFor(deps, spec, folder);
  if (file.data['vars'] !== undefined)
    story.left.push('"vars" of dvc.yaml: only params.yaml fills in what stands in braces.');
  return {
    t: 'files',
    kind: 'dvc',
    name: slugOf(spec.name ?? basename(folder), 'pipeline'),
    project: {
      ...(Object.keys(story.data).length > 0 && { data: story.data }),
      ...(Object.keys(story.params).length > 0 && { params: story.params }),
      steps: story.steps,
      ...(model && { model: { from: model } }),
    },
    files: [...locked.files],
    found: [
      `${stages.length} stages of dvc.yaml became steps: ${stages.map(([name]) => name).join(', ')}.`,
      ...story.found,
      ...locked.found,
    ],
    left: [
      ...story.left,
      ...(model ? [] : ['No stage puts out a file that looks like a model; name it: model: { from: STEP:PATH }.']),
      ...locked.left,
    ],
    warnings: [],
  };
}

function readStages(written: Readonly<Record<string, Json>>): [string, Stage][] {
  return Object.entries(written).map(([name, value]) => {
    const isMany = typeof value === 'object' && value !== null && ('foreach' in value || 'matrix' in value);
    if (isMany) {
      throw refusal(
        'dvc_foreach',
        `Stage ${name} of dvc.yaml is made many times over (foreach), which cannot be taken over`,
        {
          hint: 'Write its stages out, or write the step by hand with "each".',
        },
      );
    }
    const stage = Stage.safeParse(value);
    if (stage.success) return [name, stage.data];
    throw refusal(
      'dvc_stage',
      `Stage ${name} of dvc.yaml is not understood: ${stage.error.issues[0]?.path.join('.')} ${stage.error.issues[0]?.message}`,
    );
  });
}

async function addStage(story: Story, name: string, stage: Stage): Promise<void> {
  const wdir = stage.wdir && stage.wdir !== '.' ? posix.normalize(stage.wdir) : '';
  const inputs: string[] = [];
  for (const path of pathsOf(stage.deps, wdir)) inputs.push(...(await inputOf(story, path)));
  // The code of these stages reads params.yaml itself.
  const paramFiles = stage.params.length > 0 ? paramFilesOf(stage, wdir) : [];
  const commands = (typeof stage.cmd === 'string' ? [stage.cmd] : stage.cmd).map((line) => fillIn(story, name, line));
  const command = `${wdir === '' ? '' : `cd ${wdir} && `}${commands.join(' && ')}`;
  const out = outputsOf(stage);
  story.steps[freshSlug(name, 'step', story.steps)] = {
    run: command,
    ...(inputs.length + paramFiles.length > 0 && { in: [...new Set([...inputs, ...paramFiles])] }),
    ...(out.length > 0 && { out }),
  };
  const kinds = [stage.metrics.length > 0 && 'metrics', stage.plots.length > 0 && 'plots'].filter(Boolean);
  if (kinds.length > 0) story.found.push(`${name}: its ${kinds.join(' and ')} files are outputs of the step.`);
  if (stage.frozen) story.left.push(`${name} is frozen in DVC; here it runs when what it depends on changes.`);
}

/** Made by another stage: its path. Tracked by DVC or lying here as data: a dataset. Else a file of the project. */
async function inputOf(story: Story, path: string): Promise<string[]> {
  if (/^\w+:\/\//.test(path)) {
    const name = freshSlug(stemOf(path), 'data', story.data);
    story.data[name] = { from: path, as: basename(path) };
    return [`data:${name}`];
  }
  const isMade = [...story.made].some(
    (out) => path === out || path.startsWith(`${out}/`) || out.startsWith(`${path}/`),
  );
  if (isMade) return [path];
  const tracked = await stat(join(story.folder, `${path}.dvc`)).catch(() => undefined);
  const info = await stat(join(story.folder, path)).catch(() => undefined);
  if (!tracked && !(info?.isFile() && DATA.test(path))) return [info?.isDirectory() ? `${path}/` : path];
  const known = Object.entries(story.data).find(
    ([, entry]) => (entry as { from?: Json }).from === fromOf(path, info?.isDirectory() === true),
  );
  if (known) return [`data:${known[0]}`];
  const name = freshSlug(stemOf(path), 'data', story.data);
  story.data[name] = { from: fromOf(path, info?.isDirectory() === true) };
  if (tracked) story.found.push(`${path} is tracked by DVC; it is the dataset ${name}.`);
  if (tracked && !info) story.left.push(`${path} is not here: run "dvc pull" before levain run.`);
  return [`data:${name}`];
}

const DATA = /\.(csv|tsv|parquet|json|jsonl|ndjson|xlsx?|feather|txt|data|zip|gz)$/i;
const fromOf = (path: string, isFolder: boolean): string => (isFolder ? `${path}/**` : path);

const pathsOf = (entries: Stage['deps'], wdir: string): string[] =>
  entries
    .flatMap((entry) => (typeof entry === 'string' ? [entry] : Object.keys(entry)))
    .map((path) => (/^\w+:\/\//.test(path) ? path : posix.normalize(posix.join(wdir, path)).replace(/\/$/, '')));

function outputsOf(stage: Stage): string[] {
  const wdir = stage.wdir && stage.wdir !== '.' ? stage.wdir : '';
  return [...new Set([stage.outs, stage.metrics, stage.plots].flatMap((entries) => pathsOf(entries, wdir)))];
}

function paramFilesOf(stage: Stage, wdir: string): string[] {
  const named = stage.params.flatMap((entry) => (typeof entry === 'string' ? ['params.yaml'] : Object.keys(entry)));
  return [...new Set(named)].map((path) => posix.normalize(posix.join(wdir, path)));
}

/** `${train.lr}` takes its value from params.yaml once, at each run: as a parameter it can be changed and tuned. */
function fillIn(story: Story, stage: string, line: string): string {
  return line.replace(/\$\{([\w.[\]]+)\}/g, (whole, path: string) => {
    const value = path
      .split(/[.[\]]+/)
      .filter(Boolean)
      .reduce<unknown>(
        (at, key) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined),
        story.values,
      );
    if (value === undefined || (typeof value === 'object' && value !== null)) {
      story.left.push(`${stage}: ${whole} is no single value of params.yaml; put it into the command.`);
      return whole;
    }
    const name = path.replace(/[^A-Za-z0-9]+/g, '_').replace(/_$/, '');
    story.params[name] = value as Json;
    return `"$LEVAIN_PARAM_${name.toUpperCase()}"`;
  });
}

/** The last stage's file that looks like a model. */
function modelOf(story: Story, stages: readonly [string, Stage][]): string | undefined {
  const names = Object.keys(story.steps);
  for (let i = stages.length - 1; i >= 0; i--) {
    const path = outputsOf(stages[i]![1]).find(
      (out) => MODEL.test(out) && !/(scaler|encoder|vectorizer|imputer|preprocess|transformer)/i.test(out),
    );
    if (path === undefined) continue;
    story.found.push(`${path}, which ${stages[i]![0]} puts out, is the model.`);
    return `${names[i]}:${path}`;
  }
  return undefined;
}

export async function readYaml(path: string): Promise<unknown> {
  const { size } = await stat(path);
  if (size > MAX_YAML_BYTES)
    throw refusal('too_large', `${basename(path)} has ${size} bytes; at most ${MAX_YAML_BYTES} are read`);
  try {
    return parseYaml(await readFile(path, 'utf8'), { maxAliasCount: 100 });
  } catch (error) {
    throw refusal('no_yaml', `${basename(path)} is not YAML: ${messageOf(error).split('\n')[0]}`);
  }
}
