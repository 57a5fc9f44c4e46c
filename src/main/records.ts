import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isSame, type ProcessIdentity } from './process-identity.ts';

/** `server.json` of a data directory: the control plane that runs on it, or ran last. */
export interface ServerRecord extends ProcessIdentity {
  readonly url: string;
  readonly port: number;
  readonly gatewayUrl: string | null;
  readonly version: string;
}

/** `gateway.json`: the gateway of a data directory, from the moment that it has a process. */
export interface StartedGateway extends ProcessIdentity {
  /** Null until it listens. */
  readonly url: string | null;
  /** As it was asked for, until it listens: 0 is any. */
  readonly port: number;
}

export interface GatewayRecord extends StartedGateway {
  readonly url: string;
}

const serverPath = (dataDir: string): string => join(dataDir, 'server.json');
const gatewayPath = (dataDir: string): string => join(dataDir, 'gateway.json');

export const findServer = (dataDir: string): ServerRecord | undefined =>
  readRecord<ServerRecord>(serverPath(dataDir), ({ url }) => isUrl(url));
export const findGateway = (dataDir: string): GatewayRecord | undefined =>
  readRecord<GatewayRecord>(gatewayPath(dataDir), ({ url }) => url === null || isUrl(url));

const isUrl = (value: unknown): boolean => typeof value === 'string' && URL.canParse(value);
const isPort = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;

export function findLive<T extends ProcessIdentity>(record: T | undefined): T | undefined {
  return record && isSame(record) ? record : undefined;
}

export const saveServer = (dataDir: string, record: ServerRecord): void => saveRecord(serverPath(dataDir), record);

export const saveGateway = (dataDir: string, record: StartedGateway): void => saveRecord(gatewayPath(dataDir), record);

export const forgetGateway = (dataDir: string): void => rmSync(gatewayPath(dataDir), { force: true });

/** Written whole or not at all; for its owner only. */
export function saveRecord(path: string, record: unknown): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, typeof record === 'string' ? record : `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(part, path);
}

/** One that is damaged counts as none. */
function readRecord<T extends ProcessIdentity & { readonly port: number }>(
  path: string,
  isWhole: (record: T) => boolean,
): T | undefined {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as T;
    return Number.isInteger(record.pid) && isPort(record.port) && isWhole(record) ? record : undefined;
  } catch {
    return undefined;
  }
}
