import { CopyButton, Tooltip, UnstyledButton } from '@mantine/core';
import { shortId } from './format.ts';

interface IdProps {
  readonly id: string;
  /** Of digests the first characters are shown: they are random, and so they are written everywhere. */
  readonly isDigest?: boolean;
}

/** The last seven characters of an id; the whole on hover, one click copies it. */
export function Id({ id, isDigest = false }: IdProps) {
  return (
    <CopyButton value={id}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'copied' : id} openDelay={300}>
          <UnstyledButton
            className="mono"
            onClick={copy}
            aria-label={`${isDigest ? id.slice(0, 7) : shortId(id)}: copy the id ${id}`}
          >
            {isDigest ? id.slice(0, 7) : shortId(id)}
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}
