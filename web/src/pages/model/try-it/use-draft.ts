import { useEffect, useState } from 'react';
import { type Extras, NO_EXTRAS, type Row } from './request.ts';

export interface Draft {
  readonly rows: readonly Row[];
  readonly extras: Extras;
  /** The text of the JSON mode; null while the form is shown. */
  readonly json: string | null;
}

/** What is typed, kept with the browser's tab: nothing is lost by a look elsewhere or a reload. */
export function useDraft(name: string, initial: () => readonly Row[]) {
  const key = `levain.try-it.${name}`;
  const [draft, setDraft] = useState<Draft>(() => stored(key) ?? { rows: initial(), extras: NO_EXTRAS, json: null });
  useEffect(() => {
    try {
      sessionStorage.setItem(key, JSON.stringify(draft));
    } catch {
      // Full, or forbidden: the draft then lives as long as the page.
    }
  }, [key, draft]);
  return [draft, (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))] as const;
}

function stored(key: string): Draft | undefined {
  try {
    const draft = JSON.parse(sessionStorage.getItem(key) ?? '') as Draft;
    return Array.isArray(draft.rows) && draft.rows.length > 0
      ? { ...draft, extras: { ...NO_EXTRAS, ...draft.extras } }
      : undefined;
  } catch {
    return undefined;
  }
}
