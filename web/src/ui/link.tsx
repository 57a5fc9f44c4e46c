import { useRouter } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, MouseEvent } from 'react';

/** Goes to a place of the UI, written as its whole address: `/m/churn/versions?version=7`. */
export function useGo(): (to: string) => void {
  const router = useRouter();
  return (to) => router.history.push(`${router.basepath.replace(/\/$/, '')}${to}`);
}

/** Whether the browser should do what it does with links: another tab, a download. */
export const isPlainClick = (event: MouseEvent | KeyboardEvent): boolean =>
  !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) &&
  (!('button' in event) || (event as MouseEvent).button === 0);

/** A real link to a place of the UI; it can be copied, and opened in another tab. */
export function GoLink({
  to,
  onClick,
  ...rest
}: { readonly to: string } & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'>) {
  const go = useGo();
  return (
    <a
      {...rest}
      // Relative to <base href>, which holds the path prefix and the project.
      href={`.${to}`}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || !isPlainClick(event)) return;
        event.preventDefault();
        go(to);
      }}
    />
  );
}
