import type { Page } from '../kernel/pages.ts';
import type { Actor } from '../wire/route.ts';
import { ensureDefaultExperiment } from './experiments.ts';
import { offsetOf, toOffsetPage } from './offset-page.ts';
import { loadRuns } from './run-load.ts';
import { searchRunRows } from './run-search.store.ts';
import { parseRunFilter, parseRunOrders } from './run-search.ts';
import type { Run, TrackingDeps, ViewType } from './types.ts';

export interface RunQuery {
  /** Null searches every experiment of the project. */
  readonly experimentIds: readonly number[] | null;
  readonly filter?: string | undefined;
  readonly orders?: readonly string[];
  readonly view?: ViewType;
  readonly limit: number;
  readonly after?: string | undefined;
}

/** Runs with all that they logged, newest first unless ordered otherwise. Filters and orders are MLflow's grammar. */
export async function searchRuns(deps: TrackingDeps, actor: Actor, query: RunQuery): Promise<Page<Run>> {
  const clauses = parseRunFilter(query.filter);
  const orders = parseRunOrders(query.orders ?? []);
  const offset = offsetOf(query.after);
  if (query.experimentIds?.length === 0) return { items: [] };
  await ensureDefaultExperiment(deps, actor.projectId);
  return deps.db.read(async (tx) => {
    const rows = await searchRunRows(tx, {
      projectId: actor.projectId,
      experimentIds: query.experimentIds,
      view: query.view ?? 'active',
      clauses,
      orders,
      limit: query.limit + 1,
      offset,
    });
    const page = toOffsetPage(rows, query.limit, offset);
    return { ...page, items: await loadRuns(tx, actor.projectId, page.items) };
  });
}
