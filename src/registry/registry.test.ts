import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testDb } from '../../test/support/db.ts';
import { closePipelines, pipelinesDeps } from '../../test/support/pipelines.ts';
import { runPython, SKLEARN, testPython } from '../../test/support/python.ts';
import { tempDir } from '../../test/support/temp.ts';
import { LOCAL } from '../../test/support/tracking.ts';
import { cutDigest, gateRows, gateSplitOf, materialise, syncDataset } from '../data/index.ts';
import { type AppError, isAppError } from '../kernel/errors.ts';
import { parseProjectFile } from '../project-file/index.ts';
import { listFiles, openFile } from './files.ts';
import {
  approve,
  assertDeployable,
  type Candidate,
  decideAfterGate,
  findHold,
  getVersion,
  openServable,
  type RegistryDeps,
  registerCandidate,
  registerRehearsal,
  reject,
  resume,
  runGate,
  setChampionIn,
  setHold,
} from './index.ts';
import { seeded } from './scoring.ts';

const FEATURES = `import pandas as pd

def features(df):
    at = pd.to_datetime(df["at"])
    return pd.DataFrame({"hour": at.dt.hour.astype("float64"), "distance": df["distance"].astype("float64"), "origin": df["origin"]}, index=df.index)
`;

const FILE = `name: trips
data:
  trips: { from: trips.csv, time: at }
steps:
  train: { run: python train.py }
model:
  from: train
  features: features.py
  target: { column: delay, positive: "> 15" }
  gate: { rows: newest 30%, slices: [origin] }
`;

