import { type ReactNode, useEffect, useRef } from 'react';
import classes from './side-panel.module.css';

interface SidePanelProps {
  readonly title: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/**
 * What belongs to one row of a list, over its right side: the list stays in sight and in use. Escape closes it, and the focus
 * goes back to where it came from.
 */
export function SidePanel({ title, onClose, children }: SidePanelProps) {
  const panel = useRef<HTMLElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    panel.current?.focus({ preventScroll: true });
    return () => before?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('[role="dialog"]')) onClose();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [onClose]);
  return (
    <aside
      ref={panel}
      tabIndex={-1}
      className={classes['panel']}
      aria-label={typeof title === 'string' ? title : 'Details'}
    >
      <div className={classes['head']}>
        <h2>{title}</h2>
        <button type="button" className={classes['close']} onClick={onClose} aria-label="Close">
          ×
        </button>
      </div>
      <div className={classes['body']}>{children}</div>
    </aside>
  );
}
