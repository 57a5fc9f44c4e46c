import { Skeleton } from '@mantine/core';
import { lazy, Suspense } from 'react';
import type { GraphProps } from './graph-parts.ts';

const Flow = lazy(() => import('./flow.tsx'));

/** The one graph of boxes and arrows, laid out from left to right; its library comes when it is needed. */
export function Graph(props: GraphProps) {
  return (
    <Suspense fallback={<Skeleton height={props.height ?? 260} />}>
      <Flow {...props} />
    </Suspense>
  );
}
