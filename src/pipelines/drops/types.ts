import { z } from 'zod';

const MAX_FILES = 500;
const MAX_DEPTH = 8;
export const MAX_FILE_BYTES = 4 * 2 ** 30;
const MAX_DROP_BYTES = 8 * 2 ** 30;

/** A place inside the dropped folder: no way out of it, and nothing hidden. */
export const DropPath = z
  .string()
  .min(1)
  .max(300)
  .refine(
    (path) =>
      path.split('/').length <= MAX_DEPTH &&
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
      path.split('/').every((part) => /^[^./\\\u0000-\u001f][^/\\\u0000-\u001f]*$/u.test(part) && !part.endsWith('.')),
    { error: 'is no path inside a folder: write names with / between, such as data/churn.csv; hidden files stay out' },
  );

export const DropInput = z.object({
  files: z
    .array(z.object({ path: DropPath, sizeBytes: z.number().int().min(0).max(MAX_FILE_BYTES) }))
    .min(1)
    .max(MAX_FILES)
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length, {
      error: 'two files have the same path',
    })
    .refine((files) => files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= MAX_DROP_BYTES, {
      error: 'the files are more than 8 GiB; put the data where the server can read it and run levain adopt there',
    }),
});
export type DropInput = z.infer<typeof DropInput>;

export const StartDropInput = z.object({
  /** Which of the files is the notebook or script; needed where it could be more than one. */
  entry: DropPath.optional(),
  /** The variable to serve, where more than one could be meant. */
  model: z
    .string()
    .max(100)
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
    .optional(),
});
export type StartDropInput = z.infer<typeof StartDropInput>;

/** What is kept of a drop, in a file of its own; how far its commands are, their own traces say. */
export interface DropRecord {
  readonly id: string;
  readonly projectId: string;
  readonly user: string;
  readonly createdAt: number;
  /** The project's folder on the server's machine. */
  readonly folder: string;
  readonly files: readonly { readonly path: string; readonly sizeBytes: number }[];
  /** How often it was started; each time has its own log. */
  readonly attempts: number;
  readonly entry: string | null;
}

/** The end of a command, as `--json` says it. */
export interface DropOutcome {
  readonly command: string;
  readonly ok: boolean;
  readonly error: { readonly code: string; readonly message: string; readonly hint: string | null } | null;
}

export interface Drop {
  readonly id: string;
  readonly createdAt: string;
  readonly user: string;
  readonly folder: string;
  readonly files: readonly {
    readonly path: string;
    readonly sizeBytes: number;
    /** False where its bytes have not come yet. */
    readonly isThere: boolean;
  }[];
  readonly state: 'receiving' | 'running' | 'done' | 'waiting' | 'failed' | 'cancelled';
  readonly attempts: number;
  /** Files that can be adopted. */
  readonly entries: readonly string[];
  readonly entry: string | null;
  readonly outcomes: readonly DropOutcome[];
  /** The model's name, once adopt has found it. */
  readonly model: string | null;
  /** What adopt wrote, as text. */
  readonly written: readonly { readonly path: string; readonly text: string }[];
  /** What the run came to, in a sentence. */
  readonly summary: string | null;
}
