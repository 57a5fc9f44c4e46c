import { type ReactNode, useId, useRef } from 'react';
import classes from './dropdown.module.css';

interface DropdownProps {
  readonly label: ReactNode;
  /** For screen readers, where the label is a sign. */
  readonly name?: string;
  readonly children: ReactNode;
  readonly className?: string | undefined;
}

const GAP = 4;

/** A button and what drops from it: the browser's own popover, which closes on Escape and on a click elsewhere. */
export function Dropdown({ label, name, children, className }: DropdownProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const place = (): void => {
    const [at, box] = [button.current?.getBoundingClientRect(), panel.current];
    if (!at || !box) return;
    box.style.top = `${at.bottom + GAP}px`;
    box.style.left = `${Math.max(GAP, Math.min(at.left, innerWidth - box.offsetWidth - GAP * 2))}px`;
    box.style.maxHeight = `${innerHeight - at.bottom - GAP * 4}px`;
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        className={className ?? classes['button']}
        popoverTarget={id}
        aria-haspopup="true"
        {...(name && { 'aria-label': name })}
      >
        {label}
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        className={classes['panel']}
        onToggle={(event) => event.newState === 'open' && place()}
      >
        {children}
      </div>
    </>
  );
}
