import { argon2, timingSafeEqual } from 'node:crypto';
import { AppError } from '../kernel/errors.ts';
import type { Random } from '../ports/system.ts';

/** RFC 9106, second recommended option scaled to a small server: 19 MiB, two passes (OWASP's minimum for argon2id). */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const TAG_BYTES = 32;
const MIN_LENGTH = 10;
const MAX_LENGTH = 200;

/** `argon2id$memory$passes$parallelism$salt$tag`, salt and tag in base64url. */
export async function hashPassword(random: Random, password: string): Promise<string> {
  if (password.length < MIN_LENGTH || password.length > MAX_LENGTH)
    throw new AppError('invalid', `A password has ${MIN_LENGTH} to ${MAX_LENGTH} characters; got ${password.length}`);
  const salt = new Uint8Array(16);
  random.fill(salt);
  const tag = await derive(password, salt, COST);
  return ['argon2id', COST.memory, COST.passes, COST.parallelism, encode(salt), encode(tag)].join('$');
}

export async function verifyPassword(hash: string, password: string): Promise<boolean> {
  const [, memory, passes, parallelism, salt, tag] = hash.split('$');
  if (!salt || !tag || password.length > MAX_LENGTH) return false;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  return timingSafeEqual(await derive(password, decode(salt), cost), decode(tag));
}

const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const decode = (text: string): Buffer => Buffer.from(text, 'base64url');

function derive(
  password: string,
  salt: Uint8Array,
  cost: { readonly memory: number; readonly passes: number; readonly parallelism: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2('argon2id', { message: password, nonce: salt, tagLength: TAG_BYTES, ...cost }, (error, tag) =>
      error ? reject(error) : resolve(Buffer.from(tag)),
    );
  });
}