/** Trips that are late by the hour and by the origin, and a column that nothing needs. */
function tripsCsv(rows: number): string {
  const random = seeded(11);
  const lines = ['at,delay,distance,origin,carrier'];
  for (let i = 0; i < rows; i++) {
    const at = Date.UTC(2001, 0, 1) + i * 60_000;
    const origin = ['ORD', 'ATL', 'LAX', 'SEA'][Math.floor(random() * 4)]!;
    const hour = new Date(at).getUTCHours();
    const p = 0.05 + 0.5 * Number(hour > 15) + 0.3 * Number(origin === 'ORD');
    const delay = random() < p ? 16 + Math.floor(random() * 100) : Math.floor(random() * 30) - 20;
    lines.push(
      `${new Date(at).toISOString().slice(0, 19)},${delay},${Math.floor(random() * 2000)},${origin},C${Math.floor(random() * 5)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

const FIT_DISTANCE = `import os, pickle, sys
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
csv, folder = sys.argv[1:3]
df = pd.read_csv(csv)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, (df["delay"] > 15).astype(int))
os.makedirs(folder)
pickle.dump(model, open(os.path.join(folder, "model.pkl"), "wb"))
open(os.path.join(folder, "MLmodel"), "w").write("flavors:\\n  sklearn:\\n    pickled_model: model.pkl\\n    serialization_format: cloudpickle\\n")
`;

const python = await testPython(SKLEARN);
const file = parseProjectFile(FILE, 'levain.yaml');

describe('registering versions', { skip: python ? false : 'no Python environment could be built with uv' }, () => {
  let deps: RegistryDeps;
  let close: () => Promise<void>;
  let folder: string;

  before(async () => {
    const pipelines = await pipelinesDeps(await testDb());
    deps = pipelines.registry;
    close = () => closePipelines(pipelines);
    folder = tempDir();
    await writeFile(join(folder, 'trips.csv'), tripsCsv(12_000));
    await writeFile(join(folder, 'features.py'), FEATURES);
  });
  after(() => close());

  async function candidate(rows: number, more: Partial<Candidate> = {}): Promise<Candidate> {
    const section = file.data['trips']!;
    const { version } = await syncDataset(deps.data, LOCAL, { name: 'trips', section, folder });
    const split = gateSplitOf(section, file.model!.gate.rows);
    const cut = { versionId: version.id, section, split, asOf: null };
    const trainingFile = join(tempDir(), 'trips.csv');
    await materialise(deps.data, { ...cut, to: trainingFile });
    const model = join(tempDir(), 'model');
    const script = fileURLToPath(new URL('../../test/support/fit_delays.py', import.meta.url));
    await runPython(python!, [script, trainingFile, model, String(rows), folder]);
    const modelFiles = [];
    for (const path of await readdir(model))
      modelFiles.push({ path, ...(await deps.content.putFile(join(model, path))) });
    const features = await deps.content.putFile(join(folder, 'features.py'));
    return {
      model: 'trips',
      pipeline: 'trips',
      pipelineRunId: 'run-1',
      runId: 'tracked-1',
      modelFiles,
      featuresDigest: features.digest,
      env: { digest: 'e'.repeat(64) },
      python: python!,
      data: [{ dataset: 'trips', version: version.version, ...cut, cutDigest: await cutDigest(deps, cut) }],
      sourceDigest: 's'.repeat(64),
      fileDigest: 'f'.repeat(64),
      section: file.model!,
      metrics: { log_loss: 0.5, broken: Number.NaN },
      draft: false,
      retrain: false,
      trainingFile,
      gate: { ...(await gateRows(deps.data, { ...cut, limit: 10_000, seed: 1 })), cut },
      coding: null,
      ...more,
    };
  }

  test('a version answers raw rows as the training environment does, and passes the gate against the base rate', async () => {
    const offered = await candidate(8_000);
    const { version, created } = await registerCandidate(deps, LOCAL, offered);
    assert.ok(created);
    assert.equal(version.facts.engine?.kind, 'levain', version.facts.engine?.reason);
    assert.ok(
      version.facts.parity!.rows > 100 &&
        version.facts.parity!.maxDifference <= 1e-9 &&
        version.facts.parity!.flips === 0,
    );
    const inputs = version.spec!.signature.inputs.map(({ name, type }) => `${name} ${type}`);
    assert.deepEqual(inputs.sort(), ['at datetime', 'distance double', 'origin string']);
    assert.deepEqual(version.facts.metrics, { log_loss: 0.5 });
    const { items, flavors } = await listFiles(deps, LOCAL, { model: 'trips', version: 1 });
    assert.deepEqual(items.map(({ path, role }) => `${path} ${role}`).sort(), [
      'MLmodel model',
      'features.py features',
      'model.pkl model',
    ]);
    assert.deepEqual(flavors, [{ name: 'sklearn', version: null }]);
    const opened = await openFile(deps, LOCAL, { model: 'trips', version: 1, path: 'features.py' });
    assert.equal(await textOf(opened.body), FEATURES);
    await assert.rejects(openFile(deps, LOCAL, { model: 'trips', version: 1, path: '../MLmodel' }), /has no file/);

    const verdict = await runGate(deps, LOCAL, { model: 'trips', version: 1, sample: offered.gate });
    assert.equal(verdict.outcome, 'passed', verdict.sentence);
    assert.ok(verdict.challenger! < verdict.champion! && verdict.difference!.low > 0);
    assert.ok(verdict.slices.length >= 4);

    const waiting = await decideAfterGate(deps, LOCAL, { model: 'trips', version: 1 });
    assert.equal(waiting.approval, 'waiting');
    await assert.rejects(assertDeployable(deps, LOCAL, { model: 'trips', version: 1 }), /not approved/);
    await approve(deps, LOCAL, { model: 'trips', version: 1, reason: 'looks right' });
    await assertDeployable(deps, LOCAL, { model: 'trips', version: 1 });
    await deps.db.write((tx) => setChampionIn(tx, deps, { projectId: LOCAL.projectId, model: 'trips', version: 1 }));
    assert.deepEqual((await getVersion(deps, LOCAL, { model: 'trips', version: 'champion' })).aliases, ['champion']);
    await assert.rejects(reject(deps, LOCAL, { model: 'trips', version: 1 }), /trips@v1 is the champion; .*rollback/);
  });

  test('the same model on the same data is the same version', async () => {
    const again = await registerCandidate(deps, LOCAL, await candidate(8_000));
    assert.equal(again.created, false);
    assert.equal(again.version.version, 1);
  });

  test('a model without a signature takes the columns that it was fitted on, and says so where it names none', async () => {
    const fitted = async (rows: string): Promise<Partial<Candidate>> => {
      const model = join(tempDir(), 'model');
      await runPython(python!, ['-c', FIT_DISTANCE.replace('ROWS', rows), join(folder, 'trips.csv'), model]);
      const modelFiles = [];
      for (const path of await readdir(model))
        modelFiles.push({ path, ...(await deps.content.putFile(join(model, path))) });
      return { model: 'distances', modelFiles, featuresDigest: null, section: { ...file.model!, features: null } };
    };
    const named = await candidate(500, await fitted('df[["distance"]]'));
    const { version } = await registerCandidate(deps, LOCAL, named);
    assert.deepEqual(version.spec!.signature.inputs, [{ name: 'distance', type: 'double', required: true }]);
    const positional = await candidate(500, await fitted('df[["distance"]].to_numpy()'));
    await assert.rejects(registerCandidate(deps, LOCAL, positional), (error) => {
      assert.match(String((error as AppError).details?.['hint']), /without a signature.*infer_signature/);
      return isAppError(error, 'invalid');
    });
  });

  test('a challenger that has no answer to rows fails, however good it is on the others', async () => {
    const dropping = FEATURES.replace(
      '    return',
      '    df, at = df[df["distance"] > 200], at[df["distance"] > 200]\n    return',
    );
    const { digest } = await deps.content.put(Buffer.from(dropping));
    const offered = await candidate(8_000, { featuresDigest: digest });
    const { version } = await registerCandidate(deps, LOCAL, offered);
    const verdict = await runGate(deps, LOCAL, { model: 'trips', version: version.version, sample: offered.gate });
    assert.equal(verdict.outcome, 'failed', verdict.sentence);
    assert.match(verdict.sentence, /; no answer to [\d,]+ of [\d,]+ rows \(features\.py leaves this row out\)$/);
  });

  test('a challenger trained on 500 rows fails the gate and cannot be approved', async () => {
    const offered = await candidate(500, { retrain: true });
    const { version } = await registerCandidate(deps, LOCAL, offered);
    const verdict = await runGate(deps, LOCAL, { model: 'trips', version: version.version, sample: offered.gate });
    assert.equal(verdict.outcome, 'failed', verdict.sentence);
    assert.equal(verdict.championVersion, 1);
    const decided = await decideAfterGate(deps, LOCAL, { model: 'trips', version: version.version });
    assert.equal(decided.approval, 'not_needed');
    await assert.rejects(approve(deps, LOCAL, { model: 'trips', version: version.version }), /cannot be approved/);
  });

  test('rows that the champion was trained on refuse the comparison', async () => {
    const offered = await candidate(8_000);
    const everything = { ...offered.data[0]!, split: null };
    const champion = await registerCandidate(deps, LOCAL, {
      ...offered,
      data: [{ ...everything, cutDigest: await cutDigest(deps, everything) }],
    });
    await deps.db.write((tx) =>
      setChampionIn(tx, deps, { projectId: LOCAL.projectId, model: 'trips', version: champion.version.version }),
    );
    const challenger = await registerCandidate(deps, LOCAL, await candidate(4_000));
    const verdict = await runGate(deps, LOCAL, {
      model: 'trips',
      version: challenger.version.version,
      sample: offered.gate,
    });
    assert.equal(verdict.outcome, 'refused');
    assert.match(verdict.sentence, /champion trained on 3,600 of these rows/);
    await deps.db.write((tx) => setChampionIn(tx, deps, { projectId: LOCAL.projectId, model: 'trips', version: 1 }));
  });

  test('a rehearsal version is the champion with its fault', async () => {
    const version = await registerRehearsal(deps, LOCAL, {
      model: 'trips',
      rehearsal: 'r1',
      fault: { kind: 'constant', value: 0.9 },
    });
    assert.equal(version.facts.madeOf?.version, 1);
    const servable = await openServable(deps, version.spec!);
    const gate = (await candidate(500)).gate!;
    const outputs = await servable.predict(gate.frame);
    await servable.close();
    assert.ok(outputs.scores.every((score) => score === 0.9));
  });

  test('a held model waits for a person and says so until it is resumed', async () => {
    await setHold(deps, LOCAL, { model: 'trips', reason: 'rolled back' });
    assert.equal((await findHold(deps, LOCAL.projectId, 'trips'))?.reason, 'rolled back');
    await resume(deps, LOCAL, { model: 'trips' });
    await assert.rejects(resume(deps, LOCAL, { model: 'trips' }), /is not held/);
  });
});
