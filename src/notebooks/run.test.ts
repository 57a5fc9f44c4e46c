import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { notebookSpecIn } from '../../test/support/notebook-spec.ts';
import { NOTEBOOK_REQUIREMENTS, pythonEnvironment } from '../../test/support/python-environment.ts';
import { parseNotebook } from './notebook.ts';
import { NotebookResult, type NotebookSpec } from './types.ts';

let python = '';
let root = '';
before(async () => {
  python = (await pythonEnvironment(NOTEBOOK_REQUIREMENTS)).environment.python;
  root = await mkdtemp(join(tmpdir(), 'levain-notebook-'));
});
after(() => rm(root, { recursive: true, force: true }));

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

async function run(sources: readonly string[], more: Partial<NotebookSpec> = {}) {
  const folder = await mkdtemp(join(root, 'step-'));
  const cells = sources.map((source, i) => ({
    cell_type: 'code',
    id: `c${i}`,
    source,
    metadata: source.startsWith('# parameters') ? { tags: ['parameters'] } : {},
    outputs: [],
    execution_count: null,
  }));
  await writeFile(join(folder, 'a.ipynb'), JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells }));
  const spec = notebookSpecIn(folder, python, more);
  await writeFile(join(folder, 'spec.json'), JSON.stringify(spec));
  const child = spawn(process.execPath, [path('./main.ts'), join(folder, 'spec.json')], {
    env: { PATH: process.env['PATH'], TMPDIR: folder, PYTHONPATH: path('../../python') },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (log += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  const [exitCode] = await once(child, 'close');
  const result = NotebookResult.parse(JSON.parse(await readFile(spec.result, 'utf8')));
  const executed = await readFile(spec.output, 'utf8').then(
    (text) => parseNotebook(text, 'out.ipynb'),
    () => undefined,
  );
  const progress = (await readFile(spec.progress, 'utf8').catch(() => ''))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('levain-kernel-')),
    [],
    'no socket is left behind',
  );
  return { exitCode, result, executed, progress, log };
}

test('a notebook runs top to bottom with its parameters, and its outputs are kept and logged as they come', async () => {
  const { exitCode, result, executed, progress, log } = await run(
    ['# parameters\nrate = 1', 'print("rate", rate)', 'rate * 2', 'import random\nprint(random.random())'],
    { params: { rate: 21 } },
  );
  assert.equal(result.status, 'ok', log);
  assert.equal(exitCode, 0);
  assert.match(log, /rate 21\n42\n0\.8444218515250481/);
  assert.deepEqual(
    executed?.cells.map((cell) => cell.execution_count),
    [1, 2, 3, 4, 5],
  );
  assert.deepEqual(executed?.cells[2]?.outputs, [{ output_type: 'stream', name: 'stdout', text: 'rate 21\n' }]);
  assert.deepEqual(progress.map(({ cell, of, state }) => `${cell}/${of} ${state}`).slice(0, 4), [
    '0/5 started',
    '1/5 running',
    '1/5 ok',
    '2/5 running',
  ]);
  assert.equal(progress.at(-1)?.state, 'finished');
});

test('a failing cell is named with its error, and what ran before it is kept', async () => {
  const { exitCode, result, executed, log } = await run(['print("first")', 'x = 1\n1 / 0', 'print("never")']);
  assert.equal(exitCode, 1);
  assert.equal(result.status, 'error');
  assert.deepEqual(
    [result.cell?.code, result.cell?.of, result.error?.name, result.error?.message],
    [2, 3, 'ZeroDivisionError', 'division by zero'],
  );
  assert.ok(result.error?.traceback.some((line) => line.includes('1')));
  assert.match(log, /cell 2 of 3 failed: ZeroDivisionError: division by zero/);
  assert.equal(executed?.cells[1]?.outputs?.[0]?.['output_type'], 'error');
  assert.equal(executed?.cells[2]?.execution_count, null);
});

