import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runPython, SKLEARN, testPython } from '../../test/support/python.ts';
import { tempDir } from '../../test/support/temp.ts';

const LIBRARIES = ['xgboost-cpu', 'lightgbm', 'statsmodels', 'imbalanced-learn'];
const python = await testPython([...SKLEARN, ...LIBRARIES]);
const skip = python ? false : 'no Python environment could be built (uv and a package index are needed)';
const script = fileURLToPath(new URL('../../test/support/keep_models.py', import.meta.url));
const env = { PYTHONPATH: fileURLToPath(new URL('../../python', import.meta.url)) };

interface Facts {
  readonly ok: boolean;
  readonly kind?: string;
  readonly flavor?: string;
  readonly features?: readonly string[] | null;
  readonly code?: readonly string[];
}

test('models of every library answer in another process as they did in the kernel', { skip }, async () => {
  const folder = tempDir();
  const facts = JSON.parse(await runPython(python!, [script, 'save', folder], env)) as Record<string, Facts>;
  assert.deepEqual([facts['unfitted_ols']!.kind, facts['unfitted_xgb']!.kind], ['not_fitted', 'not_fitted']);
  assert.deepEqual(
    ['xgb', 'lgb_words', 'ols', 'imblearn', 'own'].map((name) => facts[name]!.flavor),
    ['xgboost', 'lightgbm', 'statsmodels', 'sklearn', 'sklearn'],
  );
  assert.deepEqual(facts['xgb_booster']!.features, ['a', 'b', 'c']);
  assert.equal(facts['xgb_array']!.features, null);
  assert.deepEqual([facts['ols']!.features, facts['logit']!.features], [['a', 'b', 'c'], ['b']]);
  assert.deepEqual(facts['helper']!.code, ['helper', 'second']);
  // The modules beside the notebook are not there where the model is served.
  await rm(join(folder, 'helper.py'));
  await rm(join(folder, 'second.py'));
  const elsewhere = join(tempDir(), 'served');
  await cp(folder, elsewhere, { recursive: true });
  const told = JSON.parse(await runPython(python!, [script, 'load', elsewhere], env)) as Record<string, unknown>;
  const saved = Object.keys(facts).filter((name) => facts[name]!.ok);
  assert.equal(saved.length, 13);
  for (const name of saved) assert.deepEqual(told[name], { answers: 120, same: true, alone: true, errors: [] }, name);
  assert.ok(existsSync(join(elsewhere, 'models/xgb_categories/levain/categories.json')));
});

const FEATURES = `
class Refused(Exception):
    def __init__(self, rows):
        self.rows = rows

def features(df):
    bad = {at: "plan %r was not there in training" % plan for at, plan in enumerate(df["plan"]) if plan == "new"}
    if bad:
        raise Refused(bad)
    if (df["x"] < 0).any():
        raise ValueError("x is negative")
    return df[["x"]]
`;

const RUN = `
import json, sys
import numpy
from sklearn.linear_model import LinearRegression
import pickle
folder = sys.argv[1]
pickle.dump(LinearRegression().fit(numpy.array([[0.0], [1.0]]), [0.0, 2.0]), open(folder + "/m.pkl", "wb"))
from levain_runtime.models import Loaded
loaded = Loaded(folder + "/features.py", folder + "/m.pkl")
calls = []
inner = loaded.features
loaded.features = lambda df: (calls.append(len(df)), inner(df))[1]
def run(x, plan):
    calls.clear()
    results, errors = loaded.run("both", [("x", "f8", numpy.array(x)), ("plan", "text", plan)], len(x))
    values = dict(results).get("predict", [])
    return {"predict": [None if v is None or v != v else round(float(v), 6) for v in values], "errors": errors, "calls": list(calls)}
print(json.dumps([run([1.0, 2.0, 3.0, 4.0], ["a", "new", "a", "new"]), run([1.0, -2.0, 3.0], ["new", "a", "a"]), run([1.0], ["new"])]))
`;

test('rows that features.py refuses leave the others answered, in one further call', { skip }, async () => {
  const folder = tempDir();
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'features.py'), FEATURES);
  const [first, second, third] = JSON.parse(await runPython(python!, ['-c', RUN, folder], env));
  const reason = "plan 'new' was not there in training";
  assert.deepEqual(first, {
    predict: [2, null, 6, null],
    errors: [
      [1, 'RowsRefused', reason],
      [3, 'RowsRefused', reason],
    ],
    calls: [4, 2],
  });
  assert.deepEqual(second.predict, [null, null, 6]);
  assert.deepEqual(second.errors, [
    [0, 'RowsRefused', reason],
    [1, 'ValueError', 'x is negative'],
  ]);
  assert.deepEqual(third, { predict: [], errors: [[0, 'RowsRefused', reason]], calls: [1] });
  assert.match(await readFile(join(folder, 'features.py'), 'utf8'), /class Refused/);
});
