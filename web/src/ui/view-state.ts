import { useNavigate, useSearch } from '@tanstack/react-router';

/** One piece of view state that stands in the address; back and forward bring it back. */
export function useViewState(name: string, initial = ''): readonly [string, (value: string | undefined) => void] {
  const search = useSearch({ strict: false }) as Readonly<Record<string, string | undefined>>;
  const navigate = useNavigate();
  const set = (value: string | undefined): void => {
    void navigate({
      to: '.',
      replace: true,
      search: ((before: Record<string, string | undefined>) => ({ ...before, [name]: value || undefined })) as never,
    });
  };
  return [search[name] ?? initial, set];
}

/** Sorting as `column` or `-column`. */
export const toSort = (text: string): { readonly column: string; readonly descending: boolean } | undefined =>
  text === '' ? undefined : { column: text.replace(/^-/, ''), descending: text.startsWith('-') };

export const fromSort = (sort: { readonly column: string; readonly descending: boolean } | undefined): string =>
  sort ? `${sort.descending ? '-' : ''}${sort.column}` : '';
