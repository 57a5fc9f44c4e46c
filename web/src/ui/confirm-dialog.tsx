import { Button, Group, Modal, Stack, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { DialogProps } from './confirm.tsx';
import { Refusal } from './refusal.tsx';

const MAX_REASON = 1_000;

/** The dialog of a confirmation. */
export default function Dialog(props: DialogProps) {
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
