import { readFile } from 'node:fs/promises';
import { createKernels } from '../adapters/jupyter/index.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { runNotebook } from './run.ts';
import { NOTEBOOK_EXIT, NotebookSpec } from './types.ts';

/** The root of a notebook step: `node main.ts spec.json`. Ends with the kernel, on every way out. */
async function main(specPath: string | undefined): Promise<number> {
  if (specPath === undefined) throw new AppError('invalid', 'Name the file of the step: node main.ts spec.json');
  const spec = NotebookSpec.parse(JSON.parse(await readFile(specPath, 'utf8')));
  const env = { ...process.env, MPLBACKEND: process.env['MPLBACKEND'] ?? 'Agg' } as Record<string, string>;
  const say = (text: string) => process.stdout.write(text);
  const result = await runNotebook({ kernels: createKernels(), clock: Date, env, say }, spec);
  if (result.status === 'invalid') say(`[levain] ${result.cause}\n`);
  return NOTEBOOK_EXIT[result.status];
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  process.stderr.write(`[levain] ${messageOf(error)}\n`);
  process.exitCode = NOTEBOOK_EXIT.invalid;
}
