import type { Fault } from '../engines/types.ts';
import { recordActivity } from '../identity/index.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { digestOf } from '../kernel/hash.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Actor } from '../wire/route.ts';
import type { ModelVersion, RegistryDeps } from './types.ts';
import * as store from './versions.store.ts';
import { getRow, getVersionIn } from './versions.ts';

/** A version made of the champion with a fault in it, for one rehearsal. It can be rolled out to the rehearsal's requests only. */
export async function registerRehearsal(
  deps: Pick<RegistryDeps, 'db' | 'clock' | 'random' | 'identity' | 'content'>,
  actor: Actor,
  input: { readonly model: string; readonly rehearsal: string; readonly fault: Fault },
): Promise<ModelVersion> {
  const { projectId } = actor;
  const now = deps.clock.now();
  const id = uuidv7(now, deps.random.fill);
  return deps.db.write(async (tx) => {
    const row = await getRow(tx, projectId, { model: input.model, version: 'champion' });
    const champion = store.toVersion(row, []);
    if (!champion.spec)
      throw new AppError('conflict', `${input.model}@v${champion.version} has no servable form to rehearse with`);
    const version = await store.takeVersionNumber(tx, projectId, input.model);
    const { golden: _, ...spec } = champion.spec;
    await store.insertVersion(tx, {
      ...row,
      version,
      id,
      created_at: now,
      identity: digestOf({ rehearsal: input.rehearsal, id }),
      rehearsal: input.rehearsal,
      facts: canonicalJson({
        ...champion.facts,
        madeOf: { version: champion.version, fault: input.fault },
        parity: null,
      }),
      spec: canonicalJson({ ...spec, version, versionId: id, fault: input.fault }),
      gate: null,
      approval: 'not_needed',
      decision: null,
    });
    const contents = [...champion.facts.files.map((file) => file.digest)];
    if (spec.features) contents.push(spec.features.digest);
    if (champion.facts.background) contents.push(champion.facts.background.digest);
    if (spec.engine.kind === 'levain') contents.push(spec.engine.digest);
    await deps.content.reference(tx, { kind: 'model_version', id }, [...new Set(contents)]);
    await recordActivity(tx, deps.identity, {
      projectId,
      at: now,
      kind: 'rehearsal',
      subject: `${input.model}@v${version}`,
      sentence: `REHEARSAL: ${input.model}@v${version} is v${champion.version} with a fault (${faultWords(input.fault)})`,
      command: `levain models show ${input.model}@v${version}`,
    });
    return getVersionIn(tx, projectId, { model: input.model, version });
  });
}

export function faultWords(fault: Fault): string {
  if (fault.kind === 'constant') return `always answers ${Number(fault.value.toPrecision(4))}`;
  if (fault.kind === 'slow') return `answers ${fault.ms} ms later`;
  return `fails on ${(fault.share * 100).toFixed(0)} % of the rows`;
}
