import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createAnalytics } from '../../src/adapters/duckdb/index.ts';
import { createLocalExecutor } from '../../src/adapters/executor-local/index.ts';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { createPythonWorkers } from '../../src/adapters/python-worker/index.ts';
import { createSources } from '../../src/adapters/sources/index.ts';
import { openSecrets } from '../../src/adapters/system/index.ts';
import { createUvEnvironments } from '../../src/adapters/uv/index.ts';
import { createContent } from '../../src/content/index.ts';
import { sha256 } from '../../src/kernel/hash.ts';
import {
  applyProject,
  getRunDetail,
  type PipelineRun,
  type PipelinesDeps,
  type SnapshotFile,
  type StartRunInput,
  snapshotDigest,
  startPipelinesWork,
  startRun,
} from '../../src/pipelines/index.ts';
import type { Db } from '../../src/ports/db.ts';
import { testDb } from './db.ts';
import { NOTEBOOK_REQUIREMENTS, pythonEnvironment, TEST_CACHE } from './python-environment.ts';
import { tempDir } from './temp.ts';
import { LOCAL, trackingDeps } from './tracking.ts';

const pathOf = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Real parts of everything that a pipeline needs; environments come from the machine's test cache. */
export async function pipelinesDeps(
  db: Db,
  more: Partial<PipelinesDeps> = {},
  dir: string = tempDir(),
): Promise<PipelinesDeps> {
  const below = await trackingDeps(db);
  const { clock, random, log, outbox } = below;
  const objects = await openFsObjects({ dir: join(dir, 'objects') });
  const content = createContent({ db, objects, clock, random, cacheDir: join(dir, 'cache') });
  const tracking = { ...below, content };
  const identity = { db, clock, random, log };
  const analytics = createAnalytics({ tempDir: join(dir, 'duckdb') });
  const workers = createPythonWorkers({ clock, log, pythonPath: pathOf('python') });
  const data = {
    db,
    content,
    clock,
    random,
    log,
    outbox,
    identity,
    analytics,
    sources: createSources(),
  };
  const registry = { db, content, outbox, clock, random, log, analytics, workers, identity, data, tempDir: dir };
  return {
    ...{ db, content, outbox, clock, random, log, identity, data, tracking, registry },
    executor: createLocalExecutor(),
    environments: createUvEnvironments({ dataDir: TEST_CACHE }),
    secrets: await openSecrets({ dataDir: dir }),
    workDir: join(dir, 'work'),
    projectsDir: join(dir, 'projects'),
    dropsDir: join(dir, 'drops'),
    command: pathOf('bin/levain'),
    serverUrl: () => 'http://127.0.0.1:1',
    node: process.execPath,
    notebookMain: pathOf('src/notebooks/main.ts'),
    pythonPath: pathOf('python'),
    env: process.env,
    ...more,
  };
}

/** Closes what holds processes. */
export async function closePipelines(deps: PipelinesDeps): Promise<void> {
  await deps.data.analytics.close();
  await deps.registry.workers.close();
}

/** A project folder with these files; a value that is no text is a notebook of these cells. */
export async function projectFolder(files: Readonly<Record<string, string | readonly string[]>>): Promise<string> {
  const folder = tempDir('levain-project-');
  for (const [path, content] of Object.entries(files)) await writeProjectFile(folder, path, content);
  return folder;
}

export async function writeProjectFile(
  folder: string,
  path: string,
  content: string | readonly string[],
): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), typeof content === 'string' ? content : notebookText(content));
  if (path.endsWith('.sh')) await chmod(join(folder, path), 0o755);
}

export const notebookText = (cells: readonly string[], outputs: readonly unknown[] = []): string =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: cells.map((source, i) => ({
      cell_type: 'code',
      id: `c${i}`,
      source,
      metadata: {},
      outputs,
      execution_count: null,
    })),
  });

/** Snapshot and upload as the command line does it, straight into the content store. */
export async function sourceOf(deps: PipelinesDeps, folder: string, without: readonly string[] = []) {
  const sourceManifest: SnapshotFile[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const full = join(entry.parentPath, entry.name);
    const path = relative(folder, full);
    if (!entry.isFile() || without.includes(path)) continue;
    const bytes = await readFile(full);
    await deps.content.put(bytes);
    sourceManifest.push({
      path,
      digest: sha256(bytes),
      sizeBytes: bytes.length,
      executable: ((await stat(full)).mode & 0o100) !== 0,
    });
  }
  sourceManifest.sort((a, b) => (a.path < b.path ? -1 : 1));
  const text = await readFile(join(folder, 'levain.yaml'), 'utf8');
  return { text, folder, sourceDigest: snapshotDigest(sourceManifest), sourceManifest };
}

export const applyFolder = async (deps: PipelinesDeps, folder: string, without: readonly string[] = []) =>
  applyProject(deps, LOCAL, await sourceOf(deps, folder, without));

/** An engine at work over a database of its own, and the lock of an environment that runs notebooks. */
export async function notebookWorld() {
  const { lock } = await pythonEnvironment(NOTEBOOK_REQUIREMENTS);
  const db = await testDb();
  const deps = await pipelinesDeps(db);
  const work = startPipelinesWork(deps);
  const stop = async (): Promise<void> => {
    await work.stop();
    await closePipelines(deps);
    await db.close();
  };
  return { deps, lock, stop };
}

/** Starts a run and waits for its end; an engine must be at work. */
export async function runToEnd(deps: PipelinesDeps, input: StartRunInput) {
  return untilEnd(deps, await startRun(deps, LOCAL, input));
}

export async function untilEnd(deps: PipelinesDeps, run: Pick<PipelineRun, 'projectId' | 'id'>) {
  for (;;) {
    const detail = await getRunDetail(deps, run.projectId, run.id);
    if (detail.run.state !== 'pending' && detail.run.state !== 'running') {
      return { run: detail.run, steps: Object.fromEntries(detail.steps.map((step) => [step.name, step])) };
    }
    await sleep(20);
  }
}
