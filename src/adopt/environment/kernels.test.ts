import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { NOTEBOOK_REQUIREMENTS, pythonEnvironment } from '../../../test/support/python-environment.ts';
import { findKernel } from './kernels.ts';

let root = '';
let python = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'levain-kernels-'));
  python = (await pythonEnvironment(NOTEBOOK_REQUIREMENTS)).environment.python;
  await mkdir(join(root, 'kernels', 'ds'), { recursive: true });
  const argv = [python, '-m', 'ipykernel_launcher', '-f', '{connection_file}'];
  await writeFile(join(root, 'kernels', 'ds', 'kernel.json'), JSON.stringify({ argv, language: 'python' }));
});
after(() => rm(root, { recursive: true, force: true }));

const needs = (...modules: string[]) => modules.map((module) => ({ name: module, module, optional: false }));
const env = () => ({ HOME: root, JUPYTER_PATH: root });

test("the notebook's kernel is found by its name, with the versions of what is installed there", async () => {
  const kernel = await findKernel('ds', needs('pandas', 'sklearn'), [], env());
  assert.equal(kernel?.label, 'the notebook\'s kernel "ds"');
  assert.match(kernel?.python ?? '', /^3\.\d+$/);
  assert.match(kernel?.versions.get('scikit-learn') ?? '', /^\d+\./);
});

test('a kernel that lacks an import is none; an optional one may be missing', async () => {
  assert.equal(await findKernel('ds', needs('pandas', 'xgboost_of_nobody'), [], env()), undefined);
  const optional = [{ name: 'nobody', module: 'xgboost_of_nobody', optional: true }];
  assert.ok(await findKernel('ds', optional, [], env()));
  assert.equal(await findKernel('other', needs('pandas'), [], env()), undefined);
  assert.equal(await findKernel('../ds', needs('pandas'), [], env()), undefined);
});

test('an environment beside the notebook comes first', async () => {
  const beside = join(root, 'project');
  await mkdir(beside, { recursive: true });
  await symlink(dirname(dirname(python)), join(beside, '.venv'));
  const kernel = await findKernel('ds', needs('pandas'), [beside], env());
  assert.equal(kernel?.label, 'the environment .venv beside it');
});
