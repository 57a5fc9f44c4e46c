import { useQuery } from '@tanstack/react-query';
import { call } from './api/client.ts';
import { useGet } from './api/queries.ts';
import { placeOfIncident, placeOfModel, placeOfVersion, placeOfWhy } from './domain/places.ts';
import { PLACES } from './places.ts';

export interface Hit {
  readonly kind: string;
  readonly title: string;
  readonly detail?: string;
  /** Where it leads, as an address of the UI. */
  readonly to: string;
  /** What else may be typed for it. */
  readonly also?: string;
}

const MAX_HITS = 12;
/** Each opens its dialog, which states the consequence. */
const ACTIONS = [
  ['Deploy', 'deploy', ''],
  ['Roll back', 'rollback', 'previous'],
  ['Hold', 'hold', 'stop'],
  ['Resume', 'resume', 'unhold'],
  ['Retrain', 'retrain', 'run pipeline'],
  ['Rehearse', 'rehearse', 'drill'],
] as const;
const TABS = ['Live', 'Monitor', 'Versions', 'Pipeline'] as const;

/** Everything with a name, and whatever an id, or its end, names; the best first. */
export function useHits(text: string): { readonly hits: readonly Hit[]; readonly isLooking: boolean } {
  const named = useNamed();
  const byId = useById(text);
  const known = rank(named, text);
  const seen = new Set(known.map(({ to }) => to));
  const found = byId.hits.filter(({ to }) => !seen.has(to));
  return { hits: [...found, ...known].slice(0, MAX_HITS), isLooking: byId.isLooking };
}

function useNamed(): readonly Hit[] {
  const status = useGet('GET /status').data;
  const models = useGet('GET /models').data;
  const datasets = useGet('GET /datasets').data;
  const incidents = useGet('GET /incidents', { query: { limit: 100 } }).data;
  const names = [...new Set([...(status?.models ?? []), ...(models?.items ?? [])].map(({ name }) => name))];
  return [
    ...names.map((name): Hit => ({ kind: 'model', title: name, to: placeOfModel(name) })),
    ...names.flatMap((name) =>
      TABS.map((tab): Hit => ({ kind: 'page', title: `${name} ${tab}`, to: placeOfModel(name, tab.toLowerCase()) })),
    ),
    ...names.flatMap((name) =>
      ACTIONS.map(
        ([verb, doing, also]): Hit => ({
          kind: 'action',
          title: `${verb} ${name}`,
          to: `${placeOfModel(name)}?do=${doing}`,
          also,
        }),
      ),
    ),
    ...(models?.items ?? []).flatMap(({ name, versions }) => versionsOf(name, versions)),
    ...(datasets?.items ?? []).map(
      ({ name }): Hit => ({ kind: 'data set', title: name, to: `/data/${encodeURIComponent(name)}` }),
    ),
    ...(incidents?.items ?? []).map(
      ({ number, model, verdict }): Hit => ({
        kind: 'incident',
        title: `${number}`,
        detail: verdict,
        to: placeOfIncident(number),
        also: `incident ${model}`,
      }),
    ),
    ...PLACES.map(({ to, word, key }): Hit => ({ kind: 'page', title: word, detail: `g ${key}`, to })),
    { kind: 'action', title: 'Adopt a notebook', to: '/new', also: 'new drop upload' },
    { kind: 'page', title: 'Approvals', to: '/activity?kind=approval', also: 'approve reject' },
    { kind: 'page', title: 'Incidents', to: '/activity?kind=incident', also: 'alerts pages' },
  ];
}

const LATEST = 30;

const versionsOf = (model: string, versions: number): readonly Hit[] =>
  Array.from({ length: Math.min(LATEST, versions) }, (_, i): Hit => {
    const version = versions - i;
    return {
      kind: 'version',
      title: `${model} v${version}`,
      to: placeOfVersion(model, version),
      also: `${model}@v${version}`,
    };
  });

/** The end of an id is enough; fewer than four characters are never one. */
const ID_END = /^[0-9a-f-]{4,36}$/i;

function useById(text: string): { readonly hits: readonly Hit[]; readonly isLooking: boolean } {
  const isId = ID_END.test(text);
  const runs = useQuery({
    queryKey: ['GET /runs/matches', text],
    queryFn: ({ signal }) =>
      call('GET /runs/matches', { query: { filter: `attributes.run_id LIKE '%${text}'` } as never, signal }),
    enabled: isId,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
  });
  const why = useQuery({
    queryKey: ['GET /why/:id', { params: { id: text } }],
    queryFn: ({ signal }) => call('GET /why/:id', { params: { id: text }, signal }),
    enabled: text.length > 3 && /^[\w@/.:-]+$/.test(text),
    retry: false,
    gcTime: 30_000,
  });
  const hits: Hit[] = (runs.data?.ids ?? [])
    .slice(0, MAX_HITS)
    .map((id) => ({ kind: 'run', title: id, to: `/runs/${id}` }));
  if (why.data) hits.push({ kind: 'why', title: `${why.data.kind} ${why.data.id}`, to: placeOfWhy(why.data.id) });
  return { hits: isId || why.data ? hits : [], isLooking: runs.isFetching || why.isFetching };
}

/** Every word must stand somewhere; a title that begins with the text comes before one that holds it. */
export function rank(hits: readonly Hit[], text: string): readonly Hit[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return hits.filter(({ kind }) => kind === 'model' || kind === 'page');
  const scoreOf = ({ title, kind, detail = '', also = '' }: Hit): number => {
    const name = title.toLowerCase();
    const all = `${kind} ${name} ${also} ${detail}`.toLowerCase();
    if (!words.every((word) => all.includes(word))) return -1;
    if (name === words.join(' ')) return 3;
    if (words.includes(name) || name.startsWith(words[0]!)) return 2;
    return words.every((word) => name.includes(word)) ? 1 : 0;
  };
  return hits
    .map((hit) => ({ hit, score: scoreOf(hit) }))
    .filter(({ score }) => score >= 0)
    .sort((a, b) => b.score - a.score)
    .map(({ hit }) => hit);
}
