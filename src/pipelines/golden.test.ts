import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { applyFolder, notebookWorld, projectFolder, runToEnd, writeProjectFile } from '../../test/support/pipelines.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import { getVersion } from '../registry/index.ts';
import { getRun } from '../tracking/index.ts';
import type { PipelinesDeps } from './index.ts';

let deps: PipelinesDeps;
let lock = '';
let stop: () => Promise<void>;
before(async () => {
  ({ deps, lock, stop } = await notebookWorld());
});
after(() => stop());

const LEVAIN = `
name: churn
params: { c: 1.0 }
data: { churn: { from: churn.csv, key: id } }
steps:
  prepare: { run: python prepare.py, in: [data:churn, prepare.py], out: [clean.csv] }
  train: { notebook: train.ipynb, in: [clean.csv] }
model:
  from: train.clf
  target: { column: churned, positive: "yes" }
  gate: { rows: hash 20% }
  approve: { first: auto }
`;

const PREPARE = `
import pandas as pd
frame = pd.read_csv("churn.csv")
frame.dropna().to_csv("clean.csv", index=False)
print(len(frame), "rows")
`;

const TRAIN = [
  'import pandas as pd\nfrom sklearn.linear_model import LogisticRegression',
  'frame = pd.read_csv("clean.csv")\nX, y = frame[["age", "usage"]], frame["churned"]',
  'clf = LogisticRegression(C=c).fit(X, y)\nclf.score(X, y)',
];

/** 600 rows in which usage tells who leaves; deterministic. */
function churnCsv(rows = 600): string {
  let seed = 7;
  const random = () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return seed / 2 ** 31;
  };
  const lines = Array.from({ length: rows }, (_, i) => {
    const [age, usage] = [Math.round(20 + 50 * random()), Math.round(1000 * random()) / 10];
    return `${i},${age},${usage},${usage + 20 * (random() - 0.5) < 45 ? 'yes' : 'no'}`;
  });
  return `id,age,usage,churned\n${lines.join('\n')}\n`;
}

test('a notebook becomes a gated version; the same again is cached; a failing cell and a dying kernel register nothing', async () => {
  const folder = await projectFolder({
    'levain.yaml': LEVAIN,
    'requirements.lock': lock,
    'prepare.py': PREPARE,
    'train.ipynb': TRAIN,
    'churn.csv': churnCsv(),
  });
  await applyFolder(deps, folder, ['churn.csv']);
  const first = await runToEnd(deps, { pipeline: 'churn' });
  assert.equal(
    first.run.state,
    'succeeded',
    JSON.stringify({ failure: first.run.failure, summary: first.run.summary }),
  );
  assert.match(first.run.summary ?? '', /^churn@v1 registered; /);
  assert.match(first.steps['data:churn']?.reason ?? '', /^churn v1, 600 rows; new$/);
  const version = await getVersion(deps.registry, LOCAL, { model: 'churn', version: 1 });
  assert.equal(version.gate?.outcome, 'passed', version.gate?.sentence);
  assert.equal(version.approval, 'approved');
  assert.equal(version.facts.data[0]?.dataset, 'churn');
  const tracked = await getRun(deps.tracking, LOCAL, version.runId!);
  assert.equal(tracked.status, 'FINISHED');
  const tags = Object.fromEntries(tracked.tags.map(({ key, value }) => [key, value]));
  assert.equal(tags['levain.pipeline_run'], first.run.id);
  const executed = JSON.parse(
    Buffer.from(await deps.content.bytes(first.steps['train']!.outputs!.notebook!.digest, 1e6)).toString(),
  );
  assert.equal(executed.cells[0].source, '# Parameters\nc = 1\n');

  const second = await runToEnd(deps, { pipeline: 'churn', dataMode: 'latest' });
  assert.match(second.steps['data:churn']?.reason ?? '', /the source has not changed/);
  assert.deepEqual([second.steps['prepare']?.state, second.steps['train']?.state], ['cached', 'cached']);
  assert.match(second.steps['train']?.reason ?? '', /^cached from run .{7}: same notebook, environment$/);
  assert.match(second.steps['register']?.reason ?? '', /churn@v1 is this model already/);
  assert.equal(second.run.version, 1);

  await writeProjectFile(folder, 'train.ipynb', [...TRAIN.slice(0, 2), 'frame["no such column"]']);
  await applyFolder(deps, folder, ['churn.csv']);
  const failing = await runToEnd(deps, { pipeline: 'churn' });
  assert.equal(failing.run.state, 'failed');
  assert.equal(failing.run.failure?.kind, 'cell');
  assert.match(failing.run.failure?.message ?? '', /^train\.ipynb, cell 4 of 4: KeyError: 'no such column'/);
  assert.equal(failing.steps['train']?.reason, 're-ran because train.ipynb changed');
  assert.equal(failing.steps['register']?.state, 'skipped');
  const failedRun = await getRun(deps.tracking, LOCAL, failing.steps['train']!.outputs!.trackedRuns![0]!);
  assert.equal(failedRun.status, 'FAILED');

  await writeProjectFile(folder, 'train.ipynb', [...TRAIN, 'import os; os._exit(9)']);
  await applyFolder(deps, folder, ['churn.csv']);
  const dying = await runToEnd(deps, { pipeline: 'churn' });
  assert.equal(dying.run.failure?.kind, 'kernel_died');
  assert.match(dying.run.failure?.message ?? '', /cell 5 of 5: the kernel ended by itself with exit code 9/);
  await assert.rejects(getVersion(deps.registry, LOCAL, { model: 'churn', version: 2 }), { code: 'not_found' });
  assert.ok((await readFile(join(folder, 'churn.csv'), 'utf8')).startsWith('id,age'), 'the source is untouched');
});

test('a broken contract refuses the run, with the rows that broke it', async () => {
  const folder = await projectFolder({
    'levain.yaml':
      'name: strict\ndata: { people: { from: people.csv, expect: { age: { type: number, between: [0, 120] } } } }\nsteps: { a: { run: "true" } }\n',
    'people.csv': 'id,age\n1,30\n2,400\n',
  });
  await applyFolder(deps, folder, ['people.csv']);
  const { run, steps } = await runToEnd(deps, { pipeline: 'strict' });
  assert.equal(run.state, 'refused');
  assert.equal(run.failure?.kind, 'contract');
  assert.match(run.failure?.logTail.join('\n') ?? '', /people\.csv:2 .*400/);
  assert.equal(steps['a']?.state, 'skipped');
});
