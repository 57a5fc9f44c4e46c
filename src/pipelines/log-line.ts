import { join } from 'node:path';
import { type Attempt, readLogChunk } from './attempts.ts';

const LOOK_BACK_BYTES = 2_048;
const MAX_LINE = 200;

/** The last line of ours in an attempt's log (what a phase does now); the step's own words may hold secrets and stay out. */
export async function finalLine(attempt: Attempt): Promise<string | undefined> {
  const chunk = await readLogChunk(join(attempt.folder, 'log'), -LOOK_BACK_BYTES, true);
  const line = chunk.text.split('\n').findLast((text) => text.startsWith('[levain] '));
  return line?.slice('[levain] '.length, MAX_LINE);
}
