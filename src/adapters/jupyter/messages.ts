import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';

/** One message of the Jupyter wire protocol (5.4), as far as a client needs it. */
export interface KernelMessage {
  readonly type: string;
  readonly id: string;
  /** The request that this answers; empty where it answers none. */
  readonly parentId: string;
  readonly content: Readonly<Record<string, unknown>>;
}

const DELIMITER = Buffer.from('<IDS|MSG>');

/** Frames of a request: delimiter, signature, header, parent, metadata, content. */
export function toFrames(
  key: string,
  session: string,
  type: string,
  content: unknown,
): { readonly id: string; readonly frames: Buffer[] } {
  const id = randomUUID();
  const header = {
    msg_id: id,
    session,
    username: 'levain',
    date: new Date().toISOString(),
    msg_type: type,
    version: '5.4',
  };
  const parts = [header, {}, {}, content].map((part) => Buffer.from(JSON.stringify(part)));
  return { id, frames: [DELIMITER, Buffer.from(sign(key, parts)), ...parts] };
}

/** Reads frames; undefined for what is not signed with our key or is no message. */
export function parseFrames(key: string, frames: readonly Buffer[]): KernelMessage | undefined {
  const at = frames.findIndex((frame) => frame.equals(DELIMITER));
  const parts = frames.slice(at + 2, at + 6);
  const signature = frames[at + 1];
  if (at < 0 || parts.length < 4 || !signature) return undefined;
  const expected = Buffer.from(sign(key, parts));
  if (expected.length !== signature.length || !timingSafeEqual(expected, signature)) return undefined;
  const [header, parent, , content] = parts.map((part) => JSON.parse(part.toString('utf8')) as Record<string, unknown>);
  return {
    type: String(header?.['msg_type'] ?? ''),
    id: String(header?.['msg_id'] ?? ''),
    parentId: String(parent?.['msg_id'] ?? ''),
    content: content ?? {},
  };
}

function sign(key: string, parts: readonly Buffer[]): string {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return hmac.digest('hex');
}
