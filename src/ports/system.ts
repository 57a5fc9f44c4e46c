/** Wall time, epoch milliseconds, and timers. */
export interface Clock {
  now(): number;
  /** Resolves after `ms`, or at once with an abort. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  fill(bytes: Uint8Array): void;
}

/** Structured log; `fields` is plain JSON. Never logs secrets or rows. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  child(fields: Readonly<Record<string, unknown>>): Log;
}

/** Named secrets (`$NAME` in levain.yaml). */
export interface Secrets {
  find(name: string): Promise<string | undefined>;
  set(name: string, value: string): Promise<void>;
  /** Answers whether it was there. */
  remove(name: string): Promise<boolean>;
  list(): Promise<readonly string[]>;
}

/** Delivers one message to one configured target; throws `unavailable` where it could not, so that the caller retries. */
export interface Notifier {
  send(target: NotifyTarget, message: NotifyMessage): Promise<void>;
}

export interface NotifyTarget {
  readonly kind: 'log' | 'webhook' | 'slack' | 'smtp' | 'pagerduty' | 'alertmanager';
  readonly address: string;
}

export interface NotifyMessage {
  readonly key: string;
  readonly severity: 'page' | 'ticket' | 'info';
  readonly title: string;
  readonly text: string;
  readonly url: string;
}
