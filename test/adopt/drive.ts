import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { AdoptLine, type AdoptResult, AdoptSpec, type Refused } from '../../src/adopt/types.ts';

const MAIN = fileURLToPath(new URL('../../src/adopt/main.ts', import.meta.url));
const KEPT_STDERR = 20_000;

export interface Adopted {
  /** The line that ended it; undefined where the process ended without one. */
  readonly last: AdoptResult | Refused | undefined;
  /** Progress and questions, in order. */
  readonly said: readonly AdoptLine[];
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly exitCode: number | null;
  /** Seconds from the first cell's line to the line after the last one's. */
  readonly cellSeconds: number;
}

export type Adoption = Pick<AdoptSpec, 'source' | 'folder' | 'dataDir' | 'work'> &
  Partial<AdoptSpec> & { readonly limitMs: number };

/** Runs the adoption's own process, as the CLI does, and answers every question with its first option. */
export async function adoptNotebook({ limitMs, ...given }: Adoption): Promise<Adopted> {
  const path = join(given.work, 'spec.json');
  await writeFile(path, JSON.stringify(AdoptSpec.parse(given)));
  const child = spawn(process.execPath, [MAIN, path], { cwd: given.folder, stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR);
  });
  const said: AdoptLine[] = [];
  const cells = { from: 0, to: 0 };
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line = AdoptLine.parse(JSON.parse(text));
    said.push(line);
    note(cells, line);
    if (line.t === 'ask') {
      const answer = line.question.options[0]?.value;
      child.stdin.write(`${JSON.stringify({ id: line.id, answer })}\n`);
    }
  });
  let timedOut = false;
  const limit = setTimeout(() => {
    timedOut = true;
    child.kill('SIGTERM');
  }, limitMs);
  const exitCode = await new Promise<number | null>((done) => child.once('close', done));
  clearTimeout(limit);
  const last = said.findLast((line) => line.t === 'result' || line.t === 'refused');
  return { last, said, stderr, timedOut, exitCode, cellSeconds: (cells.to - cells.from) / 1000 };
}

function note(cells: { from: number; to: number }, line: AdoptLine): void {
  const now = performance.now();
  if (line.t === 'progress' && line.stage === 'run') {
    cells.from ||= now;
    cells.to = now;
  }
}
