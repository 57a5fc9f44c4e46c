import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../../test/support/ports.ts';
import { TEST_CACHE } from '../../test/support/python-environment.ts';
import { AdoptLine, type AdoptResult, type AdoptSpec, type Refused } from './types.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'levain-adopt-'));
});
after(() => rm(root, { recursive: true, force: true }));

/** Three hundred customers, of whom those that pay by the month leave. */
const CSV = `id,months,plan,left\n${Array.from({ length: 300 }, (_, i) => {
  const months = (i * 37) % 72;
  const plan = ['monthly', 'yearly', 'free'][(i * 7) % 3];
  const left = (plan === 'monthly' ? 40 : 5) + (i % 11) > months ? 'yes' : 'no';
  return `c${i},${months},${plan},${left}`;
}).join('\n')}\n`;

const READ = "import pandas as pd\ndf = pd.read_csv('/kaggle/input/customers/customers.csv')";
const PREPARE =
  "df['left'] = df['left'].map({'yes': 1, 'no': 0})\ndf = pd.get_dummies(df.drop(columns='id'), columns=['plan'])";
const SPLIT =
  "from sklearn.model_selection import train_test_split\nX_train, X_test, y_train, y_test = train_test_split(df.drop(columns='left'), df['left'], random_state=1)";
const FIT =
  "from sklearn.linear_model import LogisticRegression\nclf = LogisticRegression(max_iter=1000).fit(X_train, y_train)\nprint('accuracy', (clf.predict(X_test) == y_test).mean())";
const CELLS = [READ, PREPARE, SPLIT, FIT];

interface Project {
  readonly cells: readonly string[];
  readonly metadata?: object;
  readonly files?: Readonly<Record<string, string>>;
  readonly notebook?: string;
  readonly spec?: Partial<AdoptSpec>;
}

async function layOut({
  cells,
  metadata = {},
  files = { 'customers.csv': CSV },
  notebook = 'Churn (final).ipynb',
}: Project) {
  const folder = await mkdtemp(join(root, 'p-'));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  const code = cells.map((source, i) => ({
    cell_type: 'code',
    source,
    metadata: {},
    outputs: [],
    execution_count: i + 1,
  }));
  await writeFile(join(folder, notebook), JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata, cells: code }));
  return { folder, source: join(folder, notebook) };
}

interface Run {
  readonly child: ChildProcess;
  readonly lines: AdoptLine[];
  readonly ended: Promise<number | null>;
}

