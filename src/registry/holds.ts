import { recordActivity } from '../identity/index.ts';
import { AppError } from '../kernel/errors.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import type { Hold, RegistryDeps } from './types.ts';
import * as store from './versions.store.ts';

type Deps = Pick<RegistryDeps, 'db' | 'clock' | 'random' | 'identity'>;

/** No retraining and no promotion of the model until `resume`. A second hold keeps the first one's time and adds its reason. */
export async function setHoldIn(
  tx: Tx,
  deps: Omit<Deps, 'db'>,
  input: { readonly projectId: string; readonly model: string; readonly reason: string; readonly by: string },
): Promise<Hold> {
  const { projectId, model } = input;
  const before = await store.findHoldRow(tx, projectId, model);
  if (before?.reason === input.reason) return before;
  const reason = before ? `${before.reason}; ${input.reason}` : input.reason;
  const hold: Hold = { model, reason, setBy: input.by, setAt: before?.setAt ?? deps.clock.now() };
  await store.upsertHold(tx, projectId, hold);
  await recordActivity(tx, deps.identity, {
    projectId,
    at: deps.clock.now(),
    kind: 'hold',
    subject: model,
    sentence: `${model} is HELD: no retraining or promotion until resume (${input.reason})`,
    command: `levain resume ${model}`,
  });
  return hold;
}

export async function setHold(
  deps: Deps,
  actor: Actor,
  input: { readonly model: string; readonly reason: string },
): Promise<Hold> {
  return deps.db.write(async (tx) => {
    await assertModel(tx, actor.projectId, input.model);
    return setHoldIn(tx, deps, { ...input, projectId: actor.projectId, by: actor.user });
  });
}

/** Lifts the hold; `conflict` where there is none. */
export async function resume(deps: Deps, actor: Actor, input: { readonly model: string }): Promise<Hold> {
  return deps.db.write(async (tx) => {
    await assertModel(tx, actor.projectId, input.model);
    const hold = await store.findHoldRow(tx, actor.projectId, input.model);
    if (!hold) throw new AppError('conflict', `${input.model} is not held; there is nothing to resume`);
    await store.deleteHold(tx, actor.projectId, input.model);
    await recordActivity(tx, deps.identity, {
      projectId: actor.projectId,
      at: deps.clock.now(),
      kind: 'hold',
      subject: input.model,
      sentence: `${input.model} resumed by ${actor.user}; it had been held: ${hold.reason}`,
      command: `levain status`,
    });
    return hold;
  });
}

export const findHold = (deps: Pick<RegistryDeps, 'db'>, projectId: string, model: string): Promise<Hold | undefined> =>
  deps.db.read((tx) => store.findHoldRow(tx, projectId, model));

export const findHoldIn = (tx: Tx, projectId: string, model: string): Promise<Hold | undefined> =>
  store.findHoldRow(tx, projectId, model);

async function assertModel(tx: Tx, projectId: string, model: string): Promise<void> {
  if (!(await store.findModelRow(tx, projectId, model)))
    throw new AppError('not_found', `There is no model "${model}"; "levain models" lists them`);
}
