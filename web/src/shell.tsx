import { Outlet } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import { useLive } from './api/live.ts';
import { Door } from './door.tsx';
import { useGlobalKeys, usePageChange } from './navigation.ts';
import { Rail } from './rail.tsx';
import { useScrollPatience } from './scroll.ts';
import classes from './shell.module.css';
import { Top } from './top.tsx';
import { clockTime } from './ui/format.ts';

const Search = lazy(() => import('./search.tsx'));
const Keys = lazy(() => import('./keys.tsx'));

/** Rail, top line, what is said of a server that is away, and the keys that work everywhere. */
export function Shell() {
  return (
    <Door>
      <Frame />
    </Door>
  );
}

function Frame() {
  const lostAt = useLive();
  const [open, setOpen] = useState<'search' | 'keys' | null>(null);
  const close = (): void => setOpen(null);
  useGlobalKeys({ search: () => setOpen('search'), help: () => setOpen('keys') });
  usePageChange();
  useScrollPatience();
  return (
    <div className={classes['shell']}>
      <button type="button" className={classes['skip']} onClick={() => document.getElementById('content')?.focus()}>
        Skip to the content
      </button>
      <Rail />
      <div className={classes['main']}>
        <Top onSearch={() => setOpen('search')} onHelp={() => setOpen('keys')} />
        <main id="content" tabIndex={-1} className={classes['content']}>
          <Outlet />
        </main>
      </div>
      <div role="status" className={classes['lost']} hidden={lostAt === null}>
        {lostAt !== null && (
          <>
            <strong>The server does not answer</strong> since {clockTime(lostAt)}. Trying again by itself; what you see
            may be old, and what you typed stays.
          </>
        )}
      </div>
      <Suspense>
        {open === 'search' && <Search onClose={close} />}
        {open === 'keys' && <Keys onClose={close} />}
      </Suspense>
    </div>
  );
}
