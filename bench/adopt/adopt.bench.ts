/**
 * How many notebooks of a folder `levain adopt` brings to a proven model, what it refuses and why, and what it costs.
 *
 *     node bench/adopt/adopt.bench.ts FOLDER [--limit SECONDS] [--at-once N] [--only TEXT] [--out FILE.jsonl] [--after NOTEBOOK]
 *
 * FOLDER holds projects, one folder each (a notebook with its data beside or below), or notebooks beside one another. Each is
 * adopted in a copy, without a server, with questions answered as nobody at a terminal would. One JSON line a notebook goes to stdout
 * (and FILE); the summary goes to stderr. Own time is the whole time less what the notebook's cells took.
 */
import { appendFileSync, globSync, statSync, writeFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { adoptNotebook } from '../../test/adopt/drive.ts';

interface Line {
  readonly notebook: string;
  readonly outcome: 'served' | 'refused' | 'failed';
  /** Of a refusal or failure. */
  readonly code?: string;
  readonly message?: string;
  readonly cell?: number | null;
  readonly model?: string;
  readonly type?: string;
  readonly target?: string | null;
  readonly score?: unknown;
  readonly reason?: string;
  readonly features?: boolean;
  readonly environment?: string;
  readonly skipped?: readonly number[];
  readonly testRows?: unknown;
  readonly seconds: number;
  readonly ownSeconds: number;
  readonly timings?: Readonly<Record<string, number>>;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: 'string', default: '600' },
    'at-once': { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
    after: { type: 'string', default: '' },
  },
});
const folder = resolve(positionals[0] ?? '.');
const cache = process.env['LEVAIN_TEST_CACHE'] ?? join(homedir(), '.cache', 'levain-test');
const notebooks = findNotebooks(folder).filter((path) => path.includes(values.only) && path > values.after);
if (values.out && !values.after) writeFileSync(values.out, '');
const lines: Line[] = [];
const waiting = [...notebooks];
await Promise.all(Array.from({ length: Number(values['at-once']) }, work));
summarize(lines);

function findNotebooks(root: string): string[] {
  return globSync('**/*.ipynb', { cwd: root })
    .filter((path) => !path.includes('.ipynb_checkpoints') && statSync(join(root, path)).isFile())
    .sort();
}

async function work(): Promise<void> {
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    const line = await adoptOne(path);
    lines.push(line);
    const text = JSON.stringify(line);
    process.stdout.write(`${text}\n`);
    if (values.out) appendFileSync(values.out, `${text}\n`);
  }
}

/** The project is the folder directly under FOLDER, or FOLDER itself for a notebook that lies there. */
async function adoptOne(path: string): Promise<Line> {
  const [first = ''] = path.split('/');
  const project = dirname(path) === '.' ? folder : join(folder, first);
  const scratch = await mkdtemp(join(tmpdir(), 'levain-adopt-bench-'));
  const copy = join(scratch, basename(project));
  await cp(project, copy, { recursive: true });
  await mkdir(join(scratch, 'work'));
  const started = performance.now();
  try {
    const ended = await adoptNotebook({
      source: join(copy, relative(project, join(folder, path))),
      folder: copy,
      dataDir: cache,
      work: join(scratch, 'work'),
      limitMs: Number(values.limit) * 1000,
    });
    return toLine(path, ended, (performance.now() - started) / 1000);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function toLine(path: string, ended: Awaited<ReturnType<typeof adoptNotebook>>, seconds: number): Line {
  const { last } = ended;
  if (last?.t === 'refused') {
    const ownSeconds = seconds - ended.cellSeconds;
    const { code, message, cell } = last;
    return {
      notebook: path,
      outcome: 'refused',
      code,
      message,
      cell,
      seconds: round(seconds),
      ownSeconds: round(ownSeconds),
    };
  }
  if (last?.t !== 'result') {
    const message = ended.timedOut ? 'over the time limit' : ended.stderr.slice(-2000);
    return {
      notebook: path,
      outcome: 'failed',
      code: ended.timedOut ? 'timeout' : 'crash',
      message,
      seconds: round(seconds),
      ownSeconds: round(seconds),
    };
  }
  const { model } = last;
  return {
    notebook: path,
    outcome: 'served',
    model: model.expression ?? model.variable,
    type: model.type,
    target: model.target,
    score: model.score,
    reason: model.reason,
    features: last.features !== null,
    environment: last.environment.sentence,
    skipped: last.run.skipped.map((each) => each.cell),
    testRows: last.facts['testRows'],
    seconds: round(seconds),
    ownSeconds: round(seconds - (last.timings['notebook'] ?? 0) / 1000),
    timings: last.timings,
  };
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function summarize(all: readonly Line[]): void {
  const say = (text: string): boolean => process.stderr.write(`${text}\n`);
  const of = (outcome: Line['outcome']): Line[] => all.filter((line) => line.outcome === outcome);
  say(
    `\n${all.length} notebooks: ${of('served').length} served, ${of('refused').length} refused, ${of('failed').length} failed`,
  );
  const codes = Map.groupBy([...of('refused'), ...of('failed')], (line) => line.code ?? '?');
  for (const [code, some] of [...codes].sort((a, b) => b[1].length - a[1].length)) {
    say(`  ${code} (${some.length})`);
    for (const line of some) say(`    ${line.notebook}: ${line.message?.split('\n').at(-1)?.slice(0, 200)}`);
  }
  const served = of('served').map((line) => line.ownSeconds);
  say(`own time of the served: median ${median(served)} s, worst ${Math.max(0, ...served)} s`);
}
