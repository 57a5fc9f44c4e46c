import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call } from '../../../api/client.ts';
import { useGet } from '../../../api/queries.ts';
import type { AnswerOf } from '../../../api/routes.ts';
import { useViewState } from '../../../ui/view-state.ts';

export type Prediction = AnswerOf<'GET /labels/predictions'>['items'][number];

const STEPS = [100, 400, 1_000];
const PAGE = 1_000;
/** What one export holds at most. */
export const MOST_EXPORTED = 20_000;

export interface Filters {
  readonly text: string;
  readonly version: string;
  readonly label: string;
  readonly status: string;
  readonly from: string;
  readonly to: string;
}

/** The filters stand in the address. */
export function useFilters(): readonly [Filters, Readonly<Record<keyof Filters, (value: string | undefined) => void>>] {
  const [text, setText] = useViewState('q');
  const [version, setVersion] = useViewState('v');
  const [label, setLabel] = useViewState('label');
  const [status, setStatus] = useViewState('status');
  const [from, setFrom] = useViewState('from');
  const [to, setTo] = useViewState('to');
  return [
    { text, version, label, status, from, to },
    { text: setText, version: setVersion, label: setLabel, status: setStatus, from: setFrom, to: setTo },
  ];
}

export const isFiltered = (filters: Filters): boolean => Object.values(filters).some((value) => value !== '');

function toQuery(endpoint: string, filters: Filters) {
  const { text, version, label, status, from, to } = filters;
  return {
    endpoint,
    ...(text !== '' && { text }),
    ...(/^\d+$/.test(version) && { version: Number(version) }),
    ...((label === 'known' || label === 'missing') && { label: label as 'known' }),
    ...((status === 'ok' || status === 'error' || status === 'refused') && { status: status as 'ok' }),
    ...(isDate(from) && { from: toIso(from) }),
    ...(isDate(to) && { to: toIso(to) }),
  };
}

/** What a `datetime-local` field holds, read as UTC: event time is told in UTC everywhere. */
const toIso = (text: string): string => new Date(`${text}Z`).toISOString();
const isDate = (text: string): boolean => text !== '' && !Number.isNaN(Date.parse(`${text}Z`));

/** The newest predictions that pass, kept fresh as rows come in until it is paused. */
export function usePredictions(endpoint: string, filters: Filters) {
  const [size, setSize] = useState(0);
  const limit = STEPS[size] ?? STEPS.at(-1)!;
  const query = { ...toQuery(endpoint, filters), limit };
  const key = JSON.stringify(query);
  // Another question than the one that was paused is asked, and goes on by itself.
  const [pausedKey, setPaused] = useState<string | null>(null);
  const isPaused = pausedKey === key;
  const asked = useGet('GET /labels/predictions', { query }, { enabled: !isPaused });
  const queries = useQueryClient();
  const isMore = asked.data !== undefined && asked.data.next !== undefined;
  return {
    ...asked,
    isPaused,
    pause: () => setPaused(key),
    resume: () => {
      setPaused(null);
      void queries.invalidateQueries({ queryKey: ['GET /labels/predictions'] });
    },
    /** undefined where there is no more, or no more is shown at once. */
    more: isMore && size + 1 < STEPS.length ? () => setSize(size + 1) : undefined,
    isCut: isMore && size + 1 >= STEPS.length,
  };
}

/** All that pass, page by page, up to `MOST_EXPORTED`. */
export async function everyPrediction(endpoint: string, filters: Filters): Promise<readonly Prediction[]> {
  const rows: Prediction[] = [];
  let after: string | undefined;
  do {
    const query = { ...toQuery(endpoint, filters), limit: PAGE, ...(after && { after }) };
    const page = await call('GET /labels/predictions', { query });
    rows.push(...page.items);
    after = page.next;
  } while (after !== undefined && rows.length < MOST_EXPORTED);
  return rows.slice(0, MOST_EXPORTED);
}
