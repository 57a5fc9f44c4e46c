import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createPythonWorkers } from '../../src/adapters/python-worker/index.ts';
import { systemClock } from '../../src/adapters/system/index.ts';
import type { AdoptResult, Refused } from '../../src/adopt/types.ts';
import type { PythonWorkers } from '../../src/ports/python-worker.ts';
import { TEST_CACHE } from '../support/python-environment.ts';
import { testLog } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';
import { type Case, expectedOf, layOut, listCases, makeData } from './cases.ts';
import { adoptNotebook } from './drive.ts';
import { answersOf, difference, rawRows } from './rows.ts';

const LIMIT_MS = 600_000;
const PYTHON_PATH = fileURLToPath(new URL('../../python', import.meta.url));

/** `LEVAIN_ADOPT_ONLY=telco,wine` runs those alone. */
const only = process.env['LEVAIN_ADOPT_ONLY']?.split(',');

/** Adopts each of these notebooks, one after the other: the runner has other files to run beside this one. */
export function adoptEach(isMine: (each: Case) => boolean): void {
  const cases = listCases().filter((each) => isMine(each) && (!only || only.some((word) => each.name.includes(word))));
  const root = tempDir('levain-adopt-');
  let data: string;
  let workers: PythonWorkers;
  before(async () => {
    data = await makeData();
    workers = createPythonWorkers({ clock: systemClock, log: testLog(), pythonPath: PYTHON_PATH });
  });
  after(() => workers?.close());
  for (const each of cases) test(titleOf(each), () => adoptOne(each, { data, workers, root }));
}

interface World {
  readonly data: string;
  readonly workers: PythonWorkers;
  readonly root: string;
}

async function adoptOne(each: Case, { data, workers, root }: World): Promise<void> {
  const home = join(root, each.name);
  const [folder, work] = [join(home, basename(each.folder)), join(home, '.work')];
  await mkdir(work, { recursive: true });
  try {
    const source = await layOut(each, data, folder);
    const { last, stderr } = await adoptNotebook({ source, folder, dataDir: TEST_CACHE, work, limitMs: LIMIT_MS });
    assert.ok(last, `it ended without a word: ${stderr}`);
    if (last.t === 'refused') checkRefusal(each, last);
    else await checkModel({ each, result: last, folder, work, workers });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function titleOf({ name, refused, either, model }: Case): string {
  const right = [
    either || !refused ? `answers raw rows as its ${model} does` : [],
    refused ? 'is refused with the reason' : [],
  ];
  return `${name} ${right.flat().join(' or ')}`;
}

function checkRefusal({ refused }: Case, { code, message, hint, cell }: Refused): void {
  const text = `${code}: ${message} ${hint ?? ''}`;
  assert.ok(refused, `refused, though it can be served: ${text} (cell ${cell})`);
  assert.match(text, new RegExp(refused.says, 'i'));
  assert.doesNotMatch(text, /fault of its own|Traceback/);
  if (refused.cell !== undefined) assert.equal(cell, refused.cell, text);
}

interface Served {
  readonly each: Case;
  readonly result: AdoptResult;
  readonly folder: string;
  readonly work: string;
  readonly workers: PythonWorkers;
}

async function checkModel({ each, result, folder, work, workers }: Served): Promise<void> {
  assert.ok(!each.refused || each.either, `served ${result.model.variable}, though it must be refused`);
  const expected = await expectedOf(each);
  const { variable, expression, type } = result.model;
  assert.equal(type.split('.').at(-1), expected.type, `it chose ${variable}`);
  assert.ok([variable, expression].includes(each.model!), `it chose ${variable} (${expression}), not ${each.model}`);
  const rows = await rawRows(each, expected, folder);
  const { batch, alone } = await answersOf(workers, result, rows, work);
  assert.equal(difference(expected, batch), undefined, 'in a batch');
  assert.equal(difference(expected, alone), undefined, 'alone');
}
