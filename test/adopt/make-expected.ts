/**
 * Writes expected.json of the notebooks again: node test/adopt/make-expected.ts [NAME…]
 *
 * Each notebook runs plainly (answers.py) in the pinned packages of its case, plus nbclient. Minutes for all of them.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { testPython } from '../support/python.ts';
import { listCases, makeData } from './cases.ts';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));

const wanted = process.argv.slice(2);
const data = await makeData();
for (const { name, folder, environment, expectedIn, answers } of listCases()) {
  if (!answers || (wanted.length > 0 && !wanted.some((word) => name.includes(word)))) continue;
  const python = await pythonOf(environment ?? expectedIn ?? 'today');
  const { stdout } = await run(python, [join(HERE, 'answers.py'), folder, data], {
    env: { ...process.env, OMP_NUM_THREADS: '2', PYTHONWARNINGS: 'ignore' },
    maxBuffer: 64 * 2 ** 20,
  });
  await writeFile(join(folder, 'expected.json'), stdout);
  process.stdout.write(`${name}\n`);
}

/** The pins, and what runs a notebook; of the same day, so that nothing else moves. */
async function pythonOf(environment: string): Promise<string> {
  const pins = await readFile(join(HERE, 'environments', `${environment}.txt`), 'utf8');
  const version = /^# python: (\S+)/.exec(pins)?.[1] ?? '3.11';
  const lines = pins.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const python = await testPython([...lines, 'nbclient', 'nbformat'], version);
  if (!python) throw new Error(`No environment with Python ${version} could be made`);
  return python;
}
