/** What the server's own machine is like: how much is stored, and whether what runs need is there. */
export interface Machine {
  /** Sizes by kind, measured at most a minute ago. */
  storage(): Promise<Storage>;
  /** Looks now. Never throws: what is missing is a finding. */
  check(): Promise<readonly Finding[]>;
}

export interface Storage {
  readonly items: readonly {
    readonly kind: 'database' | 'content' | 'environments' | 'runs' | 'gateway' | 'cache' | 'backups' | 'other';
    readonly sizeBytes: number;
    readonly files: number;
  }[];
  readonly totalBytes: number;
  /** Left on the disk of the data directory; null where that cannot be told. */
  readonly freeBytes: number | null;
  /** False where there were too many files to look at all of them. */
  readonly isComplete: boolean;
  /** Epoch ms. */
  readonly measuredAt: number;
}

export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'missing';
  readonly detail: string;
  /** What to do about it. */
  readonly fix: string | null;
}