test('a cell that may fail is passed over, counted among all code cells', async () => {
  const cells = ['x = 1', '', '1 / 0', 'print(x)', '2 / 0'];
  const { result, executed, log } = await run(cells, { mayFail: [3] });
  assert.deepEqual([result.status, result.cell?.source], ['error', '2 / 0']);
  assert.match(log, /cell 2 of 4 failed and may: ZeroDivisionError/);
  assert.equal(executed?.cells[2]?.outputs?.[0]?.['output_type'], 'error');
  assert.equal((await run(cells, { mayFail: [3, 5] })).exitCode, 0);
});

test('paths of another machine lead to files of this one, and the environment is left as it is', async () => {
  const folder = join(root, 'project');
  await mkdir(join(folder, 'data'), { recursive: true });
  await writeFile(join(folder, 'data', 'a.csv'), 'x\n41\n');
  const reads = { '/content/drive/My Drive/a.csv': 'data/a.csv' };
  const cells = [
    '!pip install nothing-of-that-name\n%pip install nothing-of-that-name',
    "import os\npath = '/content/drive/My Drive'\nprint(int(open(os.path.join(path, 'a.csv')).read().split()[1]) + 1)",
    "with open('/content/drive/out.txt', 'w') as file: file.write('made')\nprint(os.path.exists('/content/drive'))",
  ];
  const { exitCode, log } = await run(cells, { cwd: folder, front: { root: folder, reads } });
  assert.equal(exitCode, 0, log);
  assert.match(log, /^42$/m);
  assert.equal(await readFile(join(folder, 'out.txt'), 'utf8'), 'made');
  assert.match(log, /pip install nothing-of-that-name was left out: the environment is locked/);
});

test('a kernel that dies is seen at once, with its cause', async () => {
  const { exitCode, result, log } = await run(['import os', 'os._exit(7)']);
  assert.equal(exitCode, 3);
  assert.equal(result.status, 'dead');
  assert.equal(result.cell?.code, 2);
  assert.match(result.cause ?? '', /ended by itself with exit code 7/);
  assert.match(log, /cell 2 of 2: the kernel ended by itself/);
  const killed = await run(['import os, signal; os.kill(os.getpid(), signal.SIGKILL)']);
  assert.match(killed.result.cause ?? '', /killed \(SIGKILL\); most often/);
});

test('a cell that takes too long is stopped', async () => {
  const { exitCode, result } = await run(['import time', 'time.sleep(600)'], { cellTimeoutMs: 1500 });
  assert.equal(exitCode, 124);
  assert.equal(result.status, 'timeout');
  assert.match(result.cause ?? '', /a cell may take 1.5 s/);
});

test('the fitted variable of a finished kernel is saved as a model folder with its facts', async () => {
  const folder = join(root, 'model');
  const { result, log } = await run(
    [
      'import numpy as np\nfrom sklearn.linear_model import LogisticRegression\nfrom sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler',
      'clf = make_pipeline(StandardScaler(), LogisticRegression()).fit(np.random.rand(50, 3), [0, 1] * 25)\nraw = LogisticRegression()\nclass Own:\n    def predict(self, x): return x\nown = Own()',
    ],
    {
      exports: ['clf', 'raw', 'gone', 'own'].map((variable) => ({
        variable,
        folder: `${folder}-${variable}`,
        facts: `${folder}-${variable}.json`,
      })),
    },
  );
  const [clf, raw, gone, own] = result.exports;
  assert.equal(clf?.ok, true, log);
  assert.deepEqual(clf?.facts['classes'], [0, 1]);
  assert.equal(clf?.facts['type'], 'sklearn.pipeline.Pipeline');
  assert.match(await readFile(`${folder}-clf/MLmodel`, 'utf8'), /pickled_model: model.pkl/);
  assert.match(await readFile(`${folder}-clf/requirements.txt`, 'utf8'), /scikit-learn==/);
  assert.deepEqual([raw?.facts['kind'], gone?.facts['kind']], ['not_fitted', 'missing']);
  assert.match(String(gone?.facts['message']), /no variable named gone\. Fitted models there: clf, own/);
  assert.equal(own?.ok, true);
});

test('an environment without ipykernel is refused with what to add', async () => {
  const bare = (await pythonEnvironment(['six'])).environment.python;
  const { exitCode, result } = await run(['1'], { python: bare });
  assert.equal(exitCode, 2);
  assert.match(result.cause ?? '', /no ipykernel/);
});
