import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestOf } from '../kernel/hash.ts';
import type { Notebook, NotebookCell } from '../notebooks/notebook.ts';
import type { AdoptDeps, Places } from './deps.ts';
import type { BuiltEnvironment } from './environment/build.ts';
import { copyProject, digestOfFile } from './files/copy.ts';
import type { FoundData } from './files/data.ts';
import { refusal } from './refusal.ts';
import { type CellsRun, runCells } from './run/cells.ts';
import {
  type Checkpoint,
  type CheckpointBasis,
  findCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from './run/checkpoints.ts';
import { type Isolation, isolate } from './run/network.ts';
import { descendantsOf, endProcesses, runPython } from './run/processes.ts';
import { kernelEnvironment, openSession, type Session, toPythonText } from './run/session.ts';
import { Candidates } from './trace-files.ts';
import type { CellOutcome } from './types.ts';

/** One environment, one copy, one kernel. It stays open until it is known whether another does better. */
export interface Attempt {
  readonly built: BuiltEnvironment;
  readonly folder: string;
  readonly src: string;
  readonly isolation: Isolation;
  readonly session: Session;
  readonly env: Readonly<Record<string, string>>;
  readonly log: string;
  readonly startedAt: number;
  readonly left: readonly string[];
  readonly checkpoints: { readonly root: string; readonly basis: Omit<CheckpointBasis, 'sources'> };
  close(): Promise<void>;
}

export interface AttemptRun {
  readonly attempt: Attempt;
  readonly run: CellsRun;
}

export async function openAttempt(
  deps: AdoptDeps,
  places: Places,
  built: BuiltEnvironment,
  data: FoundData,
  digests: ReadonlyMap<string, string>,
): Promise<Attempt> {
  const { spec, root, beside } = places;
  // One path for one environment, so that what was kept of an earlier run names the same places.
  const folder = join(spec.work, `run-${built.environment.digest.slice(0, 8)}`);
  const src = join(folder, 'src');
  const copied = await copyProject({
    root,
    beside,
    target: src,
    files: data.files,
    unpack: (archive, member, target) => unpack(deps, archive, member, target),
  });
  await mkdir(join(src, dirname(places.notebook)), { recursive: true });
  const { python } = built.environment;
  const launcher = join(deps.pythonPath, 'levain_runtime', 'adopt', 'isolate.py');
  const isolation = await isolate({ network: spec.network, python, launcher, server: spec.server });
  const { pythonPath, env: outer } = deps;
  const env = kernelEnvironment({ python, pythonPath, network: spec.network, isolation, env: outer });
  const cwd = join(src, dirname(places.notebook));
  const trace = {
    notebook: places.notebook,
    root: src,
    redirects: data.redirects,
    network: spec.network ? 'all' : 'none',
    seed: true,
    protect: [root],
  };
  const log = join(folder, 'run.log');
  await writeFile(log, '');
  const session = await openSession({ kernels: deps.kernels, python, cwd, env, isolation, trace }).catch(
    async (error) => {
      await isolation.close();
      throw error;
    },
  );
  let isOpen = true;
  const close = async () => {
    if (!isOpen) return;
    isOpen = false;
    const left = await descendantsOf(session.kernel.pid);
    await session.close();
    await endProcesses(left);
    await isolation.close();
  };
  deps.onEnd(close);
  const startedAt = deps.clock.now();
  const checkpoints = { root: join(spec.work, 'checkpoints'), basis: await basisOf(deps, places, built, digests) };
  return { built, folder, src, isolation, session, env, log, startedAt, left: copied.left, checkpoints, close };
}

async function basisOf(
  deps: AdoptDeps,
  { spec }: Places,
  built: BuiltEnvironment,
  digests: ReadonlyMap<string, string>,
): Promise<Attempt['checkpoints']['basis']> {
  const data = [...digests].filter(([path]) => path !== spec.source);
  const runtime = await digestOfFolder(join(deps.pythonPath, 'levain_runtime', 'adopt'));
  const files = data.map(([path, digest]) => `${path} ${digest}`).sort();
  return { environment: built.environment.digest, files, network: spec.network, runtime };
}

/** Takes up what an earlier run of the same cells, data and environment has kept; undefined where there is nothing. */
export async function resume(deps: AdoptDeps, attempt: Attempt, notebook: Notebook): Promise<CellsRun | undefined> {
  const sources = sourcesOf(notebook);
  const found = await findCheckpoint(attempt.checkpoints.root, { ...attempt.checkpoints.basis, sources });
  if (!found) return undefined;
  await loadCheckpoint(attempt.session, found, attempt.src);
  const of = sources.length;
  deps.conversation.progress(
    'run',
    `resumed after cell ${found.after}: same cells, data and environment`,
    found.after,
    of,
  );
  const cells = found.outcomes.map((outcome) => ({
    ...outcome,
    status: outcome.error ? outcome.status : ('resumed' as const),
  }));
  return { cells, notebook: withOutputsOf(notebook, found), stopped: true, runMs: 0 };
}

/** The notebook as it is now, with what the kept cells had said; what follows them has not run. */
function withOutputsOf(notebook: Notebook, { after, cells: kept }: Checkpoint): Notebook {
  const earlier = kept.filter((cell) => cell.cell_type === 'code').slice(0, after);
  const cells = notebook.cells.map((cell) => {
    if (cell.cell_type !== 'code') return cell;
    const { outputs = [], execution_count = null } = earlier.shift() ?? {};
    return { ...cell, outputs, execution_count };
  });
  return { ...notebook, cells };
}

const sourcesOf = (notebook: Notebook): string[] =>
  notebook.cells.filter((cell) => cell.cell_type === 'code').map(({ source }) => source);

/** Names and contents of a folder's Python files. */
async function digestOfFolder(folder: string): Promise<string> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.py')).sort();
  return digestOf(await Promise.all(names.map(async (name) => [name, await digestOfFile(join(folder, name))])));
}

