import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { currentVersion, cutDigest, type DatasetVersion, materialise, syncDataset } from '../data/index.ts';
import { isAppError } from '../kernel/errors.ts';
import type { DataSection } from '../project-file/index.ts';
import type { Actor } from '../wire/route.ts';
import { attemptOf, sayInLog } from './attempts.ts';
import type { PipelinesDeps } from './deps.ts';
import type { HeldStep, Outcome } from './engine-types.ts';
import { failureOf, failureOfError } from './failures.ts';
import { cutOf, isNotebookGate, notebookCut } from './gate-data.ts';
import type { DataOutputs, PipelineRun } from './types.ts';

/** The name of the step that settles on a version of a dataset. */
export const dataStep = (dataset: string): string => `data:${dataset}`;

/** Acts for the run: in its project, under the name of who started it. */
export const actorOf = (run: Pick<PipelineRun, 'projectId' | 'startedBy'>): Actor => ({
  projectId: run.projectId,
  user: run.startedBy,
  kind: 'system',
});

/**
 * Settles on the version of a dataset that the whole run sees: with `latest` the source is looked at again, else the newest good
 * version of this source stands, under the contract as it is now. A broken contract ends the run, with the rows that broke it.
 */
export async function handleData(deps: PipelinesDeps, held: HeldStep): Promise<Outcome> {
  const name = held.step.name.slice(dataStep('').length);
  const section = held.file.data[name];
  if (!section)
    return { kind: 'failed', failure: failureOf('data', `levain.yaml has no data "${name}" any more`), cause: 'final' };
  try {
    const { version, looked, created } = await settleVersion(deps, held, name, section);
    if (version.state === 'refused') return { kind: 'failed', failure: brokenContract(version), cause: 'final' };
    const settled = {
      dataset: name,
      versionId: version.id,
      version: version.version,
      rows: version.rowCount,
      created,
    };
    const outputs = isNotebookGate(held.file, name)
      ? await notebookCut(deps, held, settled)
      : { ...settled, cutDigest: await cutDigest(deps.data, cutOf(held, settled)) };
    const count = version.rowCount.toLocaleString('en-US');
    return {
      kind: 'ok',
      outputs: { data: outputs },
      reason: `${name} v${version.version}, ${count} rows; ${created ? 'new' : looked ? 'the source has not changed' : 'the newest version'}`,
    };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { kind: 'failed', failure: failureOfError('data', error), cause: 'final' };
  }
}

/** The run's copy of a dataset where the step sees it. */
export async function layOutData(deps: PipelinesDeps, held: HeldStep, data: DataOutputs, src: string): Promise<void> {
  const section = held.file.data[data.dataset];
  if (!section) return;
  const to = join(src, section.as);
  await mkdir(dirname(to), { recursive: true });
  await materialise(deps.data, { ...cutOf(held, data), to });
}

async function settleVersion(
  deps: PipelinesDeps,
  held: HeldStep,
  name: string,
  section: DataSection,
): Promise<{ readonly version: DatasetVersion; readonly looked: boolean; readonly created: boolean }> {
  const actor = actorOf(held.run);
  if (held.run.dataMode === 'current') {
    const known = await currentVersion(deps.data, actor, { name, section, folder: held.run.folder });
    if (known) return { version: known, looked: false, created: false };
  }
  const attempt = attemptOf(deps, held.step);
  await sayInLog(attempt, `looking at ${typeof section.from === 'string' ? section.from : 'the query'}`);
  return { ...(await syncDataset(deps.data, actor, { name, section, folder: held.run.folder })), looked: true };
}

const MAX_ROWS_SHOWN = 5;

function brokenContract(version: DatasetVersion) {
  const broken = version.contract.checks.filter((check) => !check.success && check.severity === 'error');
  const rows = broken.flatMap((check) =>
    check.rows.slice(0, MAX_ROWS_SHOWN).map((row) => `${row.file}:${row.row} ${JSON.stringify(row.values)}`),
  );
  return failureOf(
    'contract',
    `${version.dataset} v${version.version} breaks its contract: ${broken.map(({ sentence }) => sentence).join('; ')}`,
    {
      logTail: rows,
      hint: `levain data check ${version.dataset}`,
    },
  );
}
