import type { ErrorCode } from '../../kernel/errors.ts';
import type { Cell } from '../../kernel/frame.ts';
import type { WireFrame } from './wire.ts';

/** What the parent asks over IPC (advanced serialization: typed arrays travel as they are). */
export type Request =
  | {
      readonly kind: 'execute';
      readonly id: number;
      readonly sql: string;
      readonly parameters: readonly Cell[];
      /** null: run it and answer no rows. */
      readonly maxRows: number | null;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'cancel'; readonly id: number };

export type Response =
  | { readonly id: number; readonly ok: true; readonly frame: WireFrame | null }
  | { readonly id: number; readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** The child's settings, as its only argument (JSON). */
export interface EngineSettings {
  /** Where DuckDB spills what does not fit its memory. */
  readonly tempDir: string;
  readonly memoryLimitBytes: number;
  readonly threads: number;
}
