import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createKernels } from '../adapters/jupyter/index.ts';
import { createUvEnvironments } from '../adapters/uv/index.ts';
import { AppError } from '../kernel/errors.ts';
import { converse } from './conversation.ts';
import { EXIT, refusal, toRefused } from './refusal.ts';
import { endPrograms } from './run/processes.ts';
import { adoptSource } from './sources/index.ts';
import { type AdoptFiles, type AdoptResult, AdoptSpec } from './types.ts';

/**
 * The root of an adoption: `node main.ts spec.json`. Says JSON lines on stdout, reads answers on stdin, and leaves no process
 * behind on any way out.
 */
const conversation = converse(process.stdin, process.stdout);
const closers: (() => Promise<void>)[] = [];
const closeAll = async () => {
  endPrograms();
  await Promise.allSettled(closers.map((close) => close()));
};
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => reject(refusal('interrupted', 'Interrupted', { exit: EXIT.interrupted })));
  }
});

try {
  const result = await Promise.race([adopt(process.argv[2]), interrupted]);
  await closeAll();
  await conversation.end(result);
  process.exit(0);
} catch (error) {
  await closeAll();
  const refused = toRefused(error);
  if (!(error instanceof AppError)) process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
  await conversation.end(refused);
  process.exit(refused.exit);
}

async function adopt(specPath: string | undefined): Promise<AdoptResult | AdoptFiles> {
  if (specPath === undefined)
    throw refusal('usage', 'Name the file of the adoption: node main.ts spec.json', { exit: EXIT.usage });
  const spec = AdoptSpec.parse(JSON.parse(await readFile(specPath, 'utf8')));
  const deps = {
    environments: createUvEnvironments({ dataDir: spec.dataDir, compile: false }),
    kernels: createKernels(),
    clock: Date,
    conversation,
    env: process.env,
    pythonPath: fileURLToPath(new URL('../../python', import.meta.url)),
    python: 'python3',
    onEnd: (close: () => Promise<void>) => void closers.push(close),
  };
  return adoptSource(deps, spec);
}
