import { AppError } from '../kernel/errors.ts';
import { DEFAULT_PROJECT_ID, uuidv7 } from '../kernel/ids.ts';
import type { Actor } from '../wire/route.ts';
import { recordActivity } from './activity.ts';
import type { IdentityDeps } from './deps.ts';
import {
  insertPerson,
  insertProject,
  selectAnyPerson,
  selectMembers,
  selectPerson,
  selectProject,
  selectProjects,
  upsertMembership,
} from './identity.store.ts';
import { hashPassword, verifyPassword } from './passwords.ts';
import { createToken } from './tokens.ts';
import { nameSchema, type Person, type Project, type Role } from './types.ts';

/** Names that the timeline and the errors use for what is no person. */
const RESERVED: ReadonlySet<string> = new Set(['nobody', 'local', 'levain', 'gateway', 'system']);
const LOGIN_TOKEN_MS = 30 * 864e5;

/** Throws `not_found`. */
export async function getProject(deps: IdentityDeps, name: string): Promise<Project> {
  const row = await deps.db.read((tx) => selectProject(tx, name));
  if (!row) throw new AppError('not_found', `There is no project "${name}"`);
  return { id: row.id, name: row.name };
}

export async function listProjects(deps: IdentityDeps): Promise<readonly Project[]> {
  const rows = await deps.db.read((tx) => selectProjects(tx));
  return rows.map(({ id, name }) => ({ id, name }));
}

/** A project, and its creator's administration of it. Throws `conflict` where the name is taken. */
export async function createProject(
  deps: IdentityDeps,
  actor: Actor,
  input: { readonly name: string },
): Promise<Project> {
  const name = parseName('project', input.name);
  const now = deps.clock.now();
  const id = uuidv7(now, deps.random.fill);
  await deps.db.write(async (tx) => {
    if (!(await insertProject(tx, { id, name, created_at: now }))) throw taken('project', name);
    const person = await selectPerson(tx, actor.user);
    if (person) await upsertMembership(tx, { project_id: id, person_id: person.id, role: 'admin' });
    await recordActivity(tx, deps, adminLine(id, now, name, `${actor.user} created the project ${name}`, actor.user));
  });
  return { id, name };
}

/**
 * Adds a person with a role in the actor's project. The first one must be an administrator: from then on nothing is open.
 * Throws `conflict` where the name is taken, `invalid` for a short password.
 */
export async function addPerson(
  deps: IdentityDeps,
  actor: Actor,
  input: { readonly name: string; readonly role: Role; readonly password?: string | undefined },
): Promise<Person> {
  const name = parseName('user', input.name);
  const hash = input.password === undefined ? null : await hashPassword(deps.random, input.password);
  const now = deps.clock.now();
  const id = uuidv7(now, deps.random.fill);
  await deps.db.write(async (tx) => {
    if (input.role !== 'admin' && !(await selectAnyPerson(tx))) {
      throw new AppError('invalid', `The first user must be an administrator; got the role "${input.role}"`);
    }
    if (!(await insertPerson(tx, { id, name, password_hash: hash, created_at: now }))) throw taken('user', name);
    await upsertMembership(tx, { project_id: actor.projectId, person_id: id, role: input.role });
    const sentence = `${actor.user} added ${name} as ${input.role}`;
    await recordActivity(tx, deps, adminLine(actor.projectId, now, name, sentence, actor.user));
  });
  return { id, name, role: input.role, createdAt: new Date(now).toISOString() };
}

export async function listPeople(deps: IdentityDeps, actor: Actor): Promise<readonly Person[]> {
  const rows = await deps.db.read((tx) => selectMembers(tx, actor.projectId));
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    role: row.role as Role,
    createdAt: new Date(row.created_at).toISOString(),
  }));
}

/** A token for 30 days in return for name and password. Throws `unauthenticated`, without saying which was wrong. */
export async function login(
  deps: IdentityDeps,
  input: { readonly user: string; readonly password: string },
): Promise<{ readonly token: string; readonly expiresAt: string }> {
  const person = await deps.db.read((tx) => selectPerson(tx, input.user));
  const known = person?.password_hash ?? (await dummyHash(deps));
  if (!(await verifyPassword(known, input.password)) || !person?.password_hash) {
    throw new AppError('unauthenticated', 'The name or the password is wrong');
  }
  const expiresAt = deps.clock.now() + LOGIN_TOKEN_MS;
  const token = await createToken(deps, { user: person.name, name: 'login', expiresAt });
  return { token, expiresAt: new Date(expiresAt).toISOString() };
}

/** Spends the same time on an unknown name as on a wrong password. */
let dummy: Promise<string> | undefined;
function dummyHash(deps: IdentityDeps): Promise<string> {
  dummy ??= hashPassword(deps.random, 'a password that nobody has');
  return dummy;
}

function parseName(what: string, name: string): string {
  const parsed = nameSchema.safeParse(name);
  if (parsed.success && !RESERVED.has(name)) return parsed.data;
  if (parsed.success) throw new AppError('invalid', `"${name}" is a name of ours; choose another one`);
  throw new AppError(
    'invalid',
    `"${name.slice(0, 80)}" is not a name for a ${what}: ${parsed.error.issues[0]?.message}`,
  );
}

const taken = (what: string, name: string): AppError =>
  new AppError('conflict', `The ${what} "${name}" exists already; choose another name`);

const adminLine = (projectId: string, at: number, subject: string, sentence: string, actor: string) =>
  ({ projectId: projectId || DEFAULT_PROJECT_ID, at, kind: 'admin', subject, sentence, actor }) as const;
