import { useRouterState } from '@tanstack/react-router';
import { useGet } from './api/queries.ts';
import { PLACES, placeOf } from './places.ts';
import classes from './shell.module.css';
import { ActivityIcon, DataIcon, HomeIcon, ModelsIcon, RunsIcon, SettingsIcon } from './ui/icons.tsx';
import { GoLink } from './ui/link.tsx';

const ICONS = {
  '/': HomeIcon,
  '/models': ModelsIcon,
  '/runs': RunsIcon,
  '/data': DataIcon,
  '/activity': ActivityIcon,
  '/settings': SettingsIcon,
} as const;

/** The places; at the left, above words where it is narrow, and at the foot of a phone. */
export function Rail() {
  const needs = useGet('GET /status').data?.needsYou.length ?? 0;
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const here = placeOf(path);
  return (
    <nav className={classes['rail']} aria-label="Places">
      <GoLink to="/" className={classes['brand']} tabIndex={-1} aria-hidden="true">
        Levain
      </GoLink>
      {PLACES.map(({ to, word, key }) => {
        const Icon = ICONS[to];
        return (
          <GoLink
            key={to}
            to={to}
            className={classes['place']}
            aria-current={here === to ? 'page' : undefined}
            title={`${word} (g ${key})`}
          >
            <Icon />
            <span>{word}</span>
            {to === '/' && needs > 0 && (
              <span className={classes['needs']}>
                {needs}
                <span className={classes['hidden']}> need you</span>
              </span>
            )}
          </GoLink>
        );
      })}
    </nav>
  );
}
