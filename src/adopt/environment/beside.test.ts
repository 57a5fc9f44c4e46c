import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { findDeclared, toRequirement } from './beside.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'levain-beside-'));
});
after(() => rm(root, { recursive: true, force: true }));

const FILES: Readonly<Record<string, readonly [text: string, lines: readonly string[], python: string | null]>> = {
  'requirements.txt': [
    '# data\npandas==1.1.5  # old\n-r other.txt\nnumpy >= 1.18, < 2\nscikit-learn[alldeps]==0.24; python_version > "3"\ngit+https://x/y\n',
    ['pandas==1.1.5', 'numpy>=1.18,<2', 'scikit-learn==0.24'],
    null,
  ],
  'environment.yml': [
    'name: x\ndependencies:\n  - python=3.8.5\n  - conda-forge::pandas=1.2.4=py38_0\n  - numpy>=1.18\n  - scikit-learn\n  - pip:\n    - xgboost==1.4.2\n',
    ['pandas==1.2.4', 'numpy>=1.18', 'scikit-learn', 'xgboost==1.4.2'],
    '3.8',
  ],
  Pipfile: [
    '[packages]\npandas = "==1.3.0"\nnumpy = "*"\nseaborn = {version = ">=0.11"}\n\n[requires]\npython_version = "3.9"\n',
    ['pandas==1.3.0', 'numpy', 'seaborn>=0.11'],
    '3.9',
  ],
  'Pipfile.lock': [
    '{"_meta": {"requires": {"python_version": "3.8"}}, "default": {"pandas": {"version": "==1.2.0"}}}',
    ['pandas==1.2.0'],
    '3.8',
  ],
  'pyproject.toml': [
    '[project]\nname = "x"\nrequires-python = ">=3.8,<3.11"\ndependencies = [\n  "pandas[excel]>=1.5,<2",\n  "scikit-learn==1.2.0",\n]\n',
    ['pandas>=1.5,<2', 'scikit-learn==1.2.0'],
    '3.10',
  ],
  'poetry.lock': [
    '[[package]]\nname = "pandas"\nversion = "1.4.1"\n\n[metadata]\npython-versions = "^3.9"\n',
    ['pandas==1.4.1'],
    null,
  ],
};

for (const [name, [text, lines, python]] of Object.entries(FILES)) {
  test(`${name} says which packages, in which versions`, async () => {
    const folder = await mkdtemp(join(root, 'p-'));
    await writeFile(join(folder, name), text);
    assert.deepEqual(await findDeclared([folder]), { file: name, lines, python });
  });
}

test('a broken file is as good as none, and the Python may stand in a file of its own', async () => {
  const folder = await mkdtemp(join(root, 'p-'));
  await writeFile(join(folder, 'Pipfile.lock'), '{');
  await writeFile(join(folder, '.python-version'), '3.9.7\n');
  assert.equal(await findDeclared([folder]), undefined);
  await writeFile(join(folder, 'requirements.txt'), 'pandas\n');
  assert.equal((await findDeclared([folder]))?.python, '3.9');
});

test('what is no plain requirement does not count', () => {
  for (const line of ['-e .', './x.whl', 'https://a/b.whl', 'pandas @ https://a/b', '--index-url x', ''])
    assert.equal(toRequirement(line), undefined, line);
});
