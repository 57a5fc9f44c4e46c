import { join } from 'node:path';
import type { Latch } from '../../serving/wire.ts';
import { isRecord } from '../http/json.ts';
import { LIMITS } from '../limits.ts';
import { readJson, writeJsonDurably } from './durable-json.ts';

/** What the gateway remembers over restarts beside its desired document: latched rollouts and event clocks. */
export class GatewayState {
  readonly #path: string;
  readonly #latched = new Map<string, Latch>();
  readonly #clocks = new Map<string, number>();
  #saving: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  static async open(dir: string): Promise<GatewayState> {
    const state = new GatewayState(join(dir, 'state.json'));
    const stored = await readJson(state.#path);
    if (!isRecord(stored)) return state;
    const { latched, clocks } = stored as { latched?: readonly Latch[]; clocks?: Readonly<Record<string, number>> };
    for (const latch of latched ?? []) state.#latched.set(latch.rolloutId, latch);
    for (const [endpoint, value] of Object.entries(clocks ?? {})) state.#clocks.set(endpoint, value);
    return state;
  }

  readonly isLatched = (rolloutId: string): boolean => this.#latched.has(rolloutId);

  get latched(): readonly Latch[] {
    return [...this.#latched.values()];
  }

  clockOf(endpoint: string): number | null {
    return this.#clocks.get(endpoint) ?? null;
  }

  /** In force at once; durable when it resolves. The first breach of a rollout stands. */
  latch(latch: Latch): Promise<void> {
    if (this.#latched.has(latch.rolloutId)) return this.#saving;
    this.#latched.set(latch.rolloutId, latch);
    for (const oldest of this.#latched.keys()) {
      if (this.#latched.size <= LIMITS.latches) break;
      this.#latched.delete(oldest);
    }
    return this.#save();
  }

  saveClock(endpoint: string, value: number | null): void {
    if (value !== null) this.#clocks.set(endpoint, value);
  }

  save(): Promise<void> {
    return this.#save();
  }

  /** Resolves when everything so far is durable, or could not be written. */
  async settled(): Promise<void> {
    for (let saving: Promise<void> | undefined; saving !== this.#saving; ) {
      saving = this.#saving;
      await saving.catch(() => undefined);
    }
  }

  #save(): Promise<void> {
    this.#saving = this.#saving
      .catch(() => undefined)
      .then(() => writeJsonDurably(this.#path, { latched: this.latched, clocks: Object.fromEntries(this.#clocks) }));
    return this.#saving;
  }
}
