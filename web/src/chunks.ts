import { createElement, type ReactNode, use } from 'react';
import { BASE } from './api/client.ts';
import { ApiError } from './errors.ts';

const RELOADED = 'levain-reloaded';
const nothing = (): Promise<never> => new Promise(() => undefined);

/**
 * Loads a part of the UI. After an upgrade of the server the parts of the page that is open are gone: it is then loaded again, once.
 * Where the server does not answer, that is said like any other failure, and nothing is lost.
 */
export async function chunk<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const newest = await newestPage();
    if (newest === undefined) throw new ApiError('unreachable', 0, 'The server does not answer');
    if (newest === entry() || sessionStorage.getItem(RELOADED) === newest) throw error;
    sessionStorage.setItem(RELOADED, newest);
    location.reload();
    return nothing();
  }
}

const ENTRY = /src="\.\/(assets\/[^"]+\.js)"/;
const entry = (): string | undefined =>
  ENTRY.exec(document.querySelector('script[type="module"]')?.outerHTML ?? '')?.[1];

/** The script that the server's page begins with now; undefined where it does not answer. */
async function newestPage(): Promise<string | undefined> {
  try {
    const answer = await fetch(`${BASE}/`, { cache: 'no-store', headers: { accept: 'text/html' } });
    return answer.ok ? ENTRY.exec(await answer.text())?.[1] : undefined;
  } catch {
    return undefined;
  }
}

type Page = () => ReactNode;

const failed = new Set<() => void>();

/** Lets what could not be loaded be tried once more. */
export function forgetFailures(): void {
  for (const forget of failed) forget();
  failed.clear();
}

/** A page that is loaded when it is first shown, or when somebody is about to go there. */
export function lazyPage(load: () => Promise<{ readonly default: Page }>): Page & { preload: () => Promise<void> } {
  let page: Page | undefined;
  let loading: Promise<void> | undefined;
  const start = (): Promise<void> => {
    loading ??= chunk(load).then((loaded) => {
      page = loaded.default;
    });
    loading.catch(() =>
      failed.add(() => {
        loading = undefined;
      }),
    );
    return loading;
  };
  // biome-ignore lint/correctness/noComponentHookFactories: called once a route, when the module is read
  const Lazy = (): ReactNode => {
    if (!page) use(start());
    return createElement(page!);
  };
  return Object.assign(Lazy, { preload: () => start().catch(() => undefined) });
}
