import type { ReactNode } from 'react';
import classes from './status.module.css';

/** Hue and shape and word, always all three. */
export type Health = 'good' | 'watch' | 'bad' | 'unknown' | 'running';

const SHAPES: Readonly<Record<Health, ReactNode>> = {
  good: <circle cx="6" cy="6" r="5" fill="currentColor" />,
  watch: <path d="M6 .8 11.6 11H.4Z" fill="currentColor" />,
  bad: <path d="M3.6.5h4.8l3.1 3.1v4.8l-3.1 3.1H3.6L.5 8.4V3.6Z" fill="currentColor" />,
  unknown: <circle cx="6" cy="6" r="4.4" fill="none" stroke="currentColor" strokeWidth="1.4" />,
  running: <circle cx="6" cy="6" r="4.2" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="19 8" />,
};

interface StatusProps {
  readonly health: Health;
  /** The state in the glossary's word. */
  readonly word: string;
  /** The word is then only for screen readers and hovering. */
  readonly iconOnly?: boolean;
  readonly title?: string;
}

export function Status({ health, word, iconOnly = false, title }: StatusProps) {
  return (
    <span className={`${classes['status']} ${classes[health]}`} title={title ?? (iconOnly ? word : undefined)}>
      <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
        {SHAPES[health]}
      </svg>
      <span className={iconOnly ? classes['hidden'] : undefined}>{word}</span>
    </span>
  );
}
