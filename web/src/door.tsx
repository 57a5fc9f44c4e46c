import { lazy, type ReactNode, Suspense, useRef } from 'react';
import { useGet } from './api/queries.ts';

const Login = lazy(() => import('./login.tsx'));

/**
 * Where the server wants to know who asks, a login stands before the page, at the page's own address. Somebody whose session ended
 * finds the page behind it as it was, with all that was typed.
 */
export function Door({ children }: { readonly children: ReactNode }) {
  const { data: session } = useGet('GET /session');
  const wasIn = useRef(false);
  const isNobody = session !== undefined && !session.isOpen && session.user === null;
  if (session !== undefined && !isNobody) wasIn.current = true;
  return (
    <>
      {(!isNobody || wasIn.current) && children}
      {isNobody && (
        <Suspense>
          <Login hasEnded={wasIn.current} />
        </Suspense>
      )}
    </>
  );
}
