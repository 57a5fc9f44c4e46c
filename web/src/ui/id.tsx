import { CopyButton, Tooltip, UnstyledButton } from '@mantine/core';
import { shortId } from './format.ts';

/** The last seven characters of an id; the whole on hover, one click copies it. */
export function Id({ id }: { readonly id: string }) {
  return (
    <CopyButton value={id}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'copied' : id} openDelay={300}>
          <UnstyledButton className="mono" onClick={copy} aria-label={`${shortId(id)}: copy the id ${id}`}>
            {shortId(id)}
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}
