import { Link, useRouterState } from '@tanstack/react-router';
import { type KeyboardEvent, useRef } from 'react';
import { useViewState } from '../../ui/view-state.ts';
import classes from './layout.module.css';
import { useModelName } from './layout.tsx';

const TABS = ['overview', 'live', 'monitor', 'versions', 'pipeline'] as const;
type Tab = (typeof TABS)[number];

const pathOf = (tab: Tab): string => (tab === 'overview' ? '/m/$name' : `/m/$name/${tab}`);

/** The part after the name says the tab, a version's own page included; a model may be called as a tab is. */
const tabOf = (route: string): Tab => TABS.find((tab) => route.startsWith(`/m/$name/${tab}`)) ?? 'overview';

/** Links, so that a tab can be copied and opened elsewhere; the arrows go from one to the next. */
export function ModelTabs() {
  const name = useModelName();
  const [endpoint] = useViewState('endpoint');
  const route = useRouterState({ select: ({ matches }) => matches.at(-1)?.fullPath ?? '' });
  const list = useRef<HTMLElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const links = [...(list.current?.querySelectorAll('a') ?? [])];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    links[(at + step + links.length) % links.length]?.focus();
  };
  const current = tabOf(route);
  return (
    <nav ref={list} className={classes['tabs']} aria-label={`Parts of ${name}`} onKeyDown={onKeyDown}>
      {TABS.map((tab) => (
        <Link
          key={tab}
          to={pathOf(tab) as '/m/$name'}
          params={{ name }}
          search={(endpoint === '' ? {} : { endpoint }) as never}
          className={classes['tab']}
          activeOptions={{ exact: true }}
          // The router marks exact matches alone; a version's page belongs to Versions.
          aria-current={tab === current ? 'page' : undefined}
        >
          {tab[0]!.toUpperCase() + tab.slice(1)}
        </Link>
      ))}
    </nav>
  );
}
