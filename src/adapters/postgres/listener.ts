import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const RECONNECT_MS = 1_000;

/** LISTEN on a connection of its own, opened again where it breaks; then `onNotify` is called, as something may have been missed. */
export async function listen(url: string, channel: string, onNotify: () => void): Promise<() => Promise<void>> {
  let client: pg.Client | undefined;
  let stopped = false;

  async function connect(): Promise<void> {
    const next = new pg.Client({ connectionString: url, keepAlive: true });
    next.on('error', () => {});
    next.on('notification', () => onNotify());
    next.once('end', () => void reconnect());
    await next.connect();
    (next as unknown as { unref(): void }).unref();
    await next.query(`listen ${next.escapeIdentifier(channel)}`);
    client = next;
  }

  async function reconnect(): Promise<void> {
    if (stopped || !client) return;
    client = undefined;
    while (!stopped && !client) {
      await sleep(RECONNECT_MS, undefined, { ref: false });
      await connect().catch(() => {});
    }
    if (!stopped) onNotify();
  }

  await connect();
  return async () => {
    stopped = true;
    await client?.end();
  };
}