/** Runs the cells, or what an earlier call left of them, and saves the executed notebook. */
export async function runAttempt(
  deps: AdoptDeps,
  places: Places,
  attempt: Attempt,
  notebook: Notebook,
  how: { readonly stops: (outcome: CellOutcome) => boolean; readonly earlier: CellsRun | undefined },
): Promise<AttemptRun> {
  const { session } = attempt;
  const run = await runCells({
    kernel: session.kernel,
    notebook,
    name: places.name,
    conversation: deps.conversation,
    cellTimeoutMs: places.spec.cellTimeoutMs,
    log: attempt.log,
    clock: deps.clock,
    earlier: how.earlier,
    before: (number) => session.call('the run could not be recorded', nextCell(number)),
    after: (outcomes, cells) => keep(deps, places, attempt, outcomes, cells),
    stops: how.stops,
  });
  await writeFile(executedPath(attempt), `${JSON.stringify(run.notebook, null, 1)}\n`);
  return { attempt, run };
}

/** A long cell is not run twice where what it left can be kept. */
async function keep(
  deps: AdoptDeps,
  { spec }: Places,
  { session, checkpoints }: Attempt,
  outcomes: readonly CellOutcome[],
  cells: readonly NotebookCell[],
): Promise<void> {
  const last = outcomes.at(-1);
  if (!last || last.error !== null || last.seconds * 1_000 < spec.checkpointAfterMs) return;
  const of = cells.filter((cell) => cell.cell_type === 'code').length;
  deps.conversation.progress('run', `keeping what cell ${last.number} left`, last.number, of);
  const sources = cells.filter((cell) => cell.cell_type === 'code').map(({ source }) => source);
  const state = { after: last.number, outcomes, cells };
  const why = await saveCheckpoint(session, checkpoints.root, { ...checkpoints.basis, sources }, state);
  if (why !== null) deps.conversation.progress('run', `cell ${last.number} is not kept: ${why}`, last.number, of);
}

export const executedPath = (attempt: Attempt): string => join(attempt.folder, 'executed.ipynb');

const nextCell = (number: number): string =>
  `import levain_runtime.adopt.trace as _levain_trace\n_levain_trace.next_cell(${number})\ndel _levain_trace`;

/** What may be the model, as the kernel's end state and the trace tell. */
export async function findCandidates(attempt: Attempt, wanted: string | null): Promise<Candidates> {
  const path = join(attempt.folder, 'candidates.json');
  const value = await attempt.session.ask(
    'the model could not be looked for',
    `import levain_runtime.adopt.candidates as _levain
_levain.report(get_ipython(), ${toPythonText(path)}, ${wanted === null ? 'None' : toPythonText(wanted)})
del _levain`,
    path,
  );
  return Candidates.parse(value);
}

const UNPACK = `
import bz2, gzip, lzma, os, shutil, sys, zipfile
archive, member, target = sys.argv[1:]
part = target + ".part"
if archive.lower().endswith(".zip"):
    with zipfile.ZipFile(archive) as z:
        names = [n for n in z.namelist() if not n.endswith("/") and not n.startswith("__MACOSX/")]
        same = [n for n in names if n.rsplit("/", 1)[-1].lower() == member.lower()] or (names if len(names) == 1 else [])
        if not same:
            sys.exit(3)
        with z.open(same[0]) as source, open(part, "wb") as out:
            shutil.copyfileobj(source, out)
else:
    opener = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}[archive.lower().rsplit(".", 1)[-1]]
    with opener(archive) as source, open(part, "wb") as out:
        shutil.copyfileobj(source, out)
os.replace(part, target)
`;
const UNPACK_TIMEOUT_MS = 10 * 60_000;

async function unpack(deps: AdoptDeps, archive: string, member: string, target: string): Promise<void> {
  const command = [deps.python, '-I', '-c', UNPACK, archive, member, target];
  const { code, stderr } = await runPython(command, { env: deps.env, timeoutMs: UNPACK_TIMEOUT_MS });
  if (code === 0) return;
  const why = code === 3 ? `it holds no ${member}` : (stderr.trim().split('\n').at(-1) ?? 'no reason given');
  throw refusal('data_unreadable', `${archive} could not be unpacked for ${member}: ${why}`, {
    hint: 'Unpack it beside the notebook, or name the table with --data.',
  });
}
