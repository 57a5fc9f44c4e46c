import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import type { CellResult, Kernel } from '../ports/kernels.ts';
import type { Notebook } from './notebook.ts';
import type { NotebookSpec } from './types.ts';

const MODULE = 'levain_runtime.adopt.learn';
const WATCH_TIMEOUT_MS = 60_000;

/** A kernel that is watched while the notebook's cells run in it. Watching never fails the notebook. */
export interface Watch {
  /** Before a cell, by its position in the notebook that runs. */
  before(position: number): Promise<void>;
  /** After a variable was saved: its folder gets `levain/`, its facts the reason where that cannot be. */
  exported(variable: string, folder: string, facts: string, timeoutMs: number): Promise<CellResult | undefined>;
}

const NO_WATCH: Watch = { before: async () => undefined, exported: async () => undefined };

/**
 * Installs the recorder. The file of rows is copied first: a notebook may write over its own data. An environment in which the
 * recorder does not start (another Python, no IPython events) runs unwatched.
 */
export async function watchKernel(
  spec: NotebookSpec,
  kernel: Kernel,
  { notebook, written }: { readonly notebook: Notebook; readonly written: Notebook },
): Promise<Watch> {
  const { watch } = spec;
  if (watch === null || spec.exports.length === 0) return NO_WATCH;
  const dataset = watch.dataset && { ...watch.dataset, path: `${spec.result}.rows` };
  const copied =
    watch.dataset &&
    (await copyFile(watch.dataset.path, dataset!.path, constants.COPYFILE_FICLONE).then(
      () => true,
      () => false,
    ));
  const config = JSON.stringify({ ...watch, notebook: spec.name, dataset: copied ? dataset : null });
  const call = (code: string) => `import ${MODULE} as _levain_learn\n${code}\ndel _levain_learn`;
  const run = (code: string, timeoutMs = WATCH_TIMEOUT_MS) => kernel.execute(call(code), { silent: true, timeoutMs });
  const started = await run(`_levain_learn.install(get_ipython(), _levain_learn.json.loads(${pythonText(config)}))`);
  if (started.status !== 'ok') return NO_WATCH;
  const numbers = numbersOf(notebook, written);
  return {
    before: async (position) => {
      await run(`_levain_learn.next_cell(${numbers[position] ?? 'None'})`);
    },
    exported: (variable, folder, facts, timeoutMs) => {
      const args = [variable, folder, facts].map(pythonText).join(', ');
      return run(
        `_levain_learn.export(globals(), ${args}, _levain_learn.json.loads(${pythonText(config)}))`,
        timeoutMs,
      );
    },
  };
}

/** JSON's escapes are Python's. */
const pythonText = (text: string): string => JSON.stringify(text);

/** Code cells counted from 1 as the written notebook has them; the cell of this run's parameters has no number. */
export function numbersOf(notebook: Notebook, written: Notebook): (number | null)[] {
  const code = written.cells.filter((cell) => cell.cell_type === 'code');
  const numbers = new Map(code.map((cell, at) => [cell, at + 1]));
  return notebook.cells.map((cell) => numbers.get(cell) ?? null);
}
