import { Button, Code, Group, Modal, Stack, Textarea } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { ApiError } from '../errors.ts';

interface ConfirmProps {
  /** The verb, on the button that opens and on the one that does it. */
  readonly verb: string;
  /** What follows, what does not, and what is not undone. */
  readonly consequence: ReactNode;
  readonly act: (reason: string) => Promise<unknown>;
  /** Asks for the reason, which is kept with the decision. */
  readonly reason?: 'optional' | 'needed';
  readonly primary?: boolean;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  readonly children?: ReactNode;
}

/** A button whose action is confirmed with its consequence. What was typed stays when the server refuses or is away. */
export function Confirm({ verb, consequence, act, reason, primary, danger, disabled, children }: ConfirmProps) {
  const [isOpen, setOpen] = useState(false);
  const [why, setWhy] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const confirm = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await act(why);
      setOpen(false);
      setWhy('');
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button
        size="xs"
        variant={primary ? 'filled' : 'default'}
        {...(danger && { color: 'red' })}
        disabled={disabled ?? false}
        onClick={() => setOpen(true)}
      >
        {verb}
      </Button>
      <Modal opened={isOpen} onClose={() => setOpen(false)} title={verb} centered>
        <Stack gap="sm">
          <div>{consequence}</div>
          {children}
          {reason && (
            <Textarea
              label={reason === 'needed' ? 'Reason' : 'Reason (optional)'}
              value={why}
              onChange={(event) => setWhy(event.currentTarget.value)}
              autosize
              minRows={2}
            />
          )}
          {error !== null && <Refusal error={error} />}
          <Group justify="flex-end" gap="xs">
            <Button size="xs" variant="default" onClick={() => setOpen(false)}>
              Cancel
            </Button>
            <Button
              size="xs"
              loading={isBusy}
              disabled={reason === 'needed' && why.trim() === ''}
              {...(danger && { color: 'red' })}
              onClick={() => void confirm()}
            >
              {verb}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  );
}

function Refusal({ error }: { readonly error: unknown }) {
  const hint = error instanceof ApiError ? error.hint : undefined;
  return (
    <div role="alert" style={{ color: 'var(--bad)' }}>
      {error instanceof Error ? error.message : String(error)}
      {hint && (
        <>
          {' '}
          <Code>{hint}</Code>
        </>
      )}
    </div>
  );
}
