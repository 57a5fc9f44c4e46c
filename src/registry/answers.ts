import type { Outputs, ServableSpec } from '../engines/types.ts';
import { digestOf } from '../kernel/hash.ts';
import type { GateSample, RegistryDeps } from './types.ts';

interface KeptAnswers {
  readonly key: string;
  readonly outputs: Outputs;
}

/** At most one a server: a registration scores the held-out rows that its gate, next, would score with the same servable again. */
const kept = new WeakMap<RegistryDeps['content'], KeptAnswers>();

type Unnumbered = Omit<ServableSpec, 'version' | 'versionId'>;

/** Everything that decides the answers: what is loaded, in which environment, and the rows. */
function keyOf(spec: Unnumbered, sample: GateSample): string {
  const { engine, features, python, signature, classes, positive, threshold, task, fault } = spec;
  const servable = { engine, features, python, signature, classes, positive, threshold, task, fault };
  return digestOf({ servable, rows: sample.digest, count: sample.frame.rowCount });
}

export function keepAnswers(
  deps: Pick<RegistryDeps, 'content'>,
  spec: Unnumbered,
  sample: GateSample,
  outputs: Outputs,
): void {
  kept.set(deps.content, { key: keyOf(spec, sample), outputs });
}

/** The kept answers of this servable to these rows, once. */
export function takeAnswers(
  deps: Pick<RegistryDeps, 'content'>,
  spec: Unnumbered,
  sample: GateSample,
): Outputs | undefined {
  const found = kept.get(deps.content);
  if (found?.key !== keyOf(spec, sample)) return undefined;
  kept.delete(deps.content);
  return found.outputs;
}
