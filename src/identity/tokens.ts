import { AppError } from '../kernel/errors.ts';
import { sha256 } from '../kernel/hash.ts';
import { uuidv7 } from '../kernel/ids.ts';
import type { Tx } from '../ports/db.ts';
import type { Clock, Random } from '../ports/system.ts';
import type { Actor } from '../wire/route.ts';
import type { IdentityDeps } from './deps.ts';
import {
  insertToken,
  revokeTokenByHash,
  revokeTokenById,
  revokeTokensOfAttempt,
  selectPerson,
  selectTokens,
  type TokenTable,
} from './identity.store.ts';
import type { TokenInfo } from './types.ts';

const TOKEN_BYTES = 32;

/** Only the hash is stored: a token is random, so sha256 is enough and costs nothing a request. */
export const hashToken = (token: string): string => sha256(token);

interface TokenWriter {
  readonly clock: Clock;
  readonly random: Random;
}

/** A token for one attempt of a step: whoever sends it acts as that step, in its project, until it is revoked. */
export async function issueStepToken(
  tx: Tx,
  deps: TokenWriter,
  input: { readonly projectId: string; readonly attemptId: string },
): Promise<string> {
  return issue(tx, deps, {
    kind: 'step',
    name: `step ${input.attemptId}`,
    project_id: input.projectId,
    attempt_id: input.attemptId,
  });
}

export async function revokeStepToken(tx: Tx, deps: { readonly clock: Clock }, attemptId: string): Promise<void> {
  await revokeTokensOfAttempt(tx, attemptId, deps.clock.now());
}

/** A token for a gateway: it may ask for its desired state and hand in segments, and nothing else. */
export async function issueGatewayToken(deps: IdentityDeps, name = 'gateway'): Promise<string> {
  return deps.db.write((tx) => issue(tx, deps, { kind: 'gateway', name }));
}

/** A token of a person, with the rights of that person at the time of each request. */
export async function createToken(
  deps: IdentityDeps,
  input: { readonly user: string; readonly name: string; readonly expiresAt?: number | undefined },
): Promise<string> {
  return deps.db.write(async (tx) => {
    const person = await selectPerson(tx, input.user);
    if (!person) throw new AppError('not_found', `There is no user "${input.user}"`, { hint: 'levain users list' });
    return issue(tx, deps, {
      kind: 'user',
      name: input.name,
      person_id: person.id,
      expires_at: input.expiresAt ?? null,
    });
  });
}

export async function listTokens(deps: IdentityDeps): Promise<readonly TokenInfo[]> {
  const rows = await deps.db.read((tx) => selectTokens(tx));
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    user: row.person_name,
    createdAt: new Date(row.created_at).toISOString(),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).toISOString(),
  }));
}

export async function revokeToken(deps: IdentityDeps, _actor: Actor, id: string): Promise<void> {
  const found = await deps.db.write((tx) => revokeTokenById(tx, id, deps.clock.now()));
  if (!found) throw new AppError('not_found', `There is no live token "${id}"`, { hint: 'levain tokens list' });
}

/** Ends a token by itself; nothing happens where it is not known. */
export async function revokeTokenItself(deps: IdentityDeps, token: string): Promise<void> {
  await deps.db.write((tx) => revokeTokenByHash(tx, hashToken(token), deps.clock.now()));
}

async function issue(
  tx: Tx,
  deps: TokenWriter,
  row: Pick<TokenTable, 'kind' | 'name'> & Partial<TokenTable>,
): Promise<string> {
  const bytes = new Uint8Array(TOKEN_BYTES);
  deps.random.fill(bytes);
  const token = `lv_${row.kind[0]}_${Buffer.from(bytes).toString('base64url')}`;
  const now = deps.clock.now();
  await insertToken(tx, {
    project_id: null,
    person_id: null,
    attempt_id: null,
    expires_at: null,
    revoked_at: null,
    ...row,
    hash: hashToken(token),
    id: uuidv7(now, deps.random.fill),
    created_at: now,
  });
  return token;
}
