import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runPython, testPython } from '../support/python.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const FORMS = here('./forms');
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

interface Outcome {
  readonly form: string;
  readonly skipped?: string;
  readonly log?: string;
  readonly facts: {
    readonly ok: boolean;
    readonly reason?: string;
    readonly cell?: number;
    readonly notes?: readonly string[];
  } | null;
  readonly proof: { readonly ok: boolean; readonly reason: string | null; readonly testRows: number } | null;
  readonly features?: string;
}

/** Packages of today and of a day in 2021: behaviour of pandas differs between them. The older ones run every third form, to save time. */
const ENVIRONMENTS = [
  ['today', ['pandas', 'scikit-learn', 'ipython', 'scipy', 'imbalanced-learn', 'cloudpickle'], '3.11', 1],
  ['2021', ['pandas==1.2.4', 'numpy==1.20.3', 'scikit-learn==0.24.2', 'scipy==1.6.3', 'ipython==7.24.0'], '3.8', 3],
] as const;

const run = promisify(execFile);

async function outcomes(python: string, forms: readonly string[]): Promise<ReadonlyMap<string, Outcome>> {
  const env = {
    ...process.env,
    PYTHONPATH: `${here('../../python')}:${here('./python')}`,
    PYTHONDONTWRITEBYTECODE: '1',
    MPLBACKEND: 'Agg',
  };
  const { stdout } = await run(python, [here('./python/extracted.py'), FORMS, ...forms], {
    env,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  const lines = stdout.split('\n').filter(Boolean);
  return new Map(lines.map((line) => JSON.parse(line) as Outcome).map((outcome) => [outcome.form, outcome]));
}

const told = (form: string, name: string): string | undefined =>
  readFileSync(`${FORMS}/${form}.py`, 'utf8').match(new RegExp(`^# ${name}: (.*)$`, 'm'))?.[1];

function check(form: string, outcome: Outcome): void {
  const { facts, proof } = outcome;
  assert.ok(facts, outcome.log);
  if (told(form, 'expect') === 'refused') {
    assert.equal(facts.ok && proof?.ok, false);
    assert.match(facts.reason ?? proof?.reason ?? '', new RegExp(told(form, 'says') ?? ''));
    if (told(form, 'cell')) assert.equal(facts.cell, Number(told(form, 'cell')));
    return;
  }
  assert.equal(facts.ok, true, facts.reason);
  assert.equal(proof?.ok, true, proof?.reason ?? undefined);
  assert.ok((proof?.testRows ?? 0) > 1);
  if (told(form, 'notes')) assert.match(facts.notes?.join('\n') ?? '', new RegExp(told(form, 'notes')!));
}

for (const [name, requirements, version, step] of ENVIRONMENTS) {
  describe(`what stands between raw rows and a model is extracted and proved, with packages of ${name}`, async () => {
    const python = await testPython(requirements, version);
    const all = (await readdir(FORMS)).filter((file) => file.endsWith('.py')).sort();
    const forms = all.map((file) => file.replace(/\.py$/, '')).filter((_, at) => at % step === 0);
    const found = python === undefined ? new Map<string, Outcome>() : await outcomes(python, forms);
    for (const form of forms) {
      const outcome = found.get(form);
      const skip = python === undefined ? 'no such environment could be built' : (outcome?.skipped ?? false);
      test(`${form} ${told(form, 'expect') === 'refused' ? 'is refused' : 'is served'}`, { skip }, () => {
        assert.ok(outcome, 'the form left no line');
        check(form, outcome);
      });
    }
  });
}

test('the parts of features.py refuse what they cannot answer and answer the rest', async (t) => {
  const python = await testPython(ENVIRONMENTS[0][1], ENVIRONMENTS[0][2]);
  if (python === undefined) return t.skip('no environment');
  const env = { PYTHONPATH: `${here('../../python')}:${here('./python')}`, PYTHONDONTWRITEBYTECODE: '1' };
  await runPython(python, ['-m', 'unittest', 'test_parts'], env);
});
