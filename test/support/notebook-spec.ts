import { join } from 'node:path';
import type { NotebookSpec } from '../../src/notebooks/types.ts';

/** The step that runs `a.ipynb` in this folder and leaves all that it writes there. */
export const notebookSpecIn = (folder: string, python: string, more: Partial<NotebookSpec> = {}): NotebookSpec => ({
  notebook: join(folder, 'a.ipynb'),
  name: 'a.ipynb',
  cwd: folder,
  python,
  output: join(folder, 'out.ipynb'),
  progress: join(folder, 'progress.jsonl'),
  result: join(folder, 'result.json'),
  params: {},
  cellTimeoutMs: null,
  timeoutMs: null,
  exports: [],
  mayFail: [],
  front: null,
  watch: null,
  ...more,
});
