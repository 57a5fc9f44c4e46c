import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';

type Search = Readonly<Record<string, string | undefined>>;

/** One piece of view state that stands in the address; back and forward bring it back. */
export function useViewState(name: string, initial = ''): readonly [string, (value: string | undefined) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const set = (value: string | undefined): void => {
    void navigate({
      to: '.',
      replace: true,
      resetScroll: false,
      search: ((before: Search) => ({ ...before, [name]: value || undefined })) as never,
    });
  };
  return [search[name] ?? initial, set];
}

export interface Sort {
  readonly column: string;
  readonly descending: boolean;
}

/** Sorting as `column` or `-column`. */
export const toSort = (text: string): Sort | undefined =>
  text === '' ? undefined : { column: text.replace(/^-/, ''), descending: text.startsWith('-') };

export const fromSort = (sort: Sort | undefined): string => (sort ? `${sort.descending ? '-' : ''}${sort.column}` : '');

export interface TableView {
  readonly sort: Sort | undefined;
  readonly onSort: (sort: Sort | undefined) => void;
  readonly hidden: readonly string[];
  readonly onHide: (hidden: readonly string[]) => void;
}

/** Sorting and hidden columns of a table, in the address. Tables of one page are told apart by a prefix. */
export function useTableView(prefix = '', initialSort = ''): TableView {
  const [sort, setSort] = useViewState(`${prefix}sort`, initialSort);
  const [hide, setHide] = useViewState(`${prefix}hide`);
  return {
    sort: useMemo(() => toSort(sort), [sort]),
    onSort: (next) => setSort(fromSort(next)),
    hidden: useMemo(() => (hide === '' ? [] : hide.split(',')), [hide]),
    onHide: (next) => setHide(next.join(',')),
  };
}

/** Several pieces of view state at once, as one step of the history: a choice that back and forward go through. */
export function useView(): readonly [Search, (changes: Search) => void] {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const change = (changes: Search): void => {
    void navigate({
      to: '.',
      resetScroll: false,
      search: ((before: Search) =>
        Object.fromEntries(Object.entries({ ...before, ...changes }).filter(([, value]) => value))) as never,
    });
  };
  return [search, change];
}
