import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { waitFor } from '../../../test/support/ports.ts';
import { testPython } from '../../../test/support/python.ts';
import { isAppError } from '../../kernel/errors.ts';
import type { Frame } from '../../kernel/frame.ts';
import type { PythonWorkers } from '../../ports/python-worker.ts';
import type { Clock, Log } from '../../ports/system.ts';
import { createPythonWorkers } from './index.ts';

const python = await testPython();
const skip = python ? false : 'no Python environment could be built (uv and a package index are needed)';
const lines: string[] = [];
const log: Log = {
  debug: () => undefined,
  info: (_, fields) => void lines.push(String(fields?.['line'])),
  warn: () => undefined,
  error: () => undefined,
  child: () => log,
};
const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        resolve();
      });
    }),
};

const pythonPath = fileURLToPath(new URL('../../../python', import.meta.url));

const FEATURES = `
import os, time
import pandas as pd

def features(df):
    if (df["x"] == -1).any():
        raise ValueError("x is negative")
    if (df["x"] == -2).any():
        time.sleep(600)
    if (df["x"] == -3).any():
        os._exit(3)
    print("rows", len(df))
    out = pd.DataFrame({"double": df["x"] * 2, "name": df["name"].str.upper(), "size": len(df), "pid": os.getpid()})
    if "when" in df:
        out["hour"] = df["when"].dt.hour
        out["kind"] = str(df["when"].dtype)[:10]
    return out
`;

let folder: string;
let workers: PythonWorkers;
let featuresPath: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'levain-worker-'));
  featuresPath = join(folder, 'features');
  await writeFile(featuresPath, FEATURES);
  workers = createPythonWorkers({
    clock,
    log,
    pythonPath,
    limits: { backoffMs: 1 },
  });
});

after(async () => {
  await workers.close();
  await rm(folder, { recursive: true });
});

const rows = (...x: number[]): Frame => ({
  rowCount: x.length,
  columns: [
    { name: 'x', values: Float64Array.from(x) },
    { name: 'name', values: x.map((v) => (v === 5 ? null : `é${v}`)) },
  ],
});

const column = (frame: Frame, name: string) => Array.from(frame.columns.find((c) => c.name === name)?.values ?? []);

const open = () => workers.load(python!, { featuresPath, types: { x: 'long', when: 'datetime' } });

test('features run on raw rows and text survives', { skip }, async () => {
  const loaded = await open();
  const result = await loaded.run('features', rows(1, 5));
  assert.ok(result.ok);
  assert.deepEqual(column(result.frame, 'double'), [2, 10]);
  assert.deepEqual(column(result.frame, 'name'), ['É1', null]);
  assert.match(loaded.libraries['pandas'] ?? '', /^\d+\./);
  assert.ok(lines.includes('rows 2'), 'what user code prints goes to the log');
  await loaded.close();
});

test('an environment is found by its digest after the data directory has moved', { skip }, async () => {
  const digest = 'ab'.repeat(32);
  const envsDir = join(folder, 'moved', 'envs');
  await mkdir(join(envsDir, digest, 'bin'), { recursive: true });
  await writeFile(join(envsDir, digest, 'bin', 'python'), `#!/bin/sh\nexec '${python}' "$@"\n`, { mode: 0o755 });
  const moved = createPythonWorkers({ clock, log, pythonPath, envsDir, limits: { backoffMs: 1 } });
  const loaded = await moved.load(join(folder, 'before', 'envs', digest, 'bin', 'python'), {
    featuresPath,
    types: { x: 'long', when: 'datetime' },
  });
  const result = await loaded.run('features', rows(1));
  assert.ok(result.ok);
  await moved.close();
});

test('text that repeats comes back as it was', { skip }, async () => {
  const loaded = await open();
  const names = Array.from({ length: 300 }, (_, i) => (i % 7 === 0 ? null : ['ä', '', 'b"\n', '🥐'][i % 4]!));
  const result = await loaded.run('features', {
    rowCount: 300,
    columns: [
      { name: 'x', values: new Float64Array(300).fill(1) },
      { name: 'name', values: names },
    ],
  });
  assert.ok(result.ok);
  assert.deepEqual(
    column(result.frame, 'name'),
    names.map((name) => name?.toUpperCase() ?? null),
  );
  await loaded.close();
});

test('the same code under other types is the same process', { skip }, async () => {
  const [plain, timed] = [await workers.load(python!, { featuresPath }), await open()];
  const frame = { ...rows(1, 2), columns: [...rows(1, 2).columns, { name: 'when', values: Float64Array.of(0, 1) }] };
  const [a, b] = [await plain.run('features', rows(1, 2)), await timed.run('features', frame)];
  assert.ok(a.ok && b.ok);
  assert.deepEqual(column(a.frame, 'pid'), column(b.frame, 'pid'));
  assert.deepEqual(column(b.frame, 'kind'), ['datetime64', 'datetime64']);
  await Promise.all([plain.close(), timed.close()]);
});

