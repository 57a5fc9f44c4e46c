import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../kernel/errors.ts';

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);

/**
 * Keeps other web pages out. On loopback the Host header must name the loopback (a rebound DNS name does not), and a browser's
 * Origin must be this server itself, everywhere. Programs send no Origin. Throws `forbidden`.
 */
export function assertSameSite(headers: IncomingHttpHeaders, method: string, onLoopback: boolean): void {
  const host = headers.host ?? '';
  if (onLoopback && !LOOPBACK_NAMES.has(hostNameOf(host))) {
    throw new AppError(
      'forbidden',
      `This server listens on the loopback address only; it does not answer for the host "${host}"`,
    );
  }
  const origin = headers.origin;
  if (origin !== undefined && !isOwnOrigin(origin, host, headers)) {
    throw new AppError(
      'forbidden',
      `Requests from the page "${origin}" are not answered; only this server's own pages may ask`,
    );
  }
  const changes = method !== 'GET' && method !== 'HEAD';
  if (changes && (headers['sec-fetch-site'] === 'cross-site' || headers['sec-fetch-site'] === 'same-site')) {
    throw new AppError('forbidden', 'Requests from other sites are not answered');
  }
}

const hostNameOf = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/**
 * A proxy in front may have changed Host: then the browser's own word for it counts, or the proxy's. A page of another site can
 * neither change the one nor send the other without being asked first, which this server refuses.
 */
const isOwnOrigin = (origin: string, host: string, headers: IncomingHttpHeaders): boolean =>
  isSameOrigin(origin, host) ||
  headers['sec-fetch-site'] === 'same-origin' ||
  isSameOrigin(origin, String(headers['x-forwarded-host'] ?? '').toLowerCase());

/** Only a plain path is believed. */
const PREFIX = /^(\/[\w.~-]{1,100}){1,10}$/;

/** The path prefix that a proxy in front took off, as it says; empty without one. */
export function prefixOf(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const forwarded = String(headers['x-forwarded-prefix'] ?? '').replace(/\/$/, '');
  return PREFIX.test(forwarded) ? forwarded : '';
}

function isSameOrigin(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host.toLowerCase();
  } catch {
    return false;
  }
}

export interface SplitUrl {
  readonly url: string;
  readonly project: string | undefined;
}

/** `/p/NAME/rest` is `/rest` in the project NAME; so unchanged clients choose a project by their address. */
export function splitProject(url: string): SplitUrl {
  const match = /^\/p\/([^/?#]{1,200})(?=[/?#]|$)(.*)$/s.exec(url);
  if (!match) return { url, project: undefined };
  const rest = match[2] ?? '';
  return { url: rest.startsWith('/') ? rest : `/${rest}`, project: decode(match[1]!) };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