async function start(project: { folder: string; source: string }, spec: Partial<AdoptSpec> = {}): Promise<Run> {
  const work = `${project.folder}-work`;
  await mkdir(work, { recursive: true });
  const path = join(work, 'spec.json');
  await writeFile(path, JSON.stringify({ ...project, dataDir: TEST_CACHE, work, ...spec }));
  const child = spawn(process.execPath, [MAIN, path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: AdoptLine[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => lines.push(AdoptLine.parse(JSON.parse(line))));
  return { child, lines, ended: once(child, 'close').then(([code]) => code as number | null) };
}

async function adopt(project: Project): Promise<{ lines: readonly AdoptLine[]; exit: number | null; folder: string }> {
  const laid = await layOut(project);
  const { child, lines, ended } = await start(laid, project.spec);
  child.stdin!.end();
  const exit = await ended;
  return { lines, exit, folder: laid.folder };
}

const resultOf = (lines: readonly AdoptLine[]): AdoptResult => {
  const last = lines.at(-1);
  assert.equal(last?.t, 'result', JSON.stringify(last));
  return last as AdoptResult;
};

async function refusalOf(project: Project): Promise<Refused> {
  const { lines, exit } = await adopt(project);
  const last = lines.at(-1);
  assert.equal(last?.t, 'refused', JSON.stringify(last)?.slice(0, 500));
  assert.equal(exit, (last as Refused).exit);
  return last as Refused;
}

const digest = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

test('a notebook with a lost path becomes a proven model of raw rows, and nothing of its folder changes', async () => {
  const laid = await layOut({ cells: [...CELLS, "df.to_csv('customers.csv')"], files: { 'data/customers.csv': CSV } });
  const before = [await digest(laid.source), await digest(join(laid.folder, 'data/customers.csv'))];
  const run = await start(laid);
  run.child.stdin!.end();
  assert.equal(await run.ended, 0);
  const result = resultOf(run.lines);
  assert.deepEqual([await digest(laid.source), await digest(join(laid.folder, 'data/customers.csv'))], before);
  assert.deepEqual((await readdir(laid.folder)).sort(), ['Churn (final).ipynb', 'data']);
  assert.equal(result.name, 'churn-final');
  assert.deepEqual([result.model.variable, result.model.target], ['clf', 'left']);
  assert.match(result.features?.text ?? '', /def features\(/);
  assert.deepEqual(
    result.data.map(({ name, role, path, key, rows, outside, asWritten }) => ({
      name,
      role,
      path,
      key,
      rows,
      outside,
      asWritten,
    })),
    [
      {
        name: 'customers',
        role: 'main',
        path: 'data/customers.csv',
        key: 'id',
        rows: 300,
        outside: false,
        asWritten: ['/kaggle/input/customers/customers.csv'],
      },
    ],
  );
  assert.match(result.environment.lock, /^# python: 3\.\d+\n[\s\S]*scikit-learn==/);
  assert.match(result.environment.sentence, /^Today's packages on Python 3/);
  const [exported] = result.run.exports;
  assert.equal(exported?.variable, 'clf');
  assert.match(await readFile(join(exported!.folder, 'MLmodel'), 'utf8'), /model_path/);
  assert.equal(exported?.facts['ok'], true);
  assert.ok(run.lines.some((line) => line.t === 'progress' && line.cell === 4 && line.of === 5));
});

test('a long cell is kept, so that the corrected notebook resumes after it', async () => {
  const slow = 'class Half:\n    def of(self, x): return x / two\ntwo = 2\nhalf = Half()\nimport time; time.sleep(2)';
  const laid = await layOut({ cells: [READ, slow, PREPARE, SPLIT, FIT.replace('y_train', 'y_trian')] });
  const broken = await start(laid, { checkpointAfterMs: 1_500 });
  broken.child.stdin!.end();
  await broken.ended;
  assert.equal((broken.lines.at(-1) as Refused).cell, 5, JSON.stringify(broken.lines.at(-1)));
  assert.match(
    broken.lines.map((line) => (line.t === 'progress' ? line.text : '')).join('\n'),
    /keeping what cell 2 left(?!\ncell 2 is not kept)/,
  );
  const cells = [READ, slow, PREPARE, SPLIT, `two = 4\nassert half.of(8) == 2, half.of(8)\n${FIT}`];
  const code = cells.map((source) => ({ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null }));
  await writeFile(laid.source, JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata: {}, cells: code }));
  const again = await start(laid, { checkpointAfterMs: 1_500 });
  again.child.stdin!.end();
  assert.equal(await again.ended, 0, JSON.stringify(again.lines.at(-1)));
  const result = resultOf(again.lines);
  const after = result.run.resumedAfter ?? 0;
  assert.ok(after >= 2 && after < 5, String(after));
  const statuses = result.run.cells.map(({ number }) => (number <= after ? 'resumed' : 'ok'));
  assert.deepEqual(
    result.run.cells.map(({ status }) => status),
    statuses,
  );
  assert.ok(result.warnings.some((warning) => warning.startsWith(`Cells 1 to ${after} did not run again`)));
});

test('what cannot be adopted is refused with its reason and its cell', async (context) => {
  const r = { kernelspec: { name: 'ir', language: 'R', display_name: 'R' } };
  const cases: readonly (readonly [string, Project, Partial<Refused>, RegExp])[] = [
    ['R', { cells: ['x <- 1'], metadata: r }, { code: 'other_language' }, /written in R/],
    ['Python 2', { cells: ['print "a"', ...CELLS] }, { code: 'python2', cell: 1 }, /Python 2/],
    ['no data', { cells: CELLS, files: {} }, { code: 'data_missing', cell: 1, exit: 3 }, /customers\.csv/],
    ['input', { cells: [READ, PREPARE, SPLIT, `n = int(input())\n${FIT}`] }, { code: 'needs_input', cell: 4 }, /input/],
    [
      'a dead kernel',
      { cells: [READ, 'import os\nos.kill(os.getpid(), 9)'] },
      { code: 'kernel_died', cell: 2 },
      /SIGKILL/,
    ],
    [
      'a slow cell',
      { cells: [READ, 'import time\ntime.sleep(600)'], spec: { cellTimeoutMs: 1_000 } },
      { code: 'cell_timeout', cell: 2, exit: 124 },
      /longer than 1 s/,
    ],
    ['no such model', { cells: CELLS, spec: { model: 'forest' } }, { code: 'no_such_model', exit: 3 }, /forest/],
    [
      'a missing source',
      { cells: CELLS, spec: { source: '/nowhere/a.ipynb' } },
      { code: 'not_found', exit: 3 },
      /nowhere/,
    ],
  ];
  for (const [what, project, expected, message] of cases) {
    await context.test(what, async () => {
      const refused = await refusalOf(project);
      assert.deepEqual(
        Object.fromEntries(Object.keys(expected).map((key) => [key, refused[key as keyof Refused]])),
        expected,
      );
      assert.match(refused.message, message);
    });
  }
});

test('an interrupted adoption ends its kernel and says so', async () => {
  const laid = await layOut({
    cells: [
      READ,
      "import os, subprocess\nsubprocess.Popen(['sleep', '617'])\nopen('pids', 'w').write(str(os.getpid()))",
      'import time\ntime.sleep(600)',
    ],
  });
  const run = await start(laid);
  const isAsleep = (line: AdoptLine) => line.t === 'progress' && line.stage === 'run' && line.cell === 3;
  await waitFor('the long cell', () => assert.ok(run.lines.some(isAsleep)));
  const [folder] = (await readdir(`${laid.folder}-work`)).filter((name) => name.startsWith('run-'));
  const kernel = Number(await readFile(join(`${laid.folder}-work`, folder!, 'src', 'pids'), 'utf8'));
  const { stdout } = spawn('ps', ['-o', 'pid=', '--ppid', String(kernel)], { stdio: ['ignore', 'pipe', 'ignore'] });
  let children = '';
  for await (const part of stdout) children += part;
  run.child.kill('SIGTERM');
  assert.equal(await run.ended, 130);
  assert.equal((run.lines.at(-1) as Refused).code, 'interrupted');
  for (const pid of [kernel, ...children.trim().split(/\s+/).map(Number)]) {
    await waitFor(`the end of ${pid}`, () => assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }));
  }
});
