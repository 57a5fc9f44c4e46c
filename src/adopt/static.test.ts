import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tempDir } from '../../test/support/temp.ts';

const pythonPath = fileURLToPath(new URL('../../python', import.meta.url));

interface Told {
  readonly ok: boolean;
  readonly problem: { readonly code: string; readonly message: string } | null;
  readonly faults: readonly string[];
  readonly cells: readonly { readonly code: string; readonly source: string; readonly defs: readonly string[] }[];
  readonly packages: readonly { readonly name: string; readonly spec: string | null; readonly from: string }[];
  readonly local: readonly { readonly module: string }[];
  readonly missing: readonly { readonly module: string }[];
  readonly reads: readonly { readonly path: string; readonly kind: string; readonly exists: boolean }[];
  readonly writes: readonly { readonly path: string; readonly variable: string | null }[];
  readonly removed: readonly { readonly name: string }[];
  readonly below: Readonly<Record<string, string>>;
  readonly day: {
    readonly python: { readonly version: string } | null;
    readonly versions: readonly { package: string; spec: string }[];
  };
  readonly lints: readonly {
    readonly code: string;
    readonly cell: number;
    readonly line: number;
    readonly message: string;
  }[];
}

interface Cell {
  readonly source: string;
  readonly outputs?: readonly object[];
  readonly count?: number;
}

const cellOf = (cell: string | Cell): Cell => (typeof cell === 'string' ? { source: cell } : cell);

/** Writes a notebook of these code cells, with files beside it, and asks. */
async function tell(
  cells: readonly (string | Cell)[],
  files: Readonly<Record<string, string>> = {},
  metadata: object = {},
): Promise<Told> {
  const folder = tempDir();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  const document = {
    nbformat: 4,
    nbformat_minor: 4,
    metadata,
    cells: cells.map(cellOf).map(({ source, outputs = [], count = null }) => ({
      ...{ cell_type: 'code', source, outputs, execution_count: count, metadata: {} },
    })),
  };
  await writeFile(join(folder, 'n.ipynb'), JSON.stringify(document));
  return ask(join(folder, 'n.ipynb'));
}

function ask(path: string): Told {
  const env = { ...process.env, PYTHONPATH: pythonPath };
  const text = execFileSync('python3', ['-m', 'levain_runtime.adopt.static', path], { env, encoding: 'utf8' });
  return JSON.parse(text) as Told;
}

const codes = (told: Told): string[] => told.lints.map(({ code }) => code);

test('magics become blanks of the same length, and what they time stays', async () => {
  const source =
    '%matplotlib inline\nif True:\n    !pip install lightgbm==3.1 \\\n      shap\n%time x = 1\nfiles = !ls\nx?\nprint("""\n%no magic\n""" %\nx)';
  const { cells, packages, faults } = await tell([source]);
  assert.deepEqual(faults, []);
  assert.equal(cells[0]!.code.length, source.length);
  assert.deepEqual(cells[0]!.defs, ['files', 'x']);
  assert.match(cells[0]!.code, /%no magic/);
  const installed = packages.filter(({ from }) => from === 'install').map(({ name, spec }) => [name, spec]);
  assert.deepEqual(installed, [
    ['lightgbm', '==3.1'],
    ['shap', null],
  ]);
});

test('imports become packages; the standard library and files beside the notebook do not', async () => {
  const told = await tell(
    [
      'import os, sklearn.svm, cv2\nfrom PIL import Image\nfrom imblearn.over_sampling import SMOTE\nimport helper, visuals\ntry:\n    import shap\nexcept ImportError:\n    pass',
      'import pandas as pd\npd.read_excel("a.xlsx"); pd.read_parquet("b.parquet")',
    ],
    { 'helper.py': 'import yaml\n' },
  );
  const names = told.packages.map(({ name }) => name);
  for (const name of [
    'scikit-learn',
    'opencv-python-headless',
    'pillow',
    'imbalanced-learn',
    'pyyaml',
    'openpyxl',
    'pyarrow',
    'shap',
  ])
    assert.ok(names.includes(name), `${name} of ${names}`);
  assert.ok(!names.includes('os') && !names.includes('helper'));
  assert.deepEqual(
    told.local.map(({ module }) => module),
    ['helper'],
  );
  assert.deepEqual(
    told.missing.map(({ module }) => module),
    ['visuals'],
  );
});

test('paths are told that are put together from constants, loops and arguments', async () => {
  const told = await tell(
    [
      'import os, pickle\nimport pandas as pd\nDIR = "data"\nNAME = f"{DIR}/train.csv"',
      'a = pd.read_csv(os.path.join(DIR, "a.csv"))\nb = pd.read_csv(NAME)\nfor year in [2019, 2020]:\n    pd.read_csv("y%d.csv" % year)\ndef load(p):\n    return pd.read_csv(DIR + "/" + p)\nload("c.csv")\nwith open("d.txt") as f: pass\npd.read_csv(unknown())',
      'pickle.dump(model, open("m.pkl", "wb"))',
    ],
    { 'data/a.csv': 'x\n1\n' },
  );
  assert.deepEqual(told.reads.map(({ path }) => path).sort(), [
    'd.txt',
    'data/a.csv',
    'data/c.csv',
    'data/train.csv',
    'y2019.csv',
    'y2020.csv',
  ]);
  assert.equal(told.reads.find(({ path }) => path === 'data/a.csv')!.exists, true);
  assert.ok(told.writes.some(({ path }) => path === 'm.pkl'));
});