test('a datetime column reaches pandas as datetimes', { skip }, async () => {
  const loaded = await open();
  const when = Float64Array.of(Date.UTC(2026, 0, 31, 17), Number.NaN);
  const frame = rows(1, 2);
  const result = await loaded.run('features', {
    rowCount: 2,
    columns: [...frame.columns, { name: 'when', values: when }],
  });
  assert.ok(result.ok);
  assert.deepEqual(column(result.frame, 'hour'), [17, Number.NaN]);
  assert.deepEqual(column(result.frame, 'kind'), ['datetime64', 'datetime64']);
  await loaded.close();
});

test('calls that wait travel as one batch and get their own rows back', { skip }, async () => {
  const loaded = await open();
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => loaded.run('features', rows(i + 10, i + 11))));
  const sizes = answers.map((a, i) => {
    assert.ok(a.ok);
    assert.deepEqual(column(a.frame, 'double'), [2 * i + 20, 2 * i + 22]);
    return Number(column(a.frame, 'size')[0]);
  });
  assert.ok(Math.max(...sizes) > 2, `largest batch ${Math.max(...sizes)}`);
  await loaded.close();
});

test('a row that fails does not take its neighbours along', { skip }, async () => {
  const loaded = await open();
  const [good, mixed, bad] = await Promise.all([
    loaded.run('features', rows(1, 2)),
    loaded.run('features', rows(3, -1, 4)),
    loaded.run('features', rows(-1)),
  ]);
  assert.ok(good?.ok && good.errors === undefined);
  assert.ok(mixed?.ok);
  assert.deepEqual(mixed.errors, [{ row: 1, kind: 'ValueError', message: 'x is negative' }]);
  assert.deepEqual(column(mixed.frame, 'double'), [6, Number.NaN, 8]);
  const whole = { kind: 'ValueError', message: 'x is negative' };
  assert.deepEqual(bad, { ok: false, ...whole, errors: [{ row: 0, ...whole }] });
  await loaded.close();
});

test('rows that the code refuses or leaves out are told with their reasons, all at once, and the others are answered', {
  skip,
}, async () => {
  const path = join(folder, 'refusing');
  await writeFile(
    path,
    `class RowsRefused(ValueError):
    def __init__(self, rows):
        super().__init__("rows")
        self.rows = rows

def features(df):
    bad = df["x"] < 0
    if bad.any():
        raise RowsRefused({int(at): "x is %d" % df["x"][at] for at in df.index[bad]})
    return df[df["x"] < 100]
`,
  );
  const loaded = await workers.load(python!, { featuresPath: path });
  const count = 2_000;
  const many = rows(...Array.from({ length: count }, (_, i) => (i % 3 === 0 ? -i - 1 : i % 3 === 1 ? 100 + i : 1)));
  const result = await loaded.run('features', many);
  assert.ok(result.ok);
  const told = result.errors ?? [];
  assert.equal(told.length, Math.ceil((count * 2) / 3));
  assert.deepEqual(told.slice(0, 2), [
    { row: 0, kind: 'RowsRefused', message: 'x is -1' },
    { row: 1, kind: 'RowsRefused', message: 'features.py leaves this row out' },
  ]);
  const none = await loaded.run('features', rows(-1, -2));
  assert.deepEqual(!none.ok && none.errors?.map(({ message }) => message), ['x is -1', 'x is -2']);
  await loaded.close();
});

test('a deadline kills the worker, fails its own call only, and the next one is answered', { skip }, async () => {
  const loaded = await open();
  await loaded.run('features', rows(1));
  const stuck = loaded.run('features', rows(-2), { deadlineMs: 300 });
  await assert.rejects(stuck, (error) => isAppError(error, 'unavailable') && /300 ms/.test(error.message));
  const next = await loaded.run('features', rows(7));
  assert.ok(next.ok);
  await loaded.close();
});

test('a worker that dies is started again', { skip }, async () => {
  const loaded = await open();
  const first = await loaded.run('features', rows(1));
  await assert.rejects(loaded.run('features', rows(-3)), (error) => isAppError(error, 'unavailable'));
  const second = await loaded.run('features', rows(1));
  assert.ok(first.ok && second.ok);
  assert.notEqual(column(first.frame, 'pid')[0], column(second.frame, 'pid')[0]);
  await loaded.close();
});

test('code that does not load is refused with its Python error', { skip }, async () => {
  const path = join(folder, 'broken');
  await writeFile(path, 'import nothing_like_it\n');
  await assert.rejects(
    workers.load(python!, { featuresPath: path }),
    (error) =>
      isAppError(error, 'invalid') && /ModuleNotFoundError: No module named 'nothing_like_it'/.test(error.message),
  );
});

test('a model that nobody uses any more is warm for those who load it soon, and then ends', { skip }, async () => {
  const short = createPythonWorkers({ clock, log, pythonPath, limits: { idleMs: 300 } });
  const pidOf = async () => {
    const loaded = await short.load(python!, { featuresPath });
    const result = await loaded.run('features', rows(1));
    await loaded.close();
    return result.ok && Number(column(result.frame, 'pid')[0]);
  };
  const pid = await pidOf();
  assert.equal(await pidOf(), pid);
  await waitFor('the end of the process', () => assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' }));
  await short.close();
});
