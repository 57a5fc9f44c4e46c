import { sqlOf, type Tx } from '../ports/db.ts';

export interface ProjectTable {
  id: string;
  name: string;
  created_at: number;
}

export interface PersonTable {
  id: string;
  name: string;
  password_hash: string | null;
  created_at: number;
}

export interface MembershipTable {
  project_id: string;
  person_id: string;
  role: string;
}

export interface TokenTable {
  hash: string;
  id: string;
  kind: 'user' | 'step' | 'gateway';
  name: string;
  project_id: string | null;
  person_id: string | null;
  attempt_id: string | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

export interface ActivityTable {
  project_id: string;
  id: string;
  at: number;
  event_at: number | null;
  kind: string;
  subject: string;
  sentence: string;
  command: string | null;
  actor: string;
}

export interface IdentityTables {
  project: ProjectTable;
  person: PersonTable;
  membership: MembershipTable;
  token: TokenTable;
  activity: ActivityTable;
}

const sql = (tx: Tx) => sqlOf<IdentityTables>(tx);

export const selectProject = (tx: Tx, name: string) =>
  sql(tx).selectFrom('project').selectAll().where('name', '=', name).executeTakeFirst();

export const selectProjects = (tx: Tx) => sql(tx).selectFrom('project').selectAll().orderBy('name').execute();

/** Changes nothing where the name is taken; answers whether it was inserted. */
export const insertProject = async (tx: Tx, row: ProjectTable): Promise<boolean> =>
  (
    await sql(tx)
      .insertInto('project')
      .values(row)
      .onConflict((c) => c.doNothing())
      .returning('id')
      .execute()
  ).length > 0;

export const selectPerson = (tx: Tx, name: string) =>
  sql(tx).selectFrom('person').selectAll().where('name', '=', name).executeTakeFirst();

export const selectAnyAdmin = (tx: Tx) =>
  sql(tx).selectFrom('membership').select('person_id').where('role', '=', 'admin').limit(1).executeTakeFirst();

export const selectAnyPerson = (tx: Tx) => sql(tx).selectFrom('person').select('id').limit(1).executeTakeFirst();

export const insertPerson = async (tx: Tx, row: PersonTable): Promise<boolean> =>
  (
    await sql(tx)
      .insertInto('person')
      .values(row)
      .onConflict((c) => c.doNothing())
      .returning('id')
      .execute()
  ).length > 0;

export const upsertMembership = (tx: Tx, row: MembershipTable) =>
  sql(tx)
    .insertInto('membership')
    .values(row)
    .onConflict((c) => c.columns(['project_id', 'person_id']).doUpdateSet({ role: row.role }))
    .execute();

export const selectRole = (tx: Tx, projectId: string, personId: string) =>
  sql(tx)
    .selectFrom('membership')
    .select('role')
    .where('project_id', '=', projectId)
    .where('person_id', '=', personId)
    .executeTakeFirst();

export const selectMembers = (tx: Tx, projectId: string) =>
  sql(tx)
    .selectFrom('membership')
    .innerJoin('person', 'person.id', 'membership.person_id')
    .select(['person.id', 'person.name', 'person.created_at', 'membership.role'])
    .where('membership.project_id', '=', projectId)
    .orderBy('person.name')
    .execute();

export const insertToken = (tx: Tx, row: TokenTable) => sql(tx).insertInto('token').values(row).execute();

export const selectToken = (tx: Tx, hash: string) =>
  sql(tx)
    .selectFrom('token')
    .leftJoin('person', 'person.id', 'token.person_id')
    .selectAll('token')
    .select('person.name as person_name')
    .where('token.hash', '=', hash)
    .executeTakeFirst();

export const selectTokens = (tx: Tx) =>
  sql(tx)
    .selectFrom('token')
    .leftJoin('person', 'person.id', 'token.person_id')
    .select(['token.id', 'token.name', 'token.created_at', 'token.expires_at', 'person.name as person_name'])
    .where('token.kind', '=', 'user')
    .where('token.revoked_at', 'is', null)
    .orderBy('token.id')
    .execute();

export const revokeTokenById = async (tx: Tx, id: string, at: number): Promise<boolean> =>
  (
    await sql(tx)
      .updateTable('token')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .returning('id')
      .execute()
  ).length > 0;

export const revokeTokenByHash = (tx: Tx, hash: string, at: number) =>
  sql(tx)
    .updateTable('token')
    .set({ revoked_at: at })
    .where('hash', '=', hash)
    .where('revoked_at', 'is', null)
    .execute();

export const revokeTokensOfAttempt = (tx: Tx, attemptId: string, at: number) =>
  sql(tx)
    .updateTable('token')
    .set({ revoked_at: at })
    .where('attempt_id', '=', attemptId)
    .where('revoked_at', 'is', null)
    .execute();

export const insertActivity = (tx: Tx, row: ActivityTable) => sql(tx).insertInto('activity').values(row).execute();

/** Newest first, by id (which sorts by time), optionally of one subject. */
export const selectActivity = (
  tx: Tx,
  filter: {
    projectId: string;
    subject: string | undefined;
    about: string | undefined;
    kinds: readonly string[] | undefined;
    actor: string | undefined;
    before: string | undefined;
    limit: number;
  },
) => {
  let query = sql(tx).selectFrom('activity').selectAll().where('project_id', '=', filter.projectId);
  if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
  if (filter.about !== undefined) {
    const { about } = filter;
    const start = `${about}@`;
    query = query.where((e) =>
      e.or([e('subject', '=', about), e(e.fn('substr', ['subject', e.lit(1), e.lit([...start].length)]), '=', start)]),
    );
  }
  if (filter.kinds !== undefined) query = query.where('kind', 'in', filter.kinds);
  if (filter.actor !== undefined) query = query.where('actor', '=', filter.actor);
  if (filter.before !== undefined) query = query.where('id', '<', filter.before);
  return query.orderBy('id', 'desc').limit(filter.limit).execute();
};
