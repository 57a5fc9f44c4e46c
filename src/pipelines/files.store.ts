import { sqlOf, type Tx } from '../ports/db.ts';
import type { PipelineRow, PipelinesTables } from './tables.ts';

const k = (tx: Tx) => sqlOf<PipelinesTables>(tx);

export async function putFileText(tx: Tx, row: PipelinesTables['project_file']): Promise<void> {
  await k(tx)
    .insertInto('project_file')
    .values(row)
    .onConflict((c) => c.columns(['project_id', 'digest']).doNothing())
    .execute();
}

export async function findFileText(tx: Tx, projectId: string, digest: string): Promise<string | undefined> {
  const row = await k(tx)
    .selectFrom('project_file')
    .select('text')
    .where('project_id', '=', projectId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row?.text;
}

export async function putSnapshot(tx: Tx, row: PipelinesTables['snapshot']): Promise<void> {
  await k(tx)
    .insertInto('snapshot')
    .values(row)
    .onConflict((c) => c.columns(['project_id', 'digest']).doNothing())
    .execute();
}

export async function findSnapshot(tx: Tx, projectId: string, digest: string): Promise<string | undefined> {
  const row = await k(tx)
    .selectFrom('snapshot')
    .select('manifest')
    .where('project_id', '=', projectId)
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row?.manifest;
}

export const findPipeline = (tx: Tx, projectId: string, name: string): Promise<PipelineRow | undefined> =>
  k(tx)
    .selectFrom('pipeline')
    .selectAll()
    .where('project_id', '=', projectId)
    .where('name', '=', name)
    .executeTakeFirst();

export const listPipelines = (tx: Tx, projectId?: string): Promise<PipelineRow[]> => {
  const query = k(tx).selectFrom('pipeline').selectAll().orderBy('project_id').orderBy('name');
  return (projectId === undefined ? query : query.where('project_id', '=', projectId)).execute();
};

export async function putPipeline(tx: Tx, row: PipelineRow): Promise<void> {
  const { project_id: _project, name: _name, ...changed } = row;
  await k(tx)
    .insertInto('pipeline')
    .values(row)
    .onConflict((c) => c.columns(['project_id', 'name']).doUpdateSet(changed))
    .execute();
}
