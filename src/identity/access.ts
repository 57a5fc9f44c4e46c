import { AppError } from '../kernel/errors.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import type { Actor, Permission } from '../wire/route.ts';
import type { IdentityDeps } from './deps.ts';
import { selectAnyAdmin, selectAnyPerson, selectProject, selectRole, selectToken } from './identity.store.ts';
import { hashToken } from './tokens.ts';
import type { Role } from './types.ts';

/** How long an answer about a token is remembered: the longest time that a revoked one goes on working elsewhere. */
const REMEMBER_MS = 2_000;
const REMEMBER_AT_MOST = 1_000;

const VIEWER: readonly Permission[] = ['public', 'read'];
const EDITOR: readonly Permission[] = [...VIEWER, 'write', 'deploy', 'predict', 'predict:backdate'];
const APPROVER: readonly Permission[] = [...EDITOR, 'approve'];
const PERMISSIONS: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  viewer: new Set(VIEWER),
  editor: new Set(EDITOR),
  approver: new Set(APPROVER),
  admin: new Set([...APPROVER, 'admin']),
};
const STEP: ReadonlySet<Permission> = new Set(['public', 'read', 'write']);
const GATEWAY: ReadonlySet<Permission> = new Set(['public', 'gateway']);
const NOBODY: ReadonlySet<Permission> = new Set(['public']);
/** Before there are users, whoever reaches the loopback address is the owner of the machine. */
const EVERYTHING: ReadonlySet<Permission> = PERMISSIONS.admin;

export interface Identified {
  readonly actor: Actor;
  readonly permissions: ReadonlySet<Permission>;
}

export interface Authenticator {
  /**
   * Who sends this request, and what they may do in the project. Throws `unauthenticated` for a token that is not known,
   * `not_found` for a project that is not there.
   */
  identify(input: {
    readonly project: string | undefined;
    readonly authorization: string | undefined;
  }): Promise<Identified>;
  /** Forgets what was remembered: after a change of users or tokens in this process. */
  forget(): void;
}

/** Remembers tokens for two seconds, so that a step which logs ten thousand metrics asks the database a few times. */
export function createAuthenticator(deps: IdentityDeps): Authenticator {
  const remembered = new Map<string, { readonly until: number; readonly answer: Promise<Identified> }>();
  return {
    identify({ project, authorization }) {
      const token = tokenOf(authorization);
      const key = `${project ?? ''} ${token === undefined ? '' : hashToken(token)}`;
      const now = deps.clock.now();
      const known = remembered.get(key);
      if (known && known.until > now) return known.answer;
      if (remembered.size >= REMEMBER_AT_MOST) remembered.clear();
      const answer = identify(deps, project, token);
      remembered.set(key, { until: now + REMEMBER_MS, answer });
      answer.catch(() => remembered.delete(key));
      return answer;
    },
    forget: () => remembered.clear(),
  };
}

/** Throws `unauthenticated` (nobody) or `forbidden` (somebody with too few rights). */
export function assertAllowed({ actor, permissions }: Identified, needed: Permission): void {
  if (permissions.has(needed)) return;
  if (actor.user === NOBODY_NAME) {
    throw new AppError('unauthenticated', 'This needs a login; send a token, or run "levain login"', { needed });
  }
  throw new AppError('forbidden', `${actor.user} may not do this: it needs the permission "${needed}"`, { needed });
}

/** Whether an administrator exists: without one, a server listens on the loopback address only. */
export const hasAdministrator = async (deps: IdentityDeps): Promise<boolean> =>
  (await deps.db.read((tx) => selectAnyAdmin(tx))) !== undefined;

const NOBODY_NAME = 'nobody';

async function identify(
  deps: IdentityDeps,
  projectName: string | undefined,
  token: string | undefined,
): Promise<Identified> {
  return deps.db.read(async (tx) => {
    const project = projectName === undefined ? undefined : await selectProject(tx, projectName);
    if (projectName !== undefined && !project) {
      throw new AppError('not_found', `There is no project "${projectName}"; leave it out to use the project "main"`);
    }
    const projectId = project?.id ?? DEFAULT_PROJECT_ID;
    if (token !== undefined) {
      const row = await selectToken(tx, hashToken(token));
      const now = deps.clock.now();
      if (!row || row.revoked_at !== null || (row.expires_at !== null && row.expires_at <= now)) {
        throw new AppError(
          'unauthenticated',
          'The token is unknown, revoked or expired; create one with "levain tokens create"',
        );
      }
      if (row.kind === 'gateway')
        return { actor: { projectId, user: row.name, kind: 'gateway' }, permissions: GATEWAY };
      if (row.kind === 'step') return toStep(row.project_id ?? DEFAULT_PROJECT_ID, row.attempt_id ?? '');
      const role = row.person_id === null ? undefined : await selectRole(tx, projectId, row.person_id);
      const permissions = role ? PERMISSIONS[role.role as Role] : NOBODY;
      return { actor: { projectId, user: row.person_name ?? row.name, kind: 'user' }, permissions };
    }
    const open = (await selectAnyPerson(tx)) === undefined;
    return open
      ? { actor: { projectId, user: 'local', kind: 'user' }, permissions: EVERYTHING }
      : { actor: { projectId, user: NOBODY_NAME, kind: 'user' }, permissions: NOBODY };
  });
}

const toStep = (projectId: string, attemptId: string): Identified => ({
  actor: { projectId, user: `step ${attemptId}`, kind: 'step', attemptId },
  permissions: STEP,
});

/** A bearer token, or the password of Basic (clients such as mlflow send only that). */
function tokenOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const [scheme = '', value = ''] = authorization.split(' ', 2);
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return undefined;
  const text = Buffer.from(value, 'base64').toString('utf8');
  return text.slice(text.indexOf(':') + 1);
}
