import { z } from 'zod';
import {
  type Cut,
  currentVersion,
  type DatasetVersion,
  gateRows,
  holdRows,
  type NotebookSplit,
  syncDataset,
} from '../data/index.ts';
import { isAppError, messageOf } from '../kernel/errors.ts';
import type { DataSection } from '../project-file/index.ts';
import { type CodingRule, codingRule, GATE_ROWS_LIMIT, type GateSample } from '../registry/index.ts';
import { actorOf } from './data-phase.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep } from './engine-types.ts';
import { cutOf, gateDataset } from './gate-data.ts';
import { findGateRows, putGateRows } from './gate-rows.store.ts';
import type { DataOutputs, OutputFile } from './types.ts';

const GATE_SEED = 1;
/** Of the rows that came since the first version. */
const NEW_ROWS_SHARE = 0.2;
const MAX_ROWS_FILE_BYTES = 64 * 2 ** 20;
const ROWS_FILE = 'levain/notebook_rows.json';

/** What a run of a notebook says about its own test rows (`levain_runtime.adopt.testrows`). */
const NotebookRows = z.object({
  rows: z.array(z.number().int().nonnegative()),
  of: z.number(),
  fileRows: z.number().nullish(),
  reason: z.string().nullish(),
  target: z.object({ column: z.string(), rule: z.unknown() }).nullish(),
});
type NotebookRows = z.output<typeof NotebookRows>;

/** The gate's rows of a run. `why`: in words, why there are none, or what is to be known about them. */
export interface GateRowsOfRun {
  readonly sample: GateSample | null;
  /** How the training data of the version is parted; what its steps did not see, or count as not having seen. */
  readonly split: Cut['split'];
  readonly why: string | null;
  /** How the notebook writes the target, where its own test rows tell. */
  readonly coding: CodingRule | null;
}

/** Rows that no step saw: cut out of the data, the notebook's own, or a file of their own. */
export async function gateOf(
  deps: PipelinesDeps,
  held: HeldStep,
  files: readonly OutputFile[],
): Promise<GateRowsOfRun> {
  const data = gateData(held);
  const told = await notebookRows(deps, files);
  const coding = codingOf(told);
  const { rows } = held.file.model!.gate;
  if (!data) return { sample: null, split: null, why: null, coding };
  if (rows.kind === 'path') return { ...(await fromPath(deps, held, rows.path)), split: null, coding };
  if (!data.isFirst) return { ...(await fromCut(deps, cutOf(held, data))), coding };
  const cut = cutOf(held, data);
  try {
    const split = await holdRows(deps.data, cut, {
      rows: told?.rows ?? [],
      fileRows: told?.fileRows ?? data.rows ?? 0,
      share: NEW_ROWS_SHARE,
    });
    const found = await fromCut(deps, { ...cut, split });
    return { ...found, why: split.rows === null ? unknownRows(told) : OWN_ROWS, coding };
  } catch (error) {
    if (!isAppError(error, 'precondition_failed')) throw error;
    const split = await holdRows(deps.data, cut, { rows: [], fileRows: 0, share: NEW_ROWS_SHARE });
    return { sample: null, split, why: `its own test rows are not known: ${error.message}`, coding };
  }
}

const OWN_ROWS = "the notebook's own test rows, which count as not trained on";

const unknownRows = (told: NotebookRows | undefined): string =>
  `its own test rows are not known: ${told?.reason ?? 'its run did not tell them'}`;

export const gateData = (held: HeldStep): DataOutputs | undefined => {
  const dataset = gateDataset(held.file);
  return held.steps.flatMap(({ outputs }) => outputs?.data ?? []).find((data) => data.dataset === dataset);
};

async function fromCut(deps: PipelinesDeps, cut: Cut): Promise<Omit<GateRowsOfRun, 'coding'>> {
  if (cut.split === null || (cut.split.kind === 'notebook' && isEmpty(cut.split, cut)))
    return { sample: null, split: cut.split, why: null };
  const sample = await gateRows(deps.data, { ...cut, limit: GATE_ROWS_LIMIT, seed: GATE_SEED });
  return { sample: { ...sample, cut }, split: cut.split, why: null };
}

const isEmpty = (split: NotebookSplit, cut: Cut): boolean => split.rows === null && split.base === cut.versionId;

/** A file of held-out rows is a dataset of its own: versioned, and read as the training data is. */
async function fromPath(
  deps: PipelinesDeps,
  held: HeldStep,
  path: string,
): Promise<{ readonly sample: GateSample | null; readonly why: string | null }> {
  const main = held.file.data[gateDataset(held.file)!]!;
  const section: DataSection = {
    ...main,
    from: path,
    as: path.slice(path.lastIndexOf('/') + 1),
    windowMs: null,
    expect: {},
    expectTable: { rowCount: null },
  };
  try {
    const version = await pathVersion(deps, held, section);
    const cut: Cut = { versionId: version.id, section, split: { kind: 'all' }, asOf: null };
    const sample = await gateRows(deps.data, { ...cut, limit: GATE_ROWS_LIMIT, seed: GATE_SEED });
    return { sample: { ...sample, cut }, why: `the rows of ${path}` };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { sample: null, why: `model.gate.rows names ${path}: ${messageOf(error)}` };
  }
}

async function pathVersion(deps: PipelinesDeps, held: HeldStep, section: DataSection): Promise<DatasetVersion> {
  const input = { name: `${held.file.name}-gate`, section, folder: held.run.folder };
  const actor = actorOf(held.run);
  const known = held.run.dataMode === 'current' ? await currentVersion(deps.data, actor, input) : undefined;
  return known ?? (await syncDataset(deps.data, actor, input)).version;
}

async function notebookRows(
  deps: Pick<PipelinesDeps, 'content'>,
  files: readonly OutputFile[],
): Promise<NotebookRows | undefined> {
  const file = files.find(({ path }) => path === ROWS_FILE);
  if (!file) return undefined;
  const text = Buffer.from(await deps.content.bytes(file.digest, MAX_ROWS_FILE_BYTES)).toString('utf8');
  return NotebookRows.safeParse(JSON.parse(text)).data;
}

const codingOf = (told: NotebookRows | undefined): CodingRule | null =>
  told?.target ? (codingRule.safeParse(told.target.rule).data ?? null) : null;

/**
 * Remembers what the first version's notebook kept for itself, for the steps of later runs. A first version without test rows makes
 * way for one that has some.
 */
export async function rememberGate(deps: PipelinesDeps, held: HeldStep, split: Cut['split']): Promise<void> {
  const data = gateData(held);
  if (!data?.isFirst || split?.kind !== 'notebook' || held.run.draft) return;
  const { projectId } = held.run;
  const model = held.file.name;
  await deps.db.write(async (tx) => {
    const known = await findGateRows(tx, projectId, model);
    if (known && (known.rows !== null || split.rows === null)) return;
    await putGateRows(tx, { projectId, model, dataset: data.dataset, split, at: deps.clock.now() });
    if (split.rows !== null)
      await deps.content.reference(tx, { kind: 'gate_rows', id: `${projectId}/${model}` }, [split.rows]);
  });
}
