import { benjaminiHochberg } from '../../stats/drift.ts';
import type { Actor } from '../../wire/route.ts';
import type { ColumnDrift } from '../evaluation/data-rules.ts';
import { EFFECT, TREND_WINDOWS } from '../evaluation/rules.ts';
import type { EvaluationTable } from '../tables.ts';
import type { MonitoringDeps } from '../types.ts';
import { busiest, evaluationsOf, isoOf, judgedIn, newestDrift, spanOf } from './span.ts';

/** One column in one window. Shares are of the window's own day; effect and p of its basis. */
export interface DriftCell {
  readonly effect: number;
  readonly p: number;
  /** p after Benjamini–Hochberg over the window's columns: what is compared with `alpha`. */
  readonly adjusted: number;
  readonly psi: number;
  readonly nulls: number;
  readonly unseen: number;
  readonly outside: number;
  readonly typeErrors: number;
  /** Beyond both thresholds of its window: what the drift rule counts. */
  readonly significant: boolean;
}

export interface DriftView {
  readonly model: string;
  readonly columns: readonly {
    readonly name: string;
    readonly kind: 'numeric' | 'category' | null;
    /** Share of the model's importance, where it is known. */
    readonly importance: number | null;
  }[];
  /** The window that speaks for now, as `levain monitor --features` does: the champion's newest. null before the first. */
  readonly now: number | null;
  readonly windows: readonly {
    readonly start: string;
    readonly version: number | null;
    /** Of the window itself. */
    readonly rows: number;
    /** Rows that effect and p were computed over. */
    readonly basisRows: number;
    readonly alpha: number | null;
    /** The effect from which on it matters. */
    readonly floor: number | null;
    /** Days that effect and p were computed over. */
    readonly basisDays: number;
    readonly state: string;
  }[];
  /** By column, then window; null where the column was not judged. */
  readonly cells: readonly (readonly (DriftCell | null)[])[];
}

interface Window {
  readonly start: number;
  readonly rows: number;
  readonly drift: EvaluationTable;
  readonly byColumn: ReadonlyMap<string, DriftCell>;
}

/**
 * Every watched column in every window, as the drift and quality rules saw them. A day is its busiest version's; the day of the champion's
 * newest window is the champion's.
 */
export async function getDrift(
  deps: MonitoringDeps,
  actor: Actor,
  input: { readonly model: string; readonly days: number },
): Promise<DriftView> {
  const span = await spanOf(deps, actor, input);
  const rows = await evaluationsOf(deps, span);
  const versions = await judgedIn(
    deps,
    rows.map((row) => row.version_id),
  );
  const groups = Map.groupBy(rows, (row) => `${row.window_start}/${row.version_id}`);
  const now = newestDrift(rows, span.endpoint.championId);
  const windows = busiest(
    [...groups.values()]
      .flatMap((group) => toWindow(group) ?? [])
      .filter(({ start, drift }) => start !== now?.window_start || drift === now),
  );
  const champion = span.endpoint.championId === null ? undefined : versions.get(span.endpoint.championId);
  const names = new Set([
    ...(champion?.profile?.features.map(({ name }) => name) ?? []),
    ...windows.flatMap(({ byColumn }) => [...byColumn.keys()]),
  ]);
  return {
    model: span.endpoint.model,
    columns: [...names].map((name) => ({
      name,
      kind: champion?.profile?.features.find((feature) => feature.name === name)?.kind ?? null,
      importance: champion?.profile?.importance?.[name] ?? null,
    })),
    now: now ? windows.findIndex(({ drift }) => drift === now) : null,
    windows: windows.map(({ start, rows: n, drift }) => ({
      start: isoOf(start),
      version: versions.get(drift.version_id)?.version.version ?? null,
      rows: n,
      basisRows: drift.sample_size,
      alpha: alphaOf(drift),
      floor: drift.threshold,
      basisDays: drift.threshold === EFFECT.noted ? TREND_WINDOWS : 1,
      state: drift.state,
    })),
    cells: [...names].map((name) => windows.map(({ byColumn }) => byColumn.get(name) ?? null)),
  };
}

const detailsOf = (row: EvaluationTable | undefined): Readonly<Record<string, unknown>> =>
  row ? (JSON.parse(row.details) as Record<string, unknown>) : {};

const alphaOf = (drift: EvaluationTable): number | null => {
  const { alpha } = detailsOf(drift);
  return typeof alpha === 'number' ? alpha : null;
};

function toWindow(group: readonly EvaluationTable[]): Window | undefined {
  const drift = group.find((row) => row.rule === 'data.drift');
  if (!drift) return undefined;
  const details = detailsOf(drift) as { readonly alpha?: number; readonly columns?: readonly ColumnDrift[] };
  const columns = details.columns ?? [];
  const adjusted = benjaminiHochberg(columns.map(({ p }) => p));
  const shares = sharesOf(group);
  const { alpha = 0 } = details;
  const floor = drift.threshold ?? Number.POSITIVE_INFINITY;
  const byColumn = new Map(
    columns.map((column, i): [string, DriftCell] => [
      column.name,
      {
        effect: column.effect,
        p: column.p,
        adjusted: adjusted[i]!,
        psi: column.psi,
        nulls: shares('data.nulls', column.name),
        unseen: shares('data.unseen', column.name),
        outside: shares('data.range', column.name),
        typeErrors: shares('data.types', column.name),
        significant: adjusted[i]! < alpha && column.effect >= floor,
      },
    ]),
  );
  // The drift row counts its basis; how much came in the window itself, the rules of quality know.
  const rows = (group.find((row) => row.rule === 'data.nulls') ?? drift).sample_size;
  return { start: drift.window_start, rows, drift, byColumn };
}

/** Rules of quality keep only the columns that have such values at all: the others have none. */
function sharesOf(group: readonly EvaluationTable[]): (rule: string, column: string) => number {
  const found = new Map<string, number>();
  for (const row of group)
    for (const { name, share } of (detailsOf(row)['columns'] as { name: string; share?: number }[] | undefined) ?? [])
      if (share !== undefined) found.set(`${row.rule}/${name}`, share);
  return (rule, column) => found.get(`${rule}/${column}`) ?? 0;
}
