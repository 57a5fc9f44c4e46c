import { ActionIcon, Badge, Modal, Table, useMantineColorScheme } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { type Connection, listen } from './api/live.ts';
import { useGet } from './api/queries.ts';
import { Search } from './search.tsx';
import classes from './shell.module.css';
import { ActivityIcon, DataIcon, HomeIcon, ModelsIcon, RunsIcon, SettingsIcon } from './ui/icons.tsx';
import { GoLink } from './ui/link.tsx';

const PLACES = [
  { to: '/', word: 'Home', key: 'h', Icon: HomeIcon },
  { to: '/models', word: 'Models', key: 'm', Icon: ModelsIcon },
  { to: '/runs', word: 'Runs', key: 'r', Icon: RunsIcon },
  { to: '/data', word: 'Data', key: 'd', Icon: DataIcon },
  { to: '/activity', word: 'Activity', key: 'a', Icon: ActivityIcon },
  { to: '/settings', word: 'Settings', key: 's', Icon: SettingsIcon },
] as const;

const SEQUENCE_MS = 1_000;

/** Rail, top line, banner of a server that is away, and the keys that work everywhere. */
export function Shell() {
  const [connection, setConnection] = useState<Connection>('open');
  const queries = useQueryClient();
  useEffect(() => listen(queries, setConnection), [queries]);
  const [isHelp, setHelp] = useState(false);
  const [isSearch, setSearch] = useState(false);
  useGoKeys();
  useHotkeys([
    ['/', () => setSearch(true)],
    ['shift+?', () => setHelp(true)],
  ]);
  return (
    <div className={classes['shell']}>
      <a className={classes['skip']} href="#content">
        Skip to the content
      </a>
      <Rail />
      <div className={classes['main']}>
        <Top onSearch={() => setSearch(true)} />
        {connection === 'lost' && (
          <output className={classes['banner']}>
            The server does not answer. Trying again; what you see may be old.
          </output>
        )}
        <main id="content" tabIndex={-1} className={classes['content']}>
          <Outlet />
        </main>
      </div>
      {isSearch && <Search isOpen onClose={() => setSearch(false)} />}
      {isHelp && <Keys isOpen onClose={() => setHelp(false)} />}
    </div>
  );
}

/** `g` and then a letter goes to a place. */
function useGoKeys(): void {
  const navigate = useNavigate();
  useEffect(() => {
    let startedAt = 0;
    const onKey = (event: KeyboardEvent): void => {
      const target = event.target as HTMLElement;
      if (
        target.closest('input, textarea, select, [contenteditable]') ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey
      )
        return;
      if (event.key === 'g') startedAt = event.timeStamp;
      else if (event.timeStamp - startedAt < SEQUENCE_MS) {
        const place = PLACES.find(({ key }) => key === event.key);
        startedAt = 0;
        if (place) void navigate({ to: place.to as '/' });
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [navigate]);
}

function Rail() {
  const status = useGet('GET /status');
  const needs = status.data?.needsYou.length ?? 0;
  return (
    <nav className={classes['rail']} aria-label="Places">
      <Link to="/" className={classes['brand']}>
        Levain
      </Link>
      {PLACES.map(({ to, word, Icon }) => (
        <Link
          key={to}
          to={to as '/'}
          className={classes['place']}
          activeOptions={{ exact: to === '/' }}
          activeProps={{ 'aria-current': 'page' }}
        >
          <Icon />
          <span>{word}</span>
          {to === '/' && needs > 0 && (
            <Badge size="xs" circle={needs < 10} color="crust" aria-label={`${needs} need you`}>
              {needs}
            </Badge>
          )}
        </Link>
      ))}
    </nav>
  );
}

function Top({ onSearch }: { readonly onSearch: () => void }) {
  const { colorScheme, toggleColorScheme } = useMantineColorScheme();
  const path = useRouterState({ select: ({ location }) => location.pathname });
  return (
    <header className={classes['top']}>
      <nav aria-label="Breadcrumb" className={classes['crumbs']}>
        {crumbsOf(path).map(({ to, word }, index, all) => (
          <span key={to}>
            {index > 0 && <span aria-hidden="true"> / </span>}
            {index === all.length - 1 ? <span aria-current="page">{word}</span> : <GoLink to={to}>{word}</GoLink>}
          </span>
        ))}
      </nav>
      <button type="button" className={classes['search']} onClick={onSearch}>
        Search <kbd>/</kbd>
      </button>
      <ActionIcon
        variant="subtle"
        color="gray"
        onClick={() => toggleColorScheme()}
        aria-label={colorScheme === 'dark' ? 'Light theme' : 'Dark theme'}
      >
        {colorScheme === 'dark' ? '☀' : '☾'}
      </ActionIcon>
    </header>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  m: 'Models',
  i: 'Incidents',
  models: 'Models',
  runs: 'Runs',
  data: 'Data',
  activity: 'Activity',
  settings: 'Settings',
};
const PARENTS: Readonly<Record<string, string>> = { m: '/models', i: '/' };

function crumbsOf(path: string): readonly { readonly to: string; readonly word: string }[] {
  const parts = path.split('/').filter((part) => part !== '');
  if (parts.length === 0) return [{ to: '/', word: 'Home' }];
  return parts.map((part, index) => ({
    to: index === 0 ? (PARENTS[part] ?? `/${part}`) : `/${parts.slice(0, index + 1).join('/')}`,
    word: index === 0 ? (WORDS[part] ?? part) : decodeURIComponent(part),
  }));
}

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'search'],
  ...PLACES.map(({ key, word }) => [`g ${key}`, `go to ${word}`] as const),
  ['j, k', 'next or previous row of a table'],
  ['Enter', 'open the row'],
  ['x', 'select the row'],
  ['?', 'this list'],
];

function Keys({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={isOpen} onClose={onClose} title="Keys">
      <Table>
        <Table.Tbody>
          {KEYS.map(([key, what]) => (
            <Table.Tr key={key}>
              <Table.Td>
                <kbd>{key}</kbd>
              </Table.Td>
              <Table.Td>{what}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Modal>
  );
}
