import type { AdoptLine } from '../../adopt/types.ts';
import type { Output } from '../command.ts';

type Line = Extract<AdoptLine, { t: 'progress' }>;

/** On a terminal the time goes on while a cell does. */
const TICK_MS = 1_000;
const LONG_MS = 5_000;

export interface ProgressView {
  show(line: Line): void;
  /** A question is asked: nothing is written until the next line. */
  pause(): void;
  /** The last line is complete; nothing ticks any more. */
  end(): void;
}

/** A line for each cell and stage that is over, with its time; in between what goes on now, never silent for two seconds. */
export function createProgress(out: Output, isTerminal = Boolean(process.stderr.isTTY)): ProgressView {
  let current: { readonly line: Line; readonly since: number } | undefined;
  const tick = () => {
    // A log has a line for what is over; what takes long is told while it does.
    const isTold = isTerminal || (current && Date.now() - current.since >= LONG_MS);
    if (current && isTold) out.progress(`  ${textOf(current.line)}  ${secondsOf(Date.now() - current.since)}`);
  };
  const timer = setInterval(tick, TICK_MS);
  const settle = () => {
    if (current) out.note(`  ${textOf(current.line).padEnd(WIDTH)}  ${secondsOf(Date.now() - current.since)}`);
    current = undefined;
  };
  return {
    show(line) {
      const isSame = current && current.line.stage === line.stage && current.line.cell === line.cell;
      if (!isSame) settle();
      current = { line, since: isSame && current ? current.since : Date.now() };
      tick();
    },
    pause: settle,
    end() {
      clearInterval(timer);
      settle();
    },
  };
}

const WIDTH = 64;

/** @example `cell 3 of 12  df = pd.get_dummies(df)` */
export function textOf({ text, cell, of }: Line): string {
  const plain = text.replace(/\s+/g, ' ').trim();
  const prefix = cell === undefined ? '' : `cell ${cell}${of === undefined ? '' : ` of ${of}`}`;
  const whole = prefix === '' || plain.startsWith(prefix) ? plain : `${prefix}  ${plain}`;
  return whole.length <= WIDTH ? whole : `${whole.slice(0, WIDTH - 1)}…`;
}

export const secondsOf = (ms: number): string =>
  ms < 60_000
    ? `${(ms / 1_000).toFixed(1)} s`
    : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
