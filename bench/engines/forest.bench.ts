/**
 * Our engines beside scikit-learn, same models, same rows, same machine, one thread: `node bench/engines/forest.bench.ts`.
 * Prints µs a call and the ratio; read the ratio.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertBytes } from '../../src/engines/convert.ts';
import { readEngine } from '../../src/engines/engine-file.ts';
import { compileModel } from '../../src/engines/predictor.ts';
import type { Column, Frame } from '../../src/kernel/frame.ts';
import { runPython, testPython } from '../../test/support/python.ts';

interface Result {
  readonly name: string;
  readonly file: string;
  readonly rowCount: number;
  readonly columns: readonly Column[];
  readonly times: Readonly<Record<string, number>>;
}

const python = await testPython();
if (!python) throw new Error('The benchmark needs uv and a package index for scikit-learn');
const folder = await mkdtemp(join(tmpdir(), 'levain-bench-'));
try {
  await runPython(python, [fileURLToPath(new URL('fit.py', import.meta.url)), folder]);
  const results = JSON.parse(await readFile(join(folder, 'results.json'), 'utf8')) as Result[];
  console.log('model | rows | levain µs | scikit-learn µs | times faster');
  for (const result of results) await report(result);
} finally {
  await rm(folder, { recursive: true });
}

async function report(result: Result): Promise<void> {
  const start = performance.now();
  const converted = convertBytes(await readFile(result.file));
  if (converted.engine !== 'levain') throw new Error(converted.reason);
  const convertMs = performance.now() - start;
  const predict = compileModel(readEngine(converted.bytes));
  for (const rows of [1, 100, 5000]) {
    const frame = head(result, rows);
    const ours = medianUs(() => predict(frame));
    const theirs = result.times[String(rows)]!;
    console.log(`${result.name} | ${rows} | ${ours.toFixed(1)} | ${theirs.toFixed(0)} | ${(theirs / ours).toFixed(1)}`);
  }
  console.log(
    `  read and converted in ${convertMs.toFixed(0)} ms, engine of ${(converted.bytes.length / 2 ** 20).toFixed(2)} MiB`,
  );
}

/** Numbers as the signature check hands them over: Float64Array. */
function head({ columns }: Result, rowCount: number): Frame {
  return {
    rowCount,
    columns: columns.map(({ name, values }) => {
      const part = values.slice(0, rowCount);
      return { name, values: part.every((v) => typeof v === 'number') ? Float64Array.from(part) : part };
    }),
  };
}

/** Median over repeated blocks, each long enough for the clock. */
function medianUs(run: () => unknown): number {
  for (let i = 0; i < 50; i++) run();
  const times: number[] = [];
  const end = performance.now() + 600;
  while (performance.now() < end || times.length < 7) {
    const repeats = times.length > 0 ? Math.max(1, Math.ceil(1000 / Math.max(1, times[0]!))) : 1;
    const start = performance.now();
    for (let i = 0; i < repeats; i++) run();
    times.push(((performance.now() - start) * 1000) / repeats);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
