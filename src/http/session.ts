import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import {
  type Authenticator,
  createToken,
  type Identified,
  type IdentityDeps,
  login,
  revokeTokenItself,
} from '../identity/index.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import { type RawResponse, route } from '../wire/route.ts';
import { prefixOf } from './guard.ts';

const NAME = 'levain-session';
const SESSION_MS = 30 * 864e5;

/** Browsers keep the cookies of all ports of a host together, so that each server's has its port. */
const cookieName = (headers: IncomingHttpHeaders): string => {
  const port = /:(\d+)$/.exec(headers.host ?? '')?.[1];
  return port === undefined ? NAME : `${NAME}-${port}`;
};

export function sessionTokenOf(headers: IncomingHttpHeaders): string | undefined {
  const name = cookieName(headers);
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [key, value] = pair.trim().split('=', 2);
    if (key === name && value) return value;
  }
  return undefined;
}

/**
 * Who sends this request: by its Authorization header, else by the browser's session. A session that has ended is nobody's. What
 * changes something by a session must prove that a page of this server asks; `assertSameSite` has compared the Origin already.
 */
export async function identifyRequest(
  authenticator: Pick<Authenticator, 'identify'>,
  project: string | undefined,
  method: string,
  headers: IncomingHttpHeaders,
): Promise<Identified> {
  const { authorization } = headers;
  const session = authorization === undefined ? sessionTokenOf(headers) : undefined;
  if (session === undefined) return authenticator.identify({ project, authorization });
  const isOwnPage = headers.origin !== undefined || headers['sec-fetch-site'] === 'same-origin';
  if (method !== 'GET' && method !== 'HEAD' && !isOwnPage) {
    throw new AppError('forbidden', 'A browser session changes something only from a page of this server');
  }
  try {
    return await authenticator.identify({ project, authorization: `Bearer ${session}` });
  } catch (error) {
    if (!isAppError(error) || error.code !== 'unauthenticated') throw error;
    return authenticator.identify({ project, authorization: undefined });
  }
}

/** Sessions of browsers: a token in a cookie that no script reads and no other site sends. */
export function sessionRoutes(deps: IdentityDeps, authenticator: Authenticator) {
  return [
    route(
      { method: 'GET', path: '/session', permission: 'public', summary: 'Who asks, and what they may do here' },
      async ({ actor, permissions, headers }) => {
        const isOpen = actor.user === 'local';
        return {
          /** Null: nobody, a login is needed. */
          user: isOpen || actor.user === 'nobody' ? null : actor.user,
          /** No user was added yet: whoever reaches the loopback address may do everything. */
          isOpen,
          isSession: headers['authorization'] === undefined && sessionTokenOf(headers) !== undefined,
          permissions: [...permissions].sort(),
        };
      },
    ),
    route(
      {
        method: 'POST',
        path: '/session',
        permission: 'public',
        summary: 'Begin a session of a browser, by name and password or by a token',
        body: z.union([
          z.object({ user: z.string().min(1).max(100), password: z.string().min(1).max(200) }),
          z.object({ token: z.string().min(1).max(200) }),
        ]),
      },
      async ({ body, headers }) => {
        const token =
          'token' in body ? await exchange(deps, authenticator, body.token) : (await login(deps, body)).token;
        return withCookie(headers, token, SESSION_MS / 1_000);
      },
    ),
    route(
      { method: 'DELETE', path: '/session', permission: 'public', summary: 'End the session of this browser' },
      async ({ headers }) => {
        const token = sessionTokenOf(headers);
        if (token !== undefined) await revokeTokenItself(deps, token);
        authenticator.forget();
        return withCookie(headers, '', 0);
      },
    ),
  ];
}

/** A session of its own in return for a person's token: ending it leaves the token, such as that of a machine, alone. */
async function exchange(deps: IdentityDeps, authenticator: Authenticator, token: string): Promise<string> {
  const { actor } = await authenticator.identify({ project: undefined, authorization: `Bearer ${token}` });
  if (actor.kind !== 'user') throw new AppError('forbidden', `This is the token of a ${actor.kind}, not of a person`);
  return createToken(deps, { user: actor.user, name: 'browser', expiresAt: deps.clock.now() + SESSION_MS });
}

function withCookie(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  token: string,
  maxAgeSeconds: number,
): RawResponse {
  const secure = headers['x-forwarded-proto'] === 'https' ? '; Secure' : '';
  const path = `${prefixOf(headers)}/`;
  const cookie = `${cookieName(headers)}=${token}; Path=${path}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure}`;
  return { raw: true, headers: { 'content-type': 'application/json', 'set-cookie': cookie }, body: '{}' };
}
