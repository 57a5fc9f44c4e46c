import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { envelopeOf, levain } from '../support/cli.ts';
import { notebookOf, PENGUIN_CELLS, penguins } from '../support/penguins.ts';
import { tempDir } from '../support/temp.ts';

const run = promisify(execFile);
/** Nothing of the machine's own Levain: every server here takes free ports. */
const env = { LEVAIN_PORT: '0', LEVAIN_GATEWAY_PORT: '0' };

interface Adoption {
  readonly wrote: boolean;
  readonly unchanged?: boolean;
  readonly server: { readonly filed?: { readonly created: boolean } } | null;
  readonly result: { readonly environment: { readonly digest: string } };
}

interface RunData {
  readonly run: { readonly state: string };
  readonly steps: readonly { readonly name: string; readonly state: string; readonly reason: string }[];
  readonly live: { readonly url: string; readonly curl: string } | null;
}

const folder = tempDir('levain-adopt-');
const cli = async <T>(args: readonly string[], ...codes: readonly number[]) => {
  const result = await levain(folder, [...args, '--json'], { env });
  assert.ok(
    (codes.length > 0 ? codes : [0]).includes(result.code),
    `levain ${args.join(' ')}: ${result.stdout}\n${result.stderr}`,
  );
  return { ...envelopeOf<T>(result), stderr: result.stderr };
};

/** What the notebook itself answers for its test rows, run by hand in the environment that adopt found. */
async function answersByHand(digest: string): Promise<Record<string, readonly [label: number, score: number]>> {
  const code = [
    ...PENGUIN_CELLS.map((cell) => cell.replace(/^%.*$/m, '')),
    'import json',
    'p = model.predict_proba(X_test_s)[:, 1]',
  ]
    .join('\n')
    .replace('/content/drive/MyDrive/', '');
  const print = 'print(json.dumps({str(i): [int(a), float(b)] for i, a, b in zip(X_test.index, pred, p)}))';
  const python = join(folder, '.levain', 'envs', digest, 'bin', 'python');
  const { stdout } = await run(python, ['-c', `${code}\n${print}`], { cwd: folder });
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

before(() => {
  writeFileSync(join(folder, 'penguins.csv'), penguins());
  writeFileSync(join(folder, 'penguins.ipynb'), notebookOf(PENGUIN_CELLS));
});
after(() => levain(folder, ['down'], { env }));

test('a notebook that logs nothing goes from nothing to an endpoint that answers raw rows as it did', async (t) => {
  const [notebookBefore, dataBefore] = [
    readFileSync(join(folder, 'penguins.ipynb')),
    readFileSync(join(folder, 'penguins.csv')),
  ];
  const { data: adopted, stderr } = await cli<Adoption>(['adopt', 'penguins.ipynb', '--yes']);
  assert.match(stderr, /cell 9 of 9/);
  assert.equal(adopted.wrote, true);
  assert.equal(adopted.server?.filed?.created, true);
  assert.deepEqual(readFileSync(join(folder, 'penguins.ipynb')), notebookBefore);
  assert.deepEqual(readFileSync(join(folder, 'penguins.csv')), dataBefore);
  const file = readFileSync(join(folder, 'levain.yaml'), 'utf8');
  const reads = '{ /content/drive/MyDrive/penguins.csv: penguins.csv }';
  assert.ok(file.includes(`steps: { train: { notebook: penguins.ipynb, reads: ${reads} } }`), file);
  assert.match(
    file,
    /^model: \{ from: train\.model, features: features\.py, target: \{ column: Sex, positive: MALE \} \}$/m,
  );

  await t.test('adopted again, nothing changes', async () => {
    const again = await cli<Adoption>(['adopt', 'penguins.ipynb', '--yes']);
    assert.equal(again.data.unchanged, true);
    assert.equal(readFileSync(join(folder, 'levain.yaml'), 'utf8'), file);
  });

  await t.test('the run that adopt made counts, and the version goes live', async () => {
    const { data } = await cli<RunData>(['run', '--yes']);
    const train = data.steps.find(({ name }) => name === 'train');
    assert.equal(train?.state, 'cached');
    assert.match(train?.reason ?? '', /^cached, adopt ran it at /);
    assert.match(data.live?.curl ?? '', /^curl -s http:.*\/infer /);
    const again = await cli<RunData>(['run', '--yes']);
    assert.equal(again.data.run.state, 'succeeded');
    assert.ok(again.data.live?.url);
  });

  await t.test("its answers are the notebook's own", async () => {
    interface Answer {
      readonly answer: { readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[] };
    }
    const byHand = await answersByHand(adopted.result.environment.digest);
    const rows = Object.keys(byHand).slice(0, 4);
    assert.ok(rows.length > 0);
    for (const row of rows) {
      const { data } = await cli<Answer>(['predict', 'penguins', '--row', row]);
      const outputs = Object.fromEntries(data.answer.outputs.map((output) => [output.name, output.data]));
      const [label, score] = byHand[row]!;
      assert.equal(Number(outputs['predict']?.[0]), label, JSON.stringify(outputs));
      assert.ok(
        Math.abs((outputs['predict_proba']?.[1] ?? Number.NaN) - score) < 1e-9,
        `${JSON.stringify(outputs)} ${score}`,
      );
    }
  });

  await t.test('with more rows the same notebook trains again, where its paths lead', async () => {
    const lines = dataBefore.toString().trimEnd().split('\n');
    writeFileSync(join(folder, 'penguins.csv'), `${[...lines, ...lines.slice(-6)].join('\n')}\n`);
    // The gate may say either: some test rows of the first version are the second one's too.
    const { data } = await cli<RunData>(['run', '--data', 'latest'], 0, 6, 8);
    const train = data.steps.find(({ name }) => name === 'train');
    assert.deepEqual([train?.state, train?.reason], ['ok', 're-ran because data penguins changed']);
    assert.match(data.steps.find(({ name }) => name === 'register')?.reason ?? '', /penguins@v2 registered/);
  });
});

test('a refusal names cell and reason, and leaves nothing', async () => {
  const other = tempDir('levain-refused-');
  writeFileSync(join(other, 'plots.ipynb'), notebookOf(['import math\nprint(math.pi)']));
  const result = await levain(other, ['adopt', '--yes', '--json'], { env });
  assert.notEqual(result.code, 0);
  assert.match(envelopeOf(result).error?.message ?? '', /model/);
  assert.deepEqual(
    readdirSync(other).filter((name) => name !== '.levain'),
    ['plots.ipynb'],
  );
  assert.equal(existsSync(join(other, '.levain', 'server.json')), false);
});
