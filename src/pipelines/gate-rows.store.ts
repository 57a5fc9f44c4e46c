import type { NotebookSplit } from '../data/index.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { sqlOf, type Tx } from '../ports/db.ts';
import type { PipelinesTables } from './tables.ts';

const k = (tx: Tx) => sqlOf<PipelinesTables>(tx);

/** What the first version of a model keeps from later steps; undefined before there is one. */
export async function findGateRows(tx: Tx, projectId: string, model: string): Promise<NotebookSplit | undefined> {
  const row = await k(tx)
    .selectFrom('gate_rows')
    .select('split')
    .where('project_id', '=', projectId)
    .where('model', '=', model)
    .executeTakeFirst();
  return row && (JSON.parse(row.split) as NotebookSplit);
}

export async function putGateRows(
  tx: Tx,
  row: {
    readonly projectId: string;
    readonly model: string;
    readonly dataset: string;
    readonly split: NotebookSplit;
    readonly at: number;
  },
): Promise<void> {
  const change = { dataset: row.dataset, split: canonicalJson(row.split), created_at: row.at };
  await k(tx)
    .insertInto('gate_rows')
    .values({ project_id: row.projectId, model: row.model, ...change })
    .onConflict((c) => c.columns(['project_id', 'model']).doUpdateSet(change))
    .execute();
}
