import { assertAllowed, type Identified } from '../identity/index.ts';
import { isAppError } from '../kernel/errors.ts';
import type { Route } from '../wire/route.ts';
import { API } from './mount.ts';

type Item = Readonly<Record<string, unknown>>;

/** What each table of the page shows: a route of ours, and the fields of its items. */
const TABLES: readonly {
  readonly title: string;
  readonly path: string;
  readonly list: string;
  readonly fields: readonly string[];
}[] = [
  {
    title: 'Models',
    path: '/status',
    list: 'models',
    fields: ['name', 'endpoint', 'version', 'live', 'lights', 'held'],
  },
  {
    title: 'Incidents',
    path: '/incidents',
    list: 'items',
    fields: ['number', 'model', 'light', 'state', 'verdict'],
  },
  { title: 'Versions', path: '/models', list: 'items', fields: ['name', 'versions', 'champion', 'waiting'] },
  { title: 'Runs', path: '/pipeline-runs', list: 'items', fields: ['id', 'pipeline', 'state', 'trigger', 'startedAt'] },
  { title: 'Activity', path: '/activity', list: 'items', fields: ['at', 'kind', 'subject', 'sentence', 'command'] },
];

/** The plain page at `/`: the state, from the same routes that the command line reads, and where to go on. */
export function homeRoute(routes: readonly Route[], version: string) {
  return async (who: Identified, project: string | undefined): Promise<string> => {
    try {
      assertAllowed(who, 'read');
    } catch {
      return toPage(version, '<p>Log in with <code>levain login</code>.</p>');
    }
    const prefix = project === undefined ? '' : `/p/${encodeURIComponent(project)}`;
    const sections = await Promise.all(TABLES.map((table) => toSection(routes, who, table)));
    return toPage(version, sections.join('') + toLinks(prefix));
  };
}

async function toSection(routes: readonly Route[], who: Identified, table: (typeof TABLES)[number]): Promise<string> {
  const route = routes.find(({ method, path }) => method === 'GET' && path === table.path);
  if (!route) return '';
  // A line a batch of labels would push everything else off the page.
  const items = (await listOf(route, who, table.list)).filter(({ kind }) => kind !== 'label');
  if (items.length === 0) return `<h2>${table.title}</h2><p>None yet.</p>`;
  const fields = table.fields.filter((field) =>
    items.some((item) => item[field] !== undefined && item[field] !== null),
  );
  const head = fields.map((field) => `<th>${escapeHtml(field)}</th>`).join('');
  const rows = items.map(
    (item) => `<tr>${fields.map((field) => `<td>${escapeHtml(show(item[field]))}</td>`).join('')}</tr>`,
  );
  return `<h2>${table.title}</h2><table><thead><tr>${head}</tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

async function listOf(route: Route, who: Identified, list: string): Promise<readonly Item[]> {
  const query = route.query?.safeParse({ limit: '50' });
  const context = {
    actor: who.actor,
    params: {},
    query: query?.success ? query.data : {},
    body: undefined,
    headers: {},
    signal: new AbortController().signal,
    requestId: '',
  };
  try {
    const answer = (await route.handler(context as unknown as Parameters<Route['handler']>[0])) as Item;
    const items = answer[list];
    return Array.isArray(items) ? (items.slice(0, 20) as Item[]) : [];
  } catch (error) {
    if (isAppError(error)) return [{ sentence: error.message }];
    throw error;
  }
}

function toLinks(prefix: string): string {
  const links = [
    [`${prefix}${API}/status`, 'state as JSON'],
    [`${prefix}${API}/activity`, 'timeline as JSON'],
    [`${prefix}${API}/openapi.json`, 'OpenAPI'],
    ['/health', 'health'],
  ];
  return `<p>${links.map(([href, text]) => `<a href="${href}">${text}</a>`).join(' · ')}</p>`;
}

const STYLE =
  ':root{color-scheme:light dark}body{font:15px/1.5 system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem}table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}h2{margin-top:2rem}@media(max-width:40rem){table,tbody,tr,td{display:block}thead{display:none}tr{border-top:1px solid;padding:.4rem 0}td{overflow-wrap:anywhere}}';

const toPage = (version: string, body: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Levain</title><style>${STYLE}</style><h1>Levain</h1>` +
  `<p>Version ${escapeHtml(version)}. Point <code>MLFLOW_TRACKING_URI</code> at this address; ask <code>levain status</code> for more.</p>${body}</html>\n`;

/** An object by its state or kind; a record of them (lights) by name. */
function show(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return value.map(show).join(', ');
  const known = value as { readonly state?: unknown; readonly kind?: unknown };
  if (typeof known.state === 'string') return known.state;
  if (typeof known.kind === 'string') return known.kind;
  return Object.entries(value)
    .map(([key, item]) => `${key}: ${show(item)}`)
    .join(', ');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
