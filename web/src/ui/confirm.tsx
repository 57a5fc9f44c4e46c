import { Button } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useRef, useState } from 'react';

export { Refusal } from './refusal.tsx';

const load = () => import('./confirm-dialog.tsx');
const Dialog = lazy(load);
// It must be there when the server is not.
if (typeof requestIdleCallback === 'function') requestIdleCallback(() => void load().catch(() => undefined));
else setTimeout(() => void load().catch(() => undefined), 1_000);

export interface DialogProps {
  /** The verb, on the button that does it. */
  readonly verb: string;
  /** What is done to what; the verb where absent. */
  readonly title?: ReactNode;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** What follows, what does not, and what is not undone. */
  readonly consequence: ReactNode;
  readonly act: (reason: string) => Promise<unknown>;
  /** Asks for the reason, which is kept with the decision. */
  readonly reason?: 'optional' | 'needed';
  readonly danger?: boolean;
  /** It cannot be done as things stand; why is told elsewhere in the dialog. */
  readonly blocked?: boolean;
  readonly size?: 'md' | 'lg' | 'xl';
  /** What was done goes on to be shown in the same place. */
  readonly staysOpen?: boolean;
  /** Choices to make before. */
  readonly children?: ReactNode;
}

/** Confirms an action with its consequence. What was typed stays when the server refuses or is away, and when it is closed. */
export function ConfirmDialog(props: DialogProps) {
  const wasOpen = useRef(false);
  if (props.isOpen) wasOpen.current = true;
  if (!wasOpen.current) return null;
  return (
    <Suspense>
      <Dialog {...props} />
    </Suspense>
  );
}

/** A dialog that a menu or an address opened. */
export type Opened = Pick<DialogProps, 'isOpen' | 'onClose'>;

export interface ConfirmProps extends Omit<DialogProps, 'isOpen' | 'onClose'> {
  readonly primary?: boolean;
  /** The button that opens. */
  readonly disabled?: boolean;
  /** In a row of a table or a list. */
  readonly compact?: boolean;
  /** Somebody was faster, in words: there is no button any more, and an open dialog says so and keeps what was typed. */
  readonly overtaken?: string | undefined;
}

/** A button whose action is confirmed with its consequence. */
export function Confirm({ primary, disabled, compact, overtaken, ...dialog }: ConfirmProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      {overtaken === undefined && (
        <Button
          size={compact ? 'compact-xs' : 'xs'}
          variant={primary ? 'filled' : 'default'}
          {...(dialog.danger && { color: 'red' })}
          disabled={disabled ?? false}
          onClick={() => setOpen(true)}
        >
          {dialog.verb}
        </Button>
      )}
      <ConfirmDialog
        {...dialog}
        blocked={dialog.blocked === true || overtaken !== undefined}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
      >
        {dialog.children}
        {overtaken !== undefined && <p role="alert">{overtaken}</p>}
      </ConfirmDialog>
    </>
  );
}

/** An action that has a button of its own, or that a menu opened. */
export function Action({ opened, ...props }: ConfirmProps & { readonly opened?: Opened | undefined }) {
  return opened ? <ConfirmDialog {...props} {...opened} /> : <Confirm {...props} />;
}
