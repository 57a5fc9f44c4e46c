import { createInterface } from 'node:readline/promises';

/** What the story shows: on stdout for people, on stderr under `--json`, where stdout belongs to the one object. */
export interface Screen {
  readonly isTerminal: boolean;
  /** The headline of an act. */
  act(title: string): void;
  /** A sentence that stays. */
  say(text: string): void;
  /** A command as a person would type it. */
  command(line: string): void;
  /** What goes on now; rewritten in place on a terminal, else told every ten seconds. */
  progress(text: string): void;
  /** Waits for Enter on a terminal; goes straight on elsewhere. */
  pause(question: string, signal: AbortSignal): Promise<void>;
}

const QUIET_MS = 10_000;

export function openScreen(options: { readonly json: boolean; readonly interactive: boolean }): Screen {
  const stream = options.json ? process.stderr : process.stdout;
  const isTerminal = options.interactive && process.stdin.isTTY === true && stream.isTTY === true;
  const paint = (code: number, text: string): string => (stream.isTTY ? `\u001b[${code}m${text}\u001b[0m` : text);
  let transient = false;
  let saidAt = 0;
  const clear = (): void => {
    if (transient) stream.write('\r\u001b[2K');
    transient = false;
  };
  const line = (text: string): void => {
    clear();
    stream.write(`${text}\n`);
  };
  return {
    isTerminal,
    act: (title) => line(`\n${paint(1, title)}`),
    say: (text) => line(`  ${text}`),
    command: (text) => line(`  ${paint(36, `$ ${text}`)}`),
    progress(text) {
      if (stream.isTTY) {
        clear();
        stream.write(`  ${paint(2, text.slice(0, (stream.columns ?? 100) - 4))}`);
        transient = true;
        return;
      }
      if (Date.now() - saidAt < QUIET_MS) return;
      saidAt = Date.now();
      line(`  … ${text}`);
    },
    async pause(question, signal) {
      if (!isTerminal) return;
      clear();
      const reader = createInterface({ input: process.stdin, output: stream });
      try {
        await reader.question(`  ${question} [Enter] `, { signal });
      } finally {
        reader.close();
      }
    },
  };
}
