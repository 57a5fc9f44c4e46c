import assert from 'node:assert/strict';
import { getRandomValues } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { openSqlite } from '../adapters/sqlite/index.ts';
import { isAppError } from '../kernel/errors.ts';
import { DEFAULT_PROJECT_ID } from '../kernel/ids.ts';
import { migrate } from '../migrations/index.ts';
import type { Db } from '../ports/db.ts';
import type { Log } from '../ports/system.ts';
import type { Actor } from '../wire/route.ts';
import { assertAllowed, createAuthenticator, hasAdministrator } from './access.ts';
import { listActivity, recordActivity } from './activity.ts';
import type { IdentityDeps } from './deps.ts';
import { addPerson, createProject, login } from './people.ts';
import { createToken, issueGatewayToken, issueStepToken, revokeStepToken } from './tokens.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
const owner: Actor = { projectId: DEFAULT_PROJECT_ID, user: 'local', kind: 'user' };
const anybody = { project: undefined, authorization: undefined };

let folder: string;
let db: Db;
let deps: IdentityDeps;
let now = 1_000_000;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'levain-identity-'));
});
after(() => rm(folder, { recursive: true }));

let count = 0;
beforeEach(async () => {
  db = await openSqlite({ path: join(folder, `${count++}.sqlite`) });
  await migrate(db);
  const clock = { now: () => now, sleep: async () => {} };
  deps = { db, clock, random: { next: Math.random, fill: (b) => void getRandomValues(b) }, log: silent };
});

afterEach(() => db.close());

test('before there are users everybody may do everything but act as a gateway', async () => {
  const found = await createAuthenticator(deps).identify(anybody);
  assertAllowed(found, 'admin');
  assert.throws(
    () => assertAllowed(found, 'gateway'),
    (error) => isAppError(error, 'forbidden'),
  );
  assert.equal(await hasAdministrator(deps), false);
});

test('the first user must be an administrator, and closes the door for everybody else', async () => {
  await assert.rejects(addPerson(deps, owner, { name: 'ann', role: 'editor' }), (error) =>
    isAppError(error, 'invalid'),
  );
  await addPerson(deps, owner, { name: 'ann', role: 'admin' });
  assert.equal(await hasAdministrator(deps), true);
  const found = await createAuthenticator(deps).identify(anybody);
  assert.throws(
    () => assertAllowed(found, 'read'),
    (error) => isAppError(error, 'unauthenticated'),
  );
});

test('a token gives the rights of its person, as bearer and as the password of Basic', async () => {
  await addPerson(deps, owner, { name: 'ann', role: 'admin' });
  await addPerson(deps, owner, { name: 'bob', role: 'editor' });
  const token = await createToken(deps, { user: 'bob', name: 'ci' });
  const authenticator = createAuthenticator(deps);
  for (const authorization of [`Bearer ${token}`, `Basic ${Buffer.from(`x:${token}`).toString('base64')}`]) {
    const found = await authenticator.identify({ project: undefined, authorization });
    assert.equal(found.actor.user, 'bob');
    assertAllowed(found, 'deploy');
    assert.throws(
      () => assertAllowed(found, 'approve'),
      (error) => isAppError(error, 'forbidden'),
    );
  }
  await assert.rejects(authenticator.identify({ project: undefined, authorization: 'Bearer nonsense' }), (error) =>
    isAppError(error, 'unauthenticated'),
  );
});

test('a step token acts as its attempt in its project until it is revoked', async () => {
  const token = await db.write((tx) => issueStepToken(tx, deps, { projectId: owner.projectId, attemptId: 'a1' }));
  const authorization = `Bearer ${token}`;
  const found = await createAuthenticator(deps).identify({ project: undefined, authorization });
  assert.deepEqual(found.actor, { projectId: owner.projectId, user: 'step a1', kind: 'step', attemptId: 'a1' });
  await db.write((tx) => revokeStepToken(tx, deps, 'a1'));
  await assert.rejects(createAuthenticator(deps).identify({ project: undefined, authorization }), (error) =>
    isAppError(error, 'unauthenticated'),
  );
});

