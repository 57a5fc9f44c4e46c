import { z } from 'zod';
import { AppError } from '../kernel/errors.ts';
import type { Secrets } from '../ports/system.ts';
import { route } from '../wire/route.ts';
import type { Authenticator } from './access.ts';
import { listActivity } from './activity.ts';
import type { IdentityDeps } from './deps.ts';
import { addPerson, createProject, listPeople, listProjects, login } from './people.ts';
import { createToken, issueGatewayToken, listTokens, revokeToken } from './tokens.ts';
import { ACTIVITY_KINDS, nameSchema, roleSchema } from './types.ts';

const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  after: z.string().max(500).optional(),
});

/** `authenticator` is told to forget when rights change. */
export function identityRoutes(deps: IdentityDeps, authenticator: Pick<Authenticator, 'forget'>) {
  return [...activityRoutes(deps), ...peopleRoutes(deps, authenticator), ...tokenRoutes(deps, authenticator)];
}

const activityRoutes = (deps: IdentityDeps) => [
  route(
    {
      method: 'GET',
      path: '/activity',
      permission: 'read',
      summary: 'The timeline, newest first',
      query: pageQuery.extend({
        subject: z.string().max(300).optional(),
        /** A model with all its versions: subjects `churn` and `churn@v7`. */
        about: z.string().max(255).optional(),
        /** One kind, or several with commas between them. */
        kind: z
          .string()
          .max(200)
          .transform((text) => text.split(','))
          .pipe(z.array(z.enum(ACTIVITY_KINDS)).min(1))
          .optional(),
        /** Whose doing it was; `levain` is the system's own. */
        by: z.string().min(1).max(200).optional(),
      }),
    },
    ({ actor, query: { kind, ...rest } }) => listActivity(deps, actor, { ...rest, kinds: kind }),
  ),
];

const peopleRoutes = (deps: IdentityDeps, authenticator: Pick<Authenticator, 'forget'>) => [
  route({ method: 'GET', path: '/projects', permission: 'read', summary: 'Projects' }, async () => ({
    items: await listProjects(deps),
  })),
  route(
    {
      method: 'POST',
      path: '/projects',
      permission: 'admin',
      summary: 'Create a project',
      body: z.object({ name: nameSchema }),
    },
    async ({ actor, body }) => {
      const project = await createProject(deps, actor, body);
      authenticator.forget();
      return project;
    },
  ),
  route({ method: 'GET', path: '/users', permission: 'admin', summary: 'People and their roles here' }, async (c) => ({
    items: await listPeople(deps, c.actor),
  })),
  route(
    {
      method: 'POST',
      path: '/users',
      permission: 'admin',
      summary: 'Add a person; answers with a token of theirs, shown once',
      body: z.object({ name: nameSchema, role: roleSchema, password: z.string().optional() }),
    },
    async ({ actor, body }) => {
      const user = await addPerson(deps, actor, body);
      authenticator.forget();
      return { user, token: await createToken(deps, { user: user.name, name: 'first' }) };
    },
  ),
  route(
    {
      method: 'POST',
      path: '/login',
      permission: 'public',
      summary: 'A token in return for name and password',
      body: z.object({ user: z.string().max(100), password: z.string().max(200) }),
    },
    ({ body }) => login(deps, body),
  ),
];

const tokenRoutes = (deps: IdentityDeps, authenticator: Pick<Authenticator, 'forget'>) => [
  route({ method: 'GET', path: '/tokens', permission: 'admin', summary: 'Live tokens of people' }, async () => ({
    items: await listTokens(deps),
  })),
  route(
    {
      method: 'POST',
      path: '/tokens',
      permission: 'admin',
      summary: 'Create a token for a person, or for a gateway elsewhere; it is shown once',
      body: z.object({
        user: nameSchema.optional(),
        gateway: z.boolean().default(false),
        name: z.string().min(1).max(100),
        days: z.number().positive().max(3650).optional(),
      }),
    },
    async ({ body }) => {
      const expiresAt = body.days === undefined ? undefined : deps.clock.now() + body.days * 864e5;
      if (body.gateway) return { token: await issueGatewayToken(deps, body.name) };
      if (body.user === undefined)
        throw new AppError('invalid', 'Name the user whose rights the token has, or a gateway');
      return { token: await createToken(deps, { user: body.user, name: body.name, expiresAt }) };
    },
  ),
  route(
    {
      method: 'DELETE',
      path: '/tokens/:id',
      permission: 'admin',
      summary: 'Revoke a token',
      params: z.object({ id: z.string().max(64) }),
    },
    async ({ actor, params }) => {
      await revokeToken(deps, actor, params.id);
      authenticator.forget();
      return {};
    },
  ),
];

const secretName = z.object({
  name: z.string().regex(/^[A-Z][A-Z0-9_]{0,99}$/, 'write capital letters, digits and "_"'),
});

/** Names of secrets can be read back, values cannot. */
export const secretRoutes = (secrets: Secrets) => [
  route({ method: 'GET', path: '/secrets', permission: 'admin', summary: 'Names of secrets' }, async () => ({
    items: await secrets.list(),
  })),
  route(
    {
      method: 'PUT',
      path: '/secrets/:name',
      permission: 'admin',
      summary: 'Set a secret',
      params: secretName,
      body: z.object({ value: z.string().min(1).max(65_536) }),
    },
    async ({ params, body }) => {
      await secrets.set(params.name, body.value);
      return {};
    },
  ),
  route(
    {
      method: 'DELETE',
      path: '/secrets/:name',
      permission: 'admin',
      summary: 'Remove a secret',
      params: secretName,
    },
    async ({ params }) => {
      if (!(await secrets.remove(params.name)))
        throw new AppError('not_found', `There is no secret "${params.name}"`, { hint: 'levain secret list' });
      return {};
    },
  ),
];
