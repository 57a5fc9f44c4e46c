import { Button } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { forgetFailures } from './chunks.ts';
import { ApiError } from './errors.ts';
import { GoLink } from './ui/link.tsx';
import { Page } from './ui/page.tsx';
import { Empty, Failure } from './ui/states.tsx';

/** A page that failed to load or to draw itself; the rail still leads elsewhere. */
export function Crashed({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  const router = useRouter();
  const retry = (): void => {
    forgetFailures();
    reset();
    void router.invalidate();
  };
  if (error instanceof ApiError) return <Failure error={error} retry={retry} />;
  return (
    <Page title="This page failed">
      <Failure error={error} retry={retry} />
      <p className="muted">
        It is a fault of this page: nothing was changed on the server. The other pages go on working; reloading begins
        anew.
      </p>
      <div>
        <Button size="xs" variant="default" onClick={() => location.reload()}>
          Reload
        </Button>
      </div>
    </Page>
  );
}

/** An address that leads nowhere. */
export function Unknown() {
  return (
    <Page title="No such page">
      <Empty>
        Nothing is at <code>{location.pathname}</code>. <GoLink to="/">Home</GoLink> shows what needs you; <kbd>/</kbd>{' '}
        searches.
      </Empty>
    </Page>
  );
}
