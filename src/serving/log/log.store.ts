import type { CompiledQuery } from 'kysely';
import { compilerOf, type Db, sqlOf, type Tx } from '../../ports/db.ts';
import type {
  LogFileTable,
  LogSegmentTable,
  PredictionCallerTable,
  ServingTables,
  WindowCountersTable,
} from '../tables.ts';

const sql = (tx: Tx) => sqlOf<ServingTables>(tx);

/** Ids of those that had not come in before. */
export async function insertSegments(tx: Tx, rows: readonly LogSegmentTable[]): Promise<ReadonlySet<string>> {
  const added = await sql(tx)
    .insertInto('log_segment')
    .values(rows)
    .onConflict((c) => c.doNothing())
    .returning('id')
    .execute();
  return new Set(added.map(({ id }) => id));
}

export const selectSegment = (tx: Tx, key: Pick<LogSegmentTable, 'gateway_id' | 'incarnation' | 'seq'>) =>
  sql(tx)
    .selectFrom('log_segment')
    .select('id')
    .where('gateway_id', '=', key.gateway_id)
    .where('incarnation', '=', key.incarnation)
    .where('seq', '=', key.seq)
    .executeTakeFirst();

export const insertLogFiles = (tx: Tx, rows: readonly LogFileTable[]) =>
  sql(tx).insertInto('log_file').values(rows).execute();

export interface FileRange {
  readonly projectId: string;
  readonly endpoint: string;
  /** Event time, from inclusive, to exclusive. */
  readonly from: number;
  readonly to: number;
}

/** Files that may hold rows of the range, by their first event. */
export const selectFilesInRange = (tx: Tx, range: FileRange, limit: number) =>
  sql(tx)
    .selectFrom('log_file')
    .selectAll()
    .where('project_id', '=', range.projectId)
    .where('endpoint', '=', range.endpoint)
    .where('max_event', '>=', range.from)
    .where('min_event', '<', range.to)
    .orderBy('min_event')
    .orderBy('id')
    .limit(limit)
    .execute();

/** Files of the range, the newest events first. */
export const selectNewestFiles = (
  tx: Tx,
  range: FileRange,
  page: { readonly limit: number; readonly offset: number },
) =>
  sql(tx)
    .selectFrom('log_file')
    .selectAll()
    .where('project_id', '=', range.projectId)
    .where('endpoint', '=', range.endpoint)
    .where('max_event', '>=', range.from)
    .where('min_event', '<', range.to)
    .orderBy('max_event', 'desc')
    .orderBy('id', 'desc')
    .limit(page.limit)
    .offset(page.offset)
    .execute();

/** Files of any endpoint of the project whose events span `at`. */
export const selectFilesAt = (tx: Tx, projectId: string, at: number, limit: number) =>
  sql(tx)
    .selectFrom('log_file')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('min_event', '<=', at)
    .where('max_event', '>=', at)
    .orderBy('max_event')
    .limit(limit)
    .execute();

/** Files that came in since `createdAt`, in that order. */
export const selectFilesSince = (tx: Tx, projectId: string, endpoint: string, createdAt: number, limit: number) =>
  sql(tx)
    .selectFrom('log_file')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('endpoint', '=', endpoint)
    .where('created_at', '>=', createdAt)
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit)
    .execute();

type CountersKey = Omit<WindowCountersTable, 'counters'>;

export const selectCounters = (tx: Tx, key: CountersKey) =>
  sql(tx)
    .selectFrom('window_counters')
    .select('counters')
    .where('project_id', '=', key.project_id)
    .where('endpoint', '=', key.endpoint)
    .where('window_start', '=', key.window_start)
    .where('version_id', '=', key.version_id)
    .where('role', '=', key.role)
    .where('rehearsal', '=', key.rehearsal)
    .executeTakeFirst();

export const upsertCounters = (tx: Tx, row: WindowCountersTable) =>
  sql(tx)
    .insertInto('window_counters')
    .values(row)
    .onConflict((c) =>
      c
        .columns(['project_id', 'endpoint', 'window_start', 'version_id', 'role', 'rehearsal'])
        .doUpdateSet({ counters: row.counters }),
    )
    .execute();

export const selectCountersInRange = (tx: Tx, range: FileRange, rehearsal: string) =>
  sql(tx)
    .selectFrom('window_counters')
    .selectAll()
    .where('project_id', '=', range.projectId)
    .where('endpoint', '=', range.endpoint)
    .where('window_start', '>=', range.from)
    .where('window_start', '<', range.to)
    .where('rehearsal', '=', rehearsal)
    .orderBy('window_start')
    .orderBy('version_id')
    .orderBy('role')
    .execute();

/** The latest prediction wins; rows are sorted by key, which keeps concurrent upserts from locking each other out. */
export const compileCallers = (db: Db, rows: readonly PredictionCallerTable[]): CompiledQuery =>
  compilerOf<ServingTables>(db)
    .insertInto('prediction_caller')
    .values(rows)
    .onConflict((c) =>
      c
        .columns(['project_id', 'endpoint', 'caller_id'])
        .doUpdateSet((e) => ({
          prediction_id: e.ref('excluded.prediction_id'),
          event_time: e.ref('excluded.event_time'),
        }))
        .whereRef('excluded.event_time', '>=', 'prediction_caller.event_time'),
    )
    .compile();

export const selectCaller = (tx: Tx, projectId: string, callerId: string, endpoint: string | undefined) => {
  const query = sql(tx)
    .selectFrom('prediction_caller')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('caller_id', '=', callerId)
    .orderBy('event_time', 'desc');
  return (endpoint === undefined ? query : query.where('endpoint', '=', endpoint)).executeTakeFirst();
};
