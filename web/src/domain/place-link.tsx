import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Place } from './places.ts';

interface PlaceLinkProps {
  readonly place: Place;
  readonly className?: string | undefined;
  readonly title?: string | undefined;
  readonly children: ReactNode;
}

/** A link to where something is shown. In a row that opens, it goes its own way. */
export function PlaceLink({ place, children, className, title }: PlaceLinkProps) {
  return (
    <Link
      to={place.to}
      search={(place.search ?? {}) as never}
      className={className}
      title={title}
      onClick={(event) => event.stopPropagation()}
    >
      {children}
    </Link>
  );
}
