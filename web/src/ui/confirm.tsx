import { Button, Code, Group, Modal, Stack, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ApiError } from '../errors.ts';

interface DialogProps {
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

/** Confirms an action with its consequence. What was typed stays when the server refuses or is away. */
export function ConfirmDialog(props: DialogProps) {
  const {
    verb,
    title = verb,
    isOpen,
    onClose,
    consequence,
    act,
    reason,
    danger,
    blocked,
    size = 'md',
    staysOpen = false,
    children,
  } = props;
  const [why, setWhy] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await act(why.trim());
      setWhy('');
      if (!staysOpen) onClose();
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      title={<strong>{title}</strong>}
      centered
      size={size}
      onExitTransitionEnd={() => setError(null)}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        <Stack gap="sm">
          <div>{consequence}</div>
          {children}
          {reason && (
            <Textarea
              data-autofocus
              label={reason === 'needed' ? 'Reason' : 'Reason (optional)'}
              description="Kept with the decision, shown in the activity."
              value={why}
              onChange={(event) => setWhy(event.currentTarget.value)}
              maxLength={MAX_REASON}
              autosize
              minRows={2}
              maxRows={8}
            />
          )}
          {error !== null && <Refusal error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button size="xs" variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button
              size="xs"
              type="submit"
              loading={isBusy}
              disabled={blocked || (reason === 'needed' && why.trim() === '')}
              {...(danger && { color: 'red' })}
            >
              {verb}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

const MAX_REASON = 1_000;

/** A dialog that a menu or an address opened. */
export type Opened = Pick<DialogProps, 'isOpen' | 'onClose'>;

export interface ConfirmProps extends Omit<DialogProps, 'isOpen' | 'onClose'> {
  readonly primary?: boolean;
  /** The button that opens. */
  readonly disabled?: boolean;
}

/** A button whose action is confirmed with its consequence. */
export function Confirm({ primary, disabled, ...dialog }: ConfirmProps) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button
        size="xs"
        variant={primary ? 'filled' : 'default'}
        {...(dialog.danger && { color: 'red' })}
        disabled={disabled ?? false}
        onClick={() => setOpen(true)}
      >
        {dialog.verb}
      </Button>
      <ConfirmDialog {...dialog} isOpen={isOpen} onClose={() => setOpen(false)} />
    </>
  );
}

/** An action that has a button of its own, or that a menu opened. */
export function Action({ opened, ...props }: ConfirmProps & { readonly opened?: Opened | undefined }) {
  return opened ? <ConfirmDialog {...props} {...opened} /> : <Confirm {...props} />;
}

/** Why it was not done: what the server said, what to do, and the id to quote. */
export function Refusal({ error }: { readonly error: unknown }) {
  const known = error instanceof ApiError ? error : undefined;
  return (
    <div role="alert" style={{ color: 'var(--bad)', overflowWrap: 'anywhere' }}>
      <strong>{titleOf(known)}. </strong>
      {error instanceof Error ? error.message : String(error)}
      {known?.hint && (
        <>
          {' '}
          <Code>{known.hint}</Code>
        </>
      )}
      {known?.requestId && <div className="muted mono">request {known.requestId}</div>}
    </div>
  );
}

function titleOf(error: ApiError | undefined): string {
  if (error?.code === 'unreachable') return 'Nothing was done';
  if (error?.status === 401 || error?.status === 403) return 'Not allowed';
  if (error?.status === 409) return 'Not possible as things stand now';
  return 'That did not work';
}
