import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { chromiumMissing } from '../test/support/browser.ts';

/**
 * Everything that this machine can test: types, lint and format, unit files in one process, then the suites that start
 * processes, each in its own. `npm test -- src/kernel test/e2e` keeps the files whose path holds one of the words.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CONCURRENCY = 2;
/** Ends what hangs; nothing takes a tenth of it. */
const TIMEOUT_MS = 1_200_000;
/** Tests here start servers, databases or Python, and so do files that import these helpers: each gets its own process. */
const PLACES_OF_PROCESSES = /^(test|examples|scripts)\/(?!architecture\.test)/;
const HELPERS_OF_PROCESSES = /test\/support\/(?!(ports|system|temp)\.ts)|node:child_process|\/testing\//;
const NEEDS_BROWSER = /^test\/ui\//;
const COUNTS = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

interface Outcome {
  readonly name: string;
  readonly ok: boolean;
  readonly skipped: readonly string[];
  /** What the runner's summary counted. */
  readonly counts: ReadonlyMap<string, number>;
}

const filters = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const flags = process.argv.slice(2).filter((word) => word.startsWith('--'));
const noBrowser = chromiumMissing();
const files = globSync(
  ['src/**/*.test.ts', 'web/src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'examples/**/*.test.ts'],
  {
    cwd: ROOT,
  },
)
  .filter((file) => !file.includes('node_modules'))
  .filter((file) => !(NEEDS_BROWSER.test(file) && noBrowser !== undefined))
  .filter((file) => filters.length === 0 || filters.some((word) => file.includes(toRelative(word))))
  .sort();

if (files.length === 0) {
  process.stderr.write(`error: no test file's path holds ${filters.join(' or ')}\n`);
  process.exit(2);
}

/** What test files of one run share, such as a story that is played once. */
const sharedFolder = mkdtempSync(join(tmpdir(), 'levain-test-run-'));
process.once('exit', () => rmSync(sharedFolder, { recursive: true, force: true }));

const outcomes: Outcome[] = [];
for (const step of steps()) outcomes.push(await run(step));
report(outcomes);
process.exitCode = outcomes.every(({ ok }) => ok) ? 0 : 1;

function steps(): Step[] {
  const bin = (name: string): string => join(ROOT, 'node_modules', '.bin', name);
  const processes = files.filter(startsProcesses);
  const units = files.filter((file) => !processes.includes(file));
  const checks =
    filters.length > 0
      ? []
      : [
          { name: 'types', command: bin('tsc'), args: ['--noEmit'] },
          { name: 'types of the web UI', command: bin('tsc'), args: ['--noEmit', '-p', 'web'] },
          { name: 'lint and format', command: bin('biome'), args: ['check', '--diagnostic-level=error', '.'] },
        ];
  const test = [
    '--test',
    '--test-reporter=spec',
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TIMEOUT_MS}`,
    ...flags,
  ];
  return [
    ...checks,
    ...(units.length > 0
      ? [{ name: 'units', command: process.execPath, args: [...test, '--test-isolation=none', ...units] }]
      : []),
    ...(processes.length > 0
      ? [{ name: 'suites that start processes', command: process.execPath, args: [...test, ...processes] }]
      : []),
  ];
}

function startsProcesses(file: string): boolean {
  return PLACES_OF_PROCESSES.test(file) || HELPERS_OF_PROCESSES.test(readFileSync(join(ROOT, file), 'utf8'));
}

/** Runs a step with its output shown, and gathers the lines of tests that were skipped. */
function run({ name, command, args }: Step): Promise<Outcome> {
  process.stdout.write(`\n── ${name}\n`);
  if (!existsSync(command)) return Promise.resolve({ name, ok: false, skipped: [], counts: new Map() });
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      LEVAIN_TEST_RUN: sharedFolder,
      ...process.env,
      FORCE_COLOR: process.stdout.isTTY ? '1' : '0',
      NODE_NO_WARNINGS: '1',
    },
  });
  const stop = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  let rest = '';
  const skipped: string[] = [];
  const counts = new Map<string, number>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    process.stdout.write(text);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines.map(stripVTControlCharacters)) {
      if (/^\s*﹣.*# ./.test(line)) skipped.push(line.trim());
      const [, what, count] = /^ℹ ([a-z]+) (\d+)$/.exec(line) ?? [];
      if (what) counts.set(what, Number(count));
    }
  });
  return new Promise((resolve) => {
    child.once('close', (code) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
      resolve({ name, ok: code === 0, skipped: [...new Set(skipped)], counts });
    });
  });
}

function report(all: readonly Outcome[]): void {
  const skipped = all.flatMap((outcome) => outcome.skipped);
  if (noBrowser !== undefined) skipped.push(`test/ui # ${noBrowser}`);
  process.stdout.write('\n── result\n');
  if (skipped.length > 0)
    process.stdout.write(`Skipped here, and why:\n${skipped.map((line) => `  ${line}`).join('\n')}\n`);
  for (const { name, ok } of all) process.stdout.write(`${ok ? 'passed' : 'FAILED'}  ${name}\n`);
  process.stdout.write('\n');
  for (const count of COUNTS) {
    process.stdout.write(`ℹ ${count} ${all.reduce((sum, { counts }) => sum + (counts.get(count) ?? 0), 0)}\n`);
  }
}

function toRelative(word: string): string {
  return word.startsWith('/') ? relative(ROOT, word) : word.replace(/^\.\//, '');
}
