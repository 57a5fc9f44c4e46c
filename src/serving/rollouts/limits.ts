/**
 * How sure a rollout must be, in one place. The chances of a false alarm add up to 5 % for a version that is as good as the one
 * it replaces, over the whole rollout and however often one looks.
 */
export const ALPHA = {
  /** More failures in the canary than beside it. */
  canaryErrors: 0.02,
  /** More failures where both scored the same rows. */
  shadowErrors: 0.01,
  /** More answers with another label than `MAX_FLIPS`. */
  flips: 0.01,
  /** Slower by more than `SLOWER_TIMES`. */
  latency: 0.01,
} as const;

/** Confidence of the bound on harm that a step needs before the next one. */
export const HARM_ALPHA = 0.05;
/** A step ends when failures are surely fewer than this share of units above the champion's. */
export const HARM_TOLERANCE = 0.02;
/** Units that a live shadow and each canary step need at least. */
export const MIN_SHADOW_UNITS = 50;
export const MIN_CANARY_UNITS = 20;
/** Two good models disagree on some labels; a third of them is another product. */
export const MAX_FLIPS = 1 / 3;
/** Scores that are all the same over so many units, where the champion's took at least so many values, are a fault. */
export const CONSTANT_UNITS = 50;
export const CONSTANT_CHAMPION_VALUES = 10;
/** The new median is surely this many times the old one, and surely slower by this much. */
export const SLOWER_TIMES = 5;
export const SLOWER_MS = 20;
/** Units after a promotion before anything is judged on them. */
export const MIN_BAKE_UNITS = 50;
/** Bounds of memory: units a rollout keeps apart, and champions' answers that wait for their shadow. */
export const MAX_UNITS = 20_000;
export const MAX_WAITING = 20_000;
/** What the gateway enforces by itself where levain.yaml says nothing. */
export const HARD_LIMITS = { errorRate: 0.5, minRequests: 20 } as const;
/** How far an engine may be from the training environment's answers. */
export const PARITY_TOLERANCE = 1e-6;
