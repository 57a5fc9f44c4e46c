import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Attempt } from './attempt.ts';
import type { Choice } from './choose.ts';
import type { Places } from './deps.ts';
import { Brought } from './files/brought.ts';
import { refusal } from './refusal.ts';
import { runPython } from './run/processes.ts';
import { toPythonText } from './run/session.ts';

const Reason = {
  ok: z.boolean(),
  reason: z.string().nullish(),
  cell: z.number().nullish(),
  line: z.number().nullish(),
  hint: z.string().nullish(),
};

/** facts.json, as `levain_runtime.adopt.extract` writes it. */
export const Facts = z.looseObject({
  ...Reason,
  target: z.string().nullish(),
  positive: z.json().nullish(),
  task: z.string().nullish(),
  classes: z.array(z.json()).nullish(),
  rawColumns: z
    .array(
      z.looseObject({
        name: z.string(),
        type: z.string(),
        nullable: z.boolean().nullish(),
        categories: z.json().nullish(),
      }),
    )
    .default([]),
  key: z.string().nullish(),
  dataset: z.looseObject({ path: z.string().nullable(), rows: z.number().nullish() }).nullish(),
  others: z.array(z.string()).default([]),
  brought: Brought.nullish(),
  statements: z.number().nullish(),
  /** What the answers mean, where they are not the target's own values. */
  notes: z.array(z.string()).default([]),
  leaks: z.array(z.string()).default([]),
});
export type Facts = z.output<typeof Facts>;

const Proof = z.looseObject(Reason);

export interface Extracted {
  readonly folder: string;
  readonly features: string | null;
  readonly facts: Facts;
  readonly proof: Readonly<Record<string, z.core.util.JSONType>>;
  readonly golden: string | null;
}

const BUILD_TIMEOUT_MS = 20 * 60_000;
const PROVE_TIMEOUT_MS = 20 * 60_000;

/** Makes features.py, the model folder and golden rows out of the run. Throws the refusal that the extraction names. */
export async function extract(attempt: Attempt, choice: Choice, places: Places): Promise<Omit<Extracted, 'proof'>> {
  const folder = join(attempt.folder, 'out');
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const path = join(attempt.folder, 'choice.json');
  const told = { ...choice.candidate, index: choice.index, notebook: places.name, path: places.notebook };
  await writeFile(path, JSON.stringify(told));
  const value = await attempt.session.ask(
    'the steps before the model could not be taken out of the notebook',
    `import levain_runtime.adopt.extract as _levain
_levain.build(get_ipython(), ${toPythonText(path)}, ${toPythonText(folder)})
del _levain`,
    join(folder, 'facts.json'),
    BUILD_TIMEOUT_MS,
  );
  const facts = Facts.parse(value);
  if (!facts.ok) throw refused('not_extracted', facts);
  const features = await readFile(join(folder, 'features.py'), 'utf8').catch(() => null);
  const golden = join(folder, 'golden.json');
  const hasGolden = await readFile(golden).then(
    () => true,
    () => false,
  );
  return { folder, features, facts, golden: hasGolden ? golden : null };
}

/** Proves in a fresh process that raw rows through features.py and the model give the notebook's own answers. */
export async function prove(attempt: Attempt, folder: string): Promise<Extracted['proof']> {
  const { python } = attempt.built.environment;
  const command = [python, '-m', 'levain_runtime.adopt.prove', folder];
  const env = { ...attempt.env };
  const { code, stderr } = await runPython(command, { env, timeoutMs: PROVE_TIMEOUT_MS, cwd: folder });
  const text = await readFile(join(folder, 'proof.json'), 'utf8').catch(() => undefined);
  if (text === undefined) {
    const last = stderr.trim().split('\n').at(-1) || `the process ended with ${code}`;
    throw refusal('not_proved', `What was taken out of the notebook could not be proved: ${last}`, {
      details: { stderr: stderr.slice(-4_000) },
    });
  }
  const value = JSON.parse(text) as Record<string, z.core.util.JSONType>;
  const proof = Proof.parse(value);
  if (!proof.ok) throw refused('not_proved', proof);
  return value;
}

function refused(code: string, told: z.output<typeof Proof>): Error {
  const reason = told.reason ?? 'it does not say why';
  const given = told['code'];
  return refusal(typeof given === 'string' ? given : code, reason, {
    cell: told.cell ?? null,
    line: told.line ?? null,
    hint: told.hint ?? null,
  });
}
