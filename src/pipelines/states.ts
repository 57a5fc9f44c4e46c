import type { Transitions } from '../kernel/state-machine.ts';
import type { StepState } from './types.ts';

export type StepEvent =
  | 'release'
  | 'lease'
  | 'start'
  | 'finish'
  | 'reuse'
  | 'fail'
  | 'lose'
  | 'retry'
  | 'skip'
  | 'cancel';

type Row = Readonly<Record<StepEvent, StepState | null>>;

const NONE: Row = {
  release: null,
  lease: null,
  start: null,
  finish: null,
  reuse: null,
  fail: null,
  lose: null,
  retry: null,
  skip: null,
  cancel: null,
};

/** A step's life. A failure is retried where the step's `retry` allows; `lost` is the failure of one whose process vanished. */
export const STEP_TRANSITIONS: Transitions<StepState, StepEvent> = {
  pending: { ...NONE, release: 'ready', skip: 'skipped', cancel: 'cancelled' },
  ready: { ...NONE, lease: 'leased', skip: 'skipped', cancel: 'cancelled' },
  leased: {
    ...NONE,
    lease: 'leased',
    start: 'running',
    finish: 'ok',
    reuse: 'cached',
    fail: 'failed',
    retry: 'ready',
    skip: 'skipped',
    cancel: 'cancelled',
  },
  running: {
    ...NONE,
    lease: 'running',
    finish: 'ok',
    fail: 'failed',
    lose: 'lost',
    retry: 'ready',
    cancel: 'cancelled',
  },
  lost: NONE,
  ok: NONE,
  cached: NONE,
  failed: NONE,
  skipped: NONE,
  cancelled: NONE,
};
