import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { BASE } from './api/client.ts';
import { lazyPage } from './chunks.ts';
import { Crashed, Unknown } from './faults.tsx';
import { Shell } from './shell.tsx';
import { Rows } from './ui/states.tsx';

/** What stands in the address: filters, sorting, tabs. Texts only; a page reads what it knows. */
type Search = Readonly<Record<string, string | undefined>>;

const root = createRootRoute({
  component: Shell,
  validateSearch: (search: Record<string, unknown>): Search =>
    Object.fromEntries(
      Object.entries(search).flatMap(([name, value]) =>
        value === undefined || value === null || value === '' ? [] : [[name, String(value)]],
      ),
    ),
});

const page = <const P extends string>(path: P, load: () => Promise<{ default: () => React.ReactNode }>) =>
  createRoute({ getParentRoute: () => root, path, component: lazyPage(load) });

const model = createRoute({
  getParentRoute: () => root,
  path: '/m/$name',
  component: lazyPage(() => import('./pages/model/layout.tsx')),
});

const tab = <const P extends string>(path: P, load: () => Promise<{ default: () => React.ReactNode }>) =>
  createRoute({ getParentRoute: () => model, path, component: lazyPage(load) });

const tree = root.addChildren([
  page('/', () => import('./pages/home/page.tsx')),
  page('/models', () => import('./pages/models/page.tsx')),
  page('/new', () => import('./pages/new/page.tsx')),
  page('/new/$id', () => import('./pages/new/drop-page.tsx')),
  page('/i/$number', () => import('./pages/incident/page.tsx')),
  page('/why/$id', () => import('./pages/why/page.tsx')),
  page('/runs', () => import('./pages/runs/page.tsx')),
  page('/runs/$id', () => import('./pages/run/page.tsx')),
  page('/compare', () => import('./pages/compare/page.tsx')),
  page('/data', () => import('./pages/data/page.tsx')),
  page('/data/$name', () => import('./pages/dataset/page.tsx')),
  page('/activity', () => import('./pages/activity/page.tsx')),
  page('/settings', () => import('./pages/settings/page.tsx')),
  model.addChildren([
    tab('/', () => import('./pages/model/overview.tsx')),
    tab('/live', () => import('./pages/model/live.tsx')),
    tab('/monitor', () => import('./pages/model/monitor.tsx')),
    tab('/versions', () => import('./pages/model/versions.tsx')),
    tab('/versions/$version', () => import('./pages/model/versions/page.tsx')),
    tab('/pipeline', () => import('./pages/model/pipeline.tsx')),
  ]),
]);

function toQuery(search: Search): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) if (value !== undefined && value !== '') given.set(name, value);
  const text = given.toString();
  return text === '' ? '' : `?${text}`;
}

export const createPages = () =>
  createRouter({
    routeTree: tree,
    basepath: BASE === '' ? '/' : BASE,
    // Texts, as every other program writes them; JSON would turn `1e5` into a number and put quotes around `7`.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: (search) => toQuery(search as Search),
    defaultPreload: 'intent',
    defaultPendingMs: 300,
    defaultPendingComponent: () => <Rows />,
    // Each page has its own: the shell stays, whatever a page does.
    defaultErrorComponent: Crashed,
    defaultNotFoundComponent: Unknown,
    scrollRestoration: true,
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPages>;
  }
}
