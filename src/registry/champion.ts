import { AppError } from '../kernel/errors.ts';
import { publish } from '../outbox/index.ts';
import type { Tx } from '../ports/db.ts';
import type { Actor } from '../wire/route.ts';
import type { RegistryDeps } from './types.ts';
import * as store from './versions.store.ts';
import { getVersionIn } from './versions.ts';

type Deps = Pick<RegistryDeps, 'clock' | 'random' | 'outbox'>;

/** Moves the alias `champion`, in the transaction of what promotes. Returns the version before, or null. */
export async function setChampionIn(
  tx: Tx,
  deps: Deps,
  input: { readonly projectId: string; readonly model: string; readonly version: number },
): Promise<number | null> {
  const { projectId, model, version } = input;
  const previous = (await store.findAlias(tx, projectId, model, 'champion')) ?? null;
  if (previous === version) return previous;
  await getVersionIn(tx, projectId, { model, version });
  await store.upsertAlias(tx, projectId, model, 'champion', version);
  await publish(
    tx,
    {
      topic: 'registry.champion_changed',
      projectId,
      key: `${model}/${version}`,
      payload: { model, version, previous },
    },
    deps,
  );
  return previous;
}

/** No champion any more (a first version that was rolled back). */
export const clearChampionIn = (tx: Tx, projectId: string, model: string): Promise<void> =>
  store.deleteAlias(tx, projectId, model, 'champion');

const ALIAS = /^(?![vV]\d+$)[\w-]{1,255}$/;

/** Points an alias at a version. `champion` is set by promotions only; `latest` and `v3` are reserved. */
export async function setAlias(
  deps: Pick<RegistryDeps, 'db'>,
  actor: Actor,
  input: { readonly model: string; readonly alias: string; readonly version: number },
): Promise<void> {
  const { model, alias, version } = input;
  if (!ALIAS.test(alias) || alias.toLowerCase() === 'latest')
    throw new AppError(
      'invalid',
      `"${alias}" cannot be an alias; use letters, digits, "_" and "-", not "latest" and not "v3"`,
    );
  await deps.db.write(async (tx) => {
    await getVersionIn(tx, actor.projectId, { model, version });
    await store.upsertAlias(tx, actor.projectId, model, alias, version);
  });
}
