import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runPython } from '../support/python.ts';
import { NOTEBOOK_REQUIREMENTS, pythonEnvironment } from '../support/python-environment.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

let python = '';
before(async () => {
  python = (await pythonEnvironment(NOTEBOOK_REQUIREMENTS)).environment.python;
});

describe('the trace of a notebook', () => {
  for (const [module, what] of [
    ['test_trace', 'sees what a cell does without being seen'],
    ['test_candidates', 'tells which fitted object is the model that is meant'],
    ['test_target', 'tells the column that is the target, or why none is'],
    ['test_compare', 'tells which stored outputs differ'],
  ] as const) {
    test(`${what}`, async () => {
      const env = { PYTHONPATH: `${here('../../python')}:${here('./python')}`, PYTHONDONTWRITEBYTECODE: '1' };
      await assert.doesNotReject(runPython(python, ['-m', 'unittest', module], env));
    });
  }
});
