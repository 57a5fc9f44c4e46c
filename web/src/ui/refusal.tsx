import { Code } from '@mantine/core';
import { ApiError } from '../errors.ts';

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
  if (error?.code === 'unreachable') return 'No answer came, so that it may or may not be done';
  if (error?.status === 401 || error?.status === 403) return 'Not allowed';
  if (error?.status === 409) return 'Not possible as things stand now';
  return 'That did not work';
}
