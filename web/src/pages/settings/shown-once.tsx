import { Button, Code, CopyButton, Group, Modal, Stack } from '@mantine/core';

interface ShownOnceProps {
  readonly token: string | undefined;
  readonly onClose: () => void;
}

/** A token that nobody can read again: it stays until one says that it is kept. */
export function ShownOnce({ token, onClose }: ShownOnceProps) {
  if (token === undefined) return null;
  return (
    <Modal
      opened
      onClose={onClose}
      title="The token, shown once"
      centered
      closeOnClickOutside={false}
      closeOnEscape={false}
      withCloseButton={false}
    >
      <Stack gap="sm">
        <p>Keep it where it is used: only its fingerprint is stored here.</p>
        <Code block aria-label="Token">
          {token}
        </Code>
        <Group justify="flex-end" gap="xs">
          <CopyButton value={token}>
            {({ copied, copy }) => (
              <Button size="xs" variant="default" onClick={copy}>
                {copied ? 'Copied' : 'Copy'}
              </Button>
            )}
          </CopyButton>
          <Button size="xs" onClick={onClose}>
            I have kept it
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