test('a gateway token may act as a gateway and do nothing else', async () => {
  const token = await issueGatewayToken(deps);
  const found = await createAuthenticator(deps).identify({ project: undefined, authorization: `Bearer ${token}` });
  assertAllowed(found, 'gateway');
  assert.throws(
    () => assertAllowed(found, 'read'),
    (error) => isAppError(error, 'forbidden'),
  );
});

test('a password is checked against its hash, and a wrong name answers like a wrong password', async () => {
  await addPerson(deps, owner, { name: 'ann', role: 'admin', password: 'a long password' });
  const { token } = await login(deps, { user: 'ann', password: 'a long password' });
  const found = await createAuthenticator(deps).identify({ project: undefined, authorization: `Bearer ${token}` });
  assert.equal(found.actor.user, 'ann');
  for (const input of [
    { user: 'ann', password: 'another password' },
    { user: 'eve', password: 'a long password' },
  ]) {
    await assert.rejects(login(deps, input), (error) => isAppError(error, 'unauthenticated'));
  }
});

test('roles are per project: a stranger to a project may do nothing there', async () => {
  await addPerson(deps, owner, { name: 'ann', role: 'admin' });
  await createProject(deps, owner, { name: 'other' });
  const token = await createToken(deps, { user: 'ann', name: 't' });
  const found = await createAuthenticator(deps).identify({ project: 'other', authorization: `Bearer ${token}` });
  assert.throws(
    () => assertAllowed(found, 'read'),
    (error) => isAppError(error, 'forbidden'),
  );
  await assert.rejects(createAuthenticator(deps).identify({ project: 'none', authorization: undefined }), (error) =>
    isAppError(error, 'not_found'),
  );
});

test('the timeline pages newest first and is filtered by subject', async () => {
  for (let i = 0; i < 5; i++) {
    now += 10;
    const line = {
      projectId: owner.projectId,
      at: now,
      kind: 'run',
      subject: i % 2 ? 'odd' : 'even',
      sentence: `line ${i}`,
    } as const;
    await db.write((tx) => recordActivity(tx, deps, line));
  }
  const first = await listActivity(deps, owner, { limit: 3 });
  assert.deepEqual(
    first.items.map((item) => item.sentence),
    ['line 4', 'line 3', 'line 2'],
  );
  const second = await listActivity(deps, owner, { limit: 3, after: first.next });
  assert.deepEqual(
    second.items.map((item) => item.sentence),
    ['line 1', 'line 0'],
  );
  assert.equal(second.next, undefined);
  const odd = await listActivity(deps, owner, { limit: 10, subject: 'odd' });
  assert.deepEqual(
    odd.items.map((item) => item.sentence),
    ['line 3', 'line 1'],
  );
});

test('the timeline of a model is its own lines and those of its versions', async () => {
  for (const subject of ['churn', 'churn@v7', 'churn-eu', 'churn-eu@v1', 'chürn@v1'])
    await db.write((tx) =>
      recordActivity(tx, deps, { projectId: owner.projectId, at: 1, kind: 'deploy', subject, sentence: subject }),
    );
  const about = async (model: string) =>
    (await listActivity(deps, owner, { limit: 10, about: model })).items.map(({ subject }) => subject).sort();
  assert.deepEqual(await about('churn'), ['churn', 'churn@v7']);
  assert.deepEqual(await about('chürn'), ['chürn@v1']);
});

test('the timeline is filtered by several kinds and by who did it', async () => {
  const told = [
    ['run', 'levain'],
    ['gate', 'levain'],
    ['gate', 'ann'],
    ['label', 'ann'],
  ] as const;
  for (const [i, [kind, actor]] of told.entries())
    await db.write((tx) =>
      recordActivity(tx, deps, {
        projectId: owner.projectId,
        at: 10 + i,
        kind,
        actor,
        subject: 'taxi',
        sentence: `${kind} by ${actor}`,
      }),
    );
  const lines = async (filter: Partial<Parameters<typeof listActivity>[2]>) =>
    (await listActivity(deps, owner, { limit: 10, subject: 'taxi', ...filter })).items.map(({ sentence }) => sentence);
  assert.deepEqual(await lines({ kinds: ['run', 'gate'] }), ['gate by ann', 'gate by levain', 'run by levain']);
  assert.deepEqual(await lines({ kinds: ['gate', 'label'], by: 'ann' }), ['label by ann', 'gate by ann']);
});