test('removed interfaces bound the packages; lists that grow are no frames', async () => {
  const told = await tell([
    'from sklearn.cross_validation import train_test_split\nimport numpy as np\nimport pandas as pd',
    'x = np.float(1)\nrows = []\nrows.append(1)\ndf = df.append(other, ignore_index=True)\ndf.ix[0]',
  ]);
  assert.deepEqual(told.below, { 'scikit-learn': '0.20', numpy: '1.24', pandas: '1.0' });
  assert.equal(told.removed.filter(({ name }) => name === '.append()').length, 1);
});

test('the day shows in metadata and in stored warnings', async () => {
  const output = {
    output_type: 'stream',
    name: 'stderr',
    text: "/opt/conda/lib/python3.6/site-packages/sklearn/svm.py:196: FutureWarning: The default value of gamma will change from 'auto' to 'scale' in version 0.22",
  };
  const told = await tell([{ source: 'svc.fit(X, y)', outputs: [output] }]);
  assert.equal(told.day.python?.version, '3.6');
  assert.ok(told.day.versions.some((each) => each.package === 'scikit-learn' && each.spec === '>=0.20,<0.22'));
});

test('Python 2, other languages and files that are no notebooks are problems', async () => {
  assert.equal((await tell(['print "a"', 'x = 1'])).problem?.code, 'python2');
  assert.equal(
    (await tell(['x <- 1'], {}, { kernelspec: { name: 'ir', language: 'R' } })).problem?.code,
    'other_language',
  );
  assert.equal((await tell(['# nothing'])).problem?.code, 'no_code');
  const folder = tempDir();
  await writeFile(join(folder, 'x.ipynb'), '{"cells":');
  assert.equal(ask(join(folder, 'x.ipynb')).problem?.code, 'not_a_notebook');
});

test('secrets are told in source and output, and never repeated', async () => {
  const key = `AKIA${'Q7ZK2M4N8P1R5T9V'}`;
  const told = await tell([
    {
      source: `aws = "${key}"\ndb = "postgresql://bob:hunter22x@db.example.org/x"\napi_key = "f3Kd93jfLq02mZx81bQe"`,
      outputs: [{ output_type: 'stream', text: `token ghp_${'a1B2c3D4e5F6'.repeat(3)}` }],
    },
    'token = "sentence"\npassword = "your_password"\ndf["password"] = 1',
  ]);
  assert.deepEqual(
    told.lints.filter(({ code }) => code === 'secret').map(({ cell, line }) => [cell, line]),
    [
      [1, null],
      [1, 1],
      [1, 2],
      [1, 3],
    ],
  );
  const text = JSON.stringify(told.lints);
  for (const secret of [key, 'hunter22x', 'f3Kd93jfLq02mZx81bQe', 'a1B2c3D4e5F6'])
    assert.ok(!text.includes(secret), secret);
});

test('test rows that leak into training are told where the text shows it', async () => {
  const imports =
    'import pandas as pd\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.model_selection import train_test_split\nfrom imblearn.over_sampling import SMOTE\ndf = pd.read_csv("a.csv")';
  const before = await tell([
    imports,
    'X = StandardScaler().fit_transform(df.drop("y", axis=1))\nXs, ys = SMOTE(random_state=0).fit_resample(X, df.y)\ntrain_test_split(Xs, ys, random_state=0)',
  ]);
  assert.deepEqual(codes(before), ['learned_from_all_rows', 'resampled_before_split']);
  const test = await tell([
    imports,
    'sc = StandardScaler()\nA, B, c, d = train_test_split(df.drop("y", axis=1), df.y, random_state=0)\nA = sc.fit_transform(A)\nB = sc.fit_transform(B)',
  ]);
  assert.deepEqual(codes(test), ['learned_from_test_rows']);
  const clean = await tell([
    imports,
    'df.name = df.name.fillna("none")\nA, B, c, d = train_test_split(df.drop("y", axis=1), df.y, random_state=0)\nsc = StandardScaler().fit(A)\nA = sc.transform(A)\nB = sc.transform(B)',
  ]);
  assert.deepEqual(codes(clean), []);
});

test('what hurts unattended runs is told with its cell and line', async () => {
  const told = await tell([
    { source: 'import pandas as pd\nimport matplotlib.pyplot as plt\ndf = pd.read_csv("/home/ann/a.csv")', count: 2 },
    { source: 'n = int(input("rows?"))\nplt.plot(later)', count: 1 },
    { source: 'later = df.x\ndf.to_csv("/home/ann/a.csv")', count: 3 },
    '!rm -rf build',
  ]);
  assert.deepEqual(
    told.lints.map(({ code, cell }) => [code, cell]),
    [
      ['absolute_path', 1],
      ['out_of_order', 2],
      ['blocks', 2],
      ['used_before_defined', 2],
      ['absolute_path', 3],
      ['overwrites_its_data', 3],
      ['never_run', 4],
      ['shell', 4],
    ],
  );
});
