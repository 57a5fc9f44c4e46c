/**
 * Contributions of a row's columns beside the shap package, same models, same rows, same 100 background rows, one thread: `node bench/engines/contributions.bench.ts`.
 * Prints µs of CPU a row and the ratio; read the ratio. "same" is shap's interventional TreeSHAP, which asks what we ask; "path-dependent" needs no background rows.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AdditiveModel, additiveModelOf } from '../../src/engines/contributions-additive.ts';
import { convertBytes } from '../../src/engines/convert.ts';
import { readEngine } from '../../src/engines/engine-file.ts';
import type { Frame } from '../../src/kernel/frame.ts';
import { runPython, SKLEARN, testPython } from '../../test/support/python.ts';

type Rows = readonly (readonly number[])[];

interface Result {
  readonly name: string;
  readonly file: string;
  readonly background: Rows;
  readonly rows: Rows;
  readonly values: Rows;
  readonly times: Readonly<Record<string, number>>;
}

const python = await testPython([...SKLEARN, 'shap']);
if (!python) throw new Error('The benchmark needs uv and a package index for scikit-learn and shap');
const folder = await mkdtemp(join(tmpdir(), 'levain-bench-'));
try {
  await runPython(python, [fileURLToPath(new URL('explain.py', import.meta.url)), folder]);
  const results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')) as Result[];
  console.log('model | levain µs | shap | shap µs | times faster');
  for (const result of results) await report(result);
} finally {
  await rm(folder, { recursive: true });
}

async function report(result: Result): Promise<void> {
  const converted = convertBytes(await readFile(result.file));
  if (converted.engine !== 'levain') throw new Error(converted.reason);
  const model = additiveModelOf(readEngine(converted.bytes), new Set())!;
  const others = frameOf(result.background);
  const ours = await medianUs(model, result, others);
  for (const [how, theirs] of Object.entries(result.times))
    console.log(`${result.name} | ${ours.toFixed(0)} | ${how} | ${theirs.toFixed(0)} | ${(theirs / ours).toFixed(2)}`);
  console.log(
    `  largest difference from shap on the same background: ${(await worst(model, result, others)).toExponential(1)}`,
  );
}

function explain(model: AdditiveModel, row: readonly number[], others: Frame) {
  return model.explain(frameOf([row]), others, { index: 1, background: others.rowCount });
}

async function medianUs(model: AdditiveModel, { rows }: Result, others: Frame): Promise<number> {
  for (let i = 0; i < 5; i++) await explain(model, rows[i]!, others);
  const times: number[] = [];
  const end = performance.now() + 1_500;
  while (performance.now() < end || times.length < 7) {
    const before = process.cpuUsage();
    await explain(model, rows[times.length % rows.length]!, others);
    const { user, system } = process.cpuUsage(before);
    times.push(user + system);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}

async function worst(model: AdditiveModel, { rows, values }: Result, others: Frame): Promise<number> {
  let most = 0;
  for (const [i, row] of rows.entries()) {
    const found = (await explain(model, row, others))!;
    for (const [j, value] of found.values.entries()) most = Math.max(most, Math.abs(value - values[i]![j]!));
  }
  return most;
}

function frameOf(rows: Rows): Frame {
  return {
    rowCount: rows.length,
    columns: rows[0]!.map((_, j) => ({ name: `x${j}`, values: Float64Array.from(rows, (row) => row[j]!) })),
  };
}
