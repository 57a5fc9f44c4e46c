import { completeModel } from './complete-model.ts';
import {
  completeData,
  completeDeploy,
  completeNotify,
  completeStep,
  completeTrigger,
  rolloutOf,
} from './complete-sections.ts';
import type { Path, Problem, YamlText } from './document.ts';
import { datasetOf, findCycle } from './graph.ts';
import { suggestion } from './nearest.ts';
import type { WrittenFile } from './schema.ts';
import type { Light, MonitorSection, ProjectFile } from './types.ts';

const DAY_MS = 864e5;
const DEFAULT_FALSE_ALARMS = { count: 1, perMs: 90 * DAY_MS };
const DEFAULT_PAGE: readonly Light[] = ['service', 'data', 'performance'];

/** Notes a problem at a key. */
export type Complain = (path: Path, message: string) => void;

/** Fills in every default and checks what the grammar alone cannot: names that must exist, cycles, keys that exclude each other. */
export function complete(
  written: WrittenFile,
  path: string,
  yaml: YamlText,
): { file: ProjectFile; problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const complain: Complain = (at, message) => problems.push({ line: yaml.lineOf(at), message });
  const data = mapValues(written.data, (entry, name) => completeData(entry, ['data', name], complain));
  const name = written.name ?? folderName(path);
  const model = written.model ? completeModel(written, data, complain) : null;
  const file: ProjectFile = {
    name,
    python: { lock: written.python?.lock ?? null, version: written.python?.version ?? null },
    data,
    params: written.params ?? {},
    steps: mapValues(written.steps, (entry, step) => completeStep(entry, ['steps', step], complain)),
    model,
    deploy: mapValues(written.deploy ?? (model ? { [name]: {} } : {}), (entry, endpoint) =>
      completeDeploy(entry, ['deploy', endpoint], complain),
    ),
    environments: mapValues(written.environments, (entry, env) => ({
      endpoint: entry.endpoint ?? null,
      rollout:
        entry.rollout === undefined ? null : rolloutOf(entry.rollout, ['environments', env, 'rollout'], complain),
    })),
    monitor: completeMonitor(written.monitor, model?.entity ?? null, complain),
    notify: mapValues(written.notify, (entry, target) => completeNotify(entry, ['notify', target], complain)),
    triggers: (written.triggers ?? []).map((entry, i) => completeTrigger(entry, ['triggers', i], complain)),
    concurrency: {
      maxRuns: written.concurrency?.max_runs ?? 1,
      onConflict: written.concurrency?.on_conflict ?? 'queue',
    },
  };
  checkNames(file, written, complain);
  return { file: Object.freeze(file), problems };
}

function completeMonitor(written: WrittenFile['monitor'], entity: string | null, complain: Complain): MonitorSection {
  const labels = written?.labels;
  if (labels?.data !== undefined && labels.column === undefined)
    complain(['monitor', 'labels'], 'monitor.labels lacks "column"; name the column that holds what came true');
  return {
    labels: labels
      ? {
          data: labels.data ?? null,
          join: labels.join ?? (entity === null ? 'prediction' : 'entity'),
          key: labels.key ?? null,
          column: labels.column ?? null,
          at: labels.at ?? null,
          horizonMs: labels.horizon ?? null,
        }
      : null,
    metrics: toList(written?.metrics) ?? [],
    falseAlarms: written?.false_alarms ?? DEFAULT_FALSE_ALARMS,
    page: written?.page ?? DEFAULT_PAGE,
    to: { page: written?.to?.page ?? null, ticket: written?.to?.ticket ?? null },
  };
}

/** Every name that a key refers to must exist. */
function checkNames(file: ProjectFile, written: WrittenFile, complain: Complain): void {
  const [datasets, steps, targets] = [Object.keys(file.data), Object.keys(file.steps), Object.keys(file.notify)];
  const must = (what: string, name: string | null | undefined, known: readonly string[], at: Path): void => {
    if (typeof name === 'string' && !known.includes(name))
      complain(at, `there is no ${what} "${name}"${suggestion(name, known)}`);
  };
  for (const [name, step] of Object.entries(file.steps)) {
    for (const input of step.in ?? []) must('dataset', datasetOf(input), datasets, ['steps', name, 'in']);
    for (const need of step.needs) must('step', need, steps, ['steps', name, 'needs']);
  }
  must('step', file.model?.from.step, steps, ['model', 'from']);
  must('dataset', file.monitor.labels?.data, datasets, ['monitor', 'labels', 'data']);
  must('target under "notify"', file.monitor.to.page, targets, ['monitor', 'to', 'page']);
  must('target under "notify"', file.monitor.to.ticket, targets, ['monitor', 'to', 'ticket']);
  file.triggers.forEach((trigger, i) => {
    if (trigger.kind === 'data') must('dataset', trigger.dataset, datasets, ['triggers', i, 'data']);
  });
  checkSteps(file, complain);
  if (written.deploy && !file.model)
    complain(['deploy'], '"deploy" needs a "model" to deploy; add the section "model"');
}

function checkSteps(file: ProjectFile, complain: Complain): void {
  const makers = new Map<string, string>();
  for (const [name, step] of Object.entries(file.steps)) {
    for (const out of step.out) {
      const other = makers.get(out);
      if (other !== undefined)
        complain(
          ['steps', name, 'out'],
          `steps "${other}" and "${name}" both put out "${out}"; let one of them write it`,
        );
      makers.set(out, name);
    }
  }
  const cycle = findCycle(file.steps);
  if (cycle)
    complain(
      ['steps', cycle[0]!],
      cycle.length === 1
        ? `step "${cycle[0]}" waits for itself; take it out of its "needs"`
        : `these steps wait for each other: ${[...cycle, cycle[0]!].join(' → ')}; cut one of the edges`,
    );
}

export function mapValues<A, B>(
  record: Readonly<Record<string, A>> | undefined,
  map: (value: A, key: string) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record ?? {}).map(([key, value]) => [key, map(value, key)]));
}

export const toList = <T>(value: T | T[] | undefined): T[] | undefined =>
  value === undefined ? undefined : Array.isArray(value) ? value : [value];

/** `/home/me/My Project/levain.yaml` → `my-project`; `project` where the path has no folder. */
function folderName(path: string): string {
  const folder = path.split('/').at(-2) ?? '';
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 100);
  return name === '' ? 'project' : name;
}
