import type { Command } from 'commander';
import type { Client } from '../client/client.ts';
import { AppError, type ErrorCode } from '../kernel/errors.ts';

/** The documented exit codes. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  notAllowed: 4,
  conflict: 5,
  gateFailed: 6,
  unhealthy: 7,
  waiting: 8,
  contractBroken: 9,
  rolledBack: 10,
  timeout: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export type Group = 'Start' | 'Work' | 'Ship' | 'Live' | 'Admin';

/**
 * One verb. `run` gets what the user typed and answers with data; the shell prints it: `text` for people, the envelope under
 * `--json`. What goes wrong is thrown as an AppError; `details.hint` names the command that helps, `details.exitCode` overrides.
 */
export interface CommandModule {
  readonly name: string;
  readonly group: Group;
  /** One line, imperative, no full stop: what `levain --help` lists. */
  readonly summary: string;
  /** Declares arguments, options and examples (`addExamples`). `--json`, `--url`, `--project` and `--yes` are the shell's. */
  configure(command: Command): void;
  /** Missing where the verb only has subcommands. `args` are the positional ones, in order; a variadic one is an array. */
  run?(context: CommandContext, args: readonly unknown[], options: Options): Promise<CommandResult | undefined>;
  /** `levain data list`: the same shape one level down (its `group` is not used). */
  readonly subcommands?: readonly CommandModule[];
}

/** Commander's options in camelCase: strings where they take a value, true where they are flags. */
export type Options = Readonly<Record<string, unknown>>;

export interface CommandResult {
  /** `run/1`: what `data` is, and the version of its shape. */
  readonly schema: string;
  readonly data: unknown;
  /** For people, on stdout. Left out where the command already wrote its lines. */
  readonly text?: string;
  readonly warnings?: readonly string[];
  /** The next useful commands, printed last and given under `--json`. */
  readonly next?: readonly string[];
  readonly exitCode?: ExitCode;
}

export interface Output {
  /** A line on stdout, for people; nothing under `--json`. */
  line(text?: string): void;
  /** Columns aligned by width, header first; numbers to the right. Pure: give it back as `text` or part of it. */
  table(header: readonly string[], rows: readonly (readonly unknown[])[]): string;
  /** Prose on stderr, also under `--json`. */
  note(text: string): void;
  /** What goes on now, on stderr: rewritten in place on a terminal, elsewhere a line where its words changed, else every 15 seconds. */
  progress(text: string): void;
  /** One item of a stream: a JSON line under `--json` or `--jsonl`, else `text` on stdout. */
  item(data: unknown, text: string): void;
}

export interface CommandContext {
  readonly client: Client;
  readonly out: Output;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Both ends are a terminal: questions may be asked. */
  readonly isTerminal: boolean;
  readonly json: boolean;
  /** `--yes`: every question is answered with yes. */
  readonly yes: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** `--project` or the `/p/NAME` of the URL; `main` by default. */
  readonly project: string;
  /**
   * Asks yes or no, with the consequence in the question. True at once under `--yes`; without a terminal it throws `invalid`
   * (exit 2), which names `--yes`.
   */
  ask(question: string): Promise<boolean>;
  /** Makes sure that a server answers: else asks, starts `levain up -d` here, and waits for its ready line. */
  ensureServer(): Promise<void>;
  /** The same command as if it had been typed in another folder: its server, its files. */
  in(folder: string): CommandContext;
}

/** Examples at the end of `--help`: each a command and what it does. */
export function addExamples(command: Command, examples: readonly (readonly [string, string])[]): void {
  const width = Math.max(...examples.map(([line]) => line.length));
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`);
  command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

const EXIT_OF_CODE: Readonly<Record<ErrorCode, ExitCode>> = {
  invalid: EXIT.usage,
  unauthenticated: EXIT.notAllowed,
  forbidden: EXIT.notAllowed,
  not_found: EXIT.notFound,
  conflict: EXIT.conflict,
  precondition_failed: EXIT.conflict,
  too_large: EXIT.failure,
  unavailable: EXIT.failure,
};

/** The exit code of what was thrown: `details.exitCode`, else by the error's code; 1 for a bug. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof AppError)) return EXIT.failure;
  const stated = error.details?.['exitCode'];
  // A server's own bug comes back with a code of its own.
  return typeof stated === 'number' ? stated : (EXIT_OF_CODE[error.code] ?? EXIT.failure);
}

/** A usage error: exit 2. */
export const usage = (message: string, hint?: string): AppError =>
  new AppError('invalid', message, hint === undefined ? { exitCode: EXIT.usage } : { exitCode: EXIT.usage, hint });
