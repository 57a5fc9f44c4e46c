import { Button, Code, Skeleton } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiError } from '../errors.ts';
import classes from './states.module.css';

/** What failed, why, what to do, the id to quote, and a way to try again. */
export function Failure({ error, retry }: { readonly error: unknown; readonly retry?: () => void }) {
  const known = error instanceof ApiError ? error : undefined;
  return (
    <section className={classes['failure']} role="alert">
      <h2>{titleOf(known)}</h2>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {known?.hint && (
        <p>
          Try <Code>{known.hint}</Code>
        </p>
      )}
      {known?.requestId && <p className="muted mono">request {known.requestId}</p>}
      {retry && (
        <Button size="xs" variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </section>
  );
}

function titleOf(error: ApiError | undefined): string {
  if (error?.code === 'unreachable') return 'The server does not answer';
  if (error?.status === 403) return 'Not allowed';
  if (error?.status === 404) return 'Not found';
  if (error?.status === 409) return 'Somebody was faster';
  return 'That did not work';
}

/** One sentence, and the command or button that fills the place. */
export function Empty({
  children,
  command,
  action,
}: {
  readonly children: ReactNode;
  readonly command?: string;
  readonly action?: ReactNode;
}) {
  return (
    <section className={classes['empty']}>
      <p>{children}</p>
      {command && <Code block>{command}</Code>}
      {action}
    </section>
  );
}

/** In the shape of what comes: so many rows of a table. */
export function Rows({ count = 6 }: { readonly count?: number }) {
  return (
    <div role="status" aria-label="Loading" className={classes['rows']}>
      {Array.from({ length: count }, (_, i) => (
        <Skeleton key={i} height={20} radius={4} />
      ))}
    </div>
  );
}
