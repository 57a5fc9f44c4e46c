import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Secrets } from '../../ports/system.ts';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OWNER_ONLY = 0o600;
const MAX_VALUE_BYTES = 64 * 1024;
const MAX_SECRETS = 1_000;
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;

type Sealed = Readonly<Record<string, string>>;

/**
 * Secrets in `secrets.json` of the data directory, each sealed with AES-256-GCM (nonce, tag, ciphertext; the name is
 * authenticated) under `secrets.key`. Both files are the owner's alone. A backup of one without the other says nothing.
 */
export async function openSecrets({ dataDir }: { readonly dataDir: string }): Promise<Secrets> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'secrets.json');
  const key = await findOrCreateKey(join(dataDir, 'secrets.key'), path);
  let last: Promise<unknown> = Promise.resolve();

  const write = (all: Sealed): Promise<void> =>
    writeDurably(path, Buffer.from(`${JSON.stringify(all, undefined, 2)}\n`));

  async function store(name: string, value: string): Promise<void> {
    const all = { ...(await readSealed(path)), [name]: seal(key, name, value) };
    if (Object.keys(all).length > MAX_SECRETS)
      throw new AppError('too_large', `At most ${MAX_SECRETS} secrets are kept`);
    await write(all);
  }

  async function drop(name: string): Promise<boolean> {
    const { [name]: found, ...rest } = await readSealed(path);
    if (found === undefined) return false;
    await write(rest);
    return true;
  }

  /** Changes go one after another, so that none overwrites another's. */
  function inTurn<T>(change: () => Promise<T>): Promise<T> {
    const next = last.then(change);
    last = next.catch(() => {});
    return next;
  }

  return {
    async find(name) {
      const all = await readSealed(path);
      return Object.hasOwn(all, name) ? unseal(key, name, all[name]!) : undefined;
    },
    async set(name, value) {
      checkSecret(name, value);
      await inTurn(() => store(name, value));
    },
    remove: (name) => inTurn(() => drop(name)),
    list: async () => Object.keys(await readSealed(path)).sort(),
  };
}

function checkSecret(name: string, value: string): void {
  if (!NAME.test(name)) {
    throw new AppError(
      'invalid',
      `"${name.slice(0, 100)}" is not a secret's name; use letters, digits and _, as in SLACK_URL`,
    );
  }
  if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
    throw new AppError('too_large', `The value of ${name} is longer than ${MAX_VALUE_BYTES} bytes`);
  }
}

async function findOrCreateKey(path: string, secretsPath: string): Promise<Buffer> {
  const known = await readFile(path).catch(orUndefined);
  if (known?.length === KEY_BYTES) {
    await chmod(path, OWNER_ONLY);
    return known;
  }
  if (Object.keys(await readSealed(secretsPath)).length > 0) {
    throw new AppError(
      'unavailable',
      `The key of the secrets, ${path}, is missing or damaged; restore it, or remove ${secretsPath} and set the secrets again`,
    );
  }
  const key = randomBytes(KEY_BYTES);
  await writeDurably(path, key);
  return key;
}

function seal(key: Buffer, name: string, value: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name));
  const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64');
}

function unseal(key: Buffer, name: string, sealed: string): string {
  const bytes = Buffer.from(sealed, 'base64');
  const textAt = NONCE_BYTES + TAG_BYTES;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(NONCE_BYTES, textAt));
    return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new AppError(
      'unavailable',
      `The secret ${name} cannot be read (${messageOf(error)}); set it again with "levain secret set ${name}"`,
    );
  }
}

async function readSealed(path: string): Promise<Sealed> {
  const text = await readFile(path, 'utf8').catch(orUndefined);
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as Sealed;
  } catch (error) {
    throw new AppError('unavailable', `The secrets ${path} are damaged (${messageOf(error)}); restore a backup`);
  }
}

/** The whole new file or the whole old one. */
async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    const file = await open(draft, 'wx', OWNER_ONLY);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

function orUndefined(error: unknown): undefined {
  if ((error as { code?: unknown }).code !== 'ENOENT') throw error;
  return undefined;
}
