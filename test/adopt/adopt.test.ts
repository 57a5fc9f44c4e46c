import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createPythonWorkers } from '../../src/adapters/python-worker/index.ts';
import type { AdoptResult, Refused } from '../../src/adopt/types.ts';
import type { PythonWorkers } from '../../src/ports/python-worker.ts';
import { TEST_CACHE } from '../support/python-environment.ts';
import { testLog } from '../support/system.ts';
import { tempDir } from '../support/temp.ts';
import { type Case, expectedOf, layOut, listCases, makeData } from './cases.ts';
import { adoptNotebook } from './drive.ts';
import { answersOf, difference, rawRows } from './rows.ts';

/** Two cores are what everybody has; a notebook keeps about one of them busy. */
const AT_ONCE = Number(process.env['LEVAIN_ADOPT_AT_ONCE'] ?? 2);
const LIMIT_MS = 600_000;

/** `LEVAIN_ADOPT_ONLY=telco,wine` runs those alone. */
const only = process.env['LEVAIN_ADOPT_ONLY']?.split(',');
const cases = listCases().filter(({ name }) => !only || only.some((word) => name.includes(word)));
const root = tempDir('levain-adopt-');
let data: string;
let workers: PythonWorkers;

before(async () => {
  data = await makeData();
  const pythonPath = fileURLToPath(new URL('../../python', import.meta.url));
  workers = createPythonWorkers({ clock: systemClock(), log: testLog(), pythonPath });
});

after(() => workers?.close());

describe('a notebook is adopted', { concurrency: AT_ONCE }, () => {
  for (const each of cases) {
    test(titleOf(each), async () => {
      const folder = join(root, each.name, basename(each.folder));
      const work = join(root, each.name, '.work');
      await mkdir(work, { recursive: true });
      try {
        const source = await layOut(each, data, folder);
        const { last, stderr } = await adoptNotebook({ source, folder, dataDir: TEST_CACHE, work, limitMs: LIMIT_MS });
        assert.ok(last, `it ended without a word: ${stderr}`);
        if (last.t === 'refused') checkRefusal(each, last);
        else await checkModel(each, last, folder, work);
      } finally {
        await rm(join(root, each.name), { recursive: true, force: true });
      }
    });
  }
});

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

async function checkModel(each: Case, result: AdoptResult, folder: string, work: string): Promise<void> {
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

function systemClock() {
  return { now: Date.now, sleep: (ms: number) => new Promise<void>((done) => setTimeout(done, ms)) };
}
