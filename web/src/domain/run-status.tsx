import { type Health, Status } from '../ui/status.tsx';

const HEALTH: Readonly<Record<string, Health>> = {
  FINISHED: 'good',
  FAILED: 'bad',
  KILLED: 'watch',
  RUNNING: 'running',
  SCHEDULED: 'unknown',
};

export const RUN_STATES = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'] as const;

/** The state of a tracked run, in the word that its client gave it. */
export function RunStatus({ status }: { readonly status: string }) {
  return <Status health={HEALTH[status] ?? 'unknown'} word={status.toLowerCase()} />;
}

/** What a client measured, as it is shown: the largest double stands for what JSON and columns cannot hold. */
export const measured = (value: number | null | undefined): number | null | undefined =>
  value === null
    ? Number.NaN
    : value !== undefined && Math.abs(value) === Number.MAX_VALUE
      ? Math.sign(value) * Infinity
      : value;
