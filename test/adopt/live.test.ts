import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Cell } from '../../src/kernel/frame.ts';
import { envelopeOf, levain, startUp, type Up } from '../support/cli.ts';
import { tempDir } from '../support/temp.ts';
import { type Case, expectedOf, layOut, listCases, makeData } from './cases.ts';
import { type Answer, difference, rawRows } from './rows.ts';

/** One of each sort goes all the way; adopt.test.ts has the others up to their proof. */
const ALL_THE_WAY = ['diamonds-xgboost', 'tate-text-pipeline', 'penguins-svc', 'wage-manual-scaling', 'telco-pipeline'];

interface Output {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: readonly Cell[];
}

const root = tempDir('levain-adopt-live-');
const cases = listCases().filter(({ name }) => ALL_THE_WAY.includes(name));
let data: string;
let up: Up;

before(async () => {
  data = await makeData();
  up = await startUp(root);
});
after(() => up?.end('SIGTERM'));

async function run<T>(folder: string, args: readonly string[]): Promise<T> {
  const result = await levain(folder, [...args, '--json'], { env: { LEVAIN_URL: up.url } });
  assert.equal(result.code, 0, `levain ${args.join(' ')}: ${result.stdout}\n${result.stderr}`);
  return envelopeOf<T>(result).data;
}

for (const each of cases) {
  test(`${each.name}: adopt and run bring it to an endpoint that answers raw rows as the notebook does`, async () => {
    const folder = join(root, each.name);
    await layOut(each, data, folder);
    await run(folder, ['adopt', each.notebook, '--name', each.name, '--yes']);
    const { live } = await run<{ live: { url: string } | null }>(folder, ['run', '--yes']);
    assert.ok(live?.url);
    await checkAnswers(each, folder);
  });
}

async function checkAnswers(each: Case, folder: string): Promise<void> {
  const expected = await expectedOf(each);
  const rows = await rawRows(each, expected, folder);
  for (const [name, asked] of [
    ['rows.json', rows],
    ['row.json', rows.slice(0, 1)],
  ] as const) {
    await writeFile(join(folder, name), JSON.stringify(asked));
    const { answer } = await run<{ answer: { outputs: readonly Output[] } }>(folder, [
      'predict',
      each.name,
      '--json-file',
      name,
    ]);
    assert.equal(difference(expected, toAnswers(answer.outputs)), undefined, name);
  }
}

function toAnswers(outputs: readonly Output[]): Answer[] {
  const labels = outputs.find(({ name }) => name === 'predict')!.data;
  const scores = outputs.find(({ name }) => name === 'predict_proba');
  const width = scores?.shape[1] ?? 0;
  return labels.map((predict, at) => ({ predict, proba: scores?.data.slice(at * width, (at + 1) * width) ?? [] }));
}
