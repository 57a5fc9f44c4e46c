import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { envelopeOf, levain, startUp, type Up } from '../support/cli.ts';
import { tempDir } from '../support/temp.ts';

const folder = tempDir();
const elsewhere = tempDir();
let up: Up;
before(async () => {
  up = await startUp(folder);
});
after(() => up.end('SIGTERM'));

test('adding a user asks, and without a terminal it says --yes and ends with 2', async () => {
  const result = await levain(folder, ['users', 'add', 'ann']);
  assert.equal(result.code, 2);
  assert.match(result.stderr, /--yes/);
});

test('the first user closes the door; a token or a password opens it again', async () => {
  const added = await levain(folder, ['users', 'add', 'ann', '--password', '--yes', '--json'], {
    input: 'correct horse\n',
  });
  assert.equal(added.code, 0, added.stdout + added.stderr);
  const { token } = envelopeOf<{ token: string }>(added).data;

  const closed = await levain(folder, ['activity', '--json']);
  assert.equal(closed.code, 4);
  assert.equal(envelopeOf(closed).error?.code, 'unauthenticated');

  assert.equal((await levain(folder, ['activity'], { env: { LEVAIN_TOKEN: token } })).code, 0);

  const wrong = await levain(elsewhere, ['login', up.url, '--user', 'ann'], { input: 'wrong horse\n' });
  assert.equal(wrong.code, 4);
  const right = await levain(elsewhere, ['login', up.url, '--user', 'ann'], { input: 'correct horse\n' });
  assert.equal(right.code, 0, right.stderr);
  assert.equal((await levain(elsewhere, ['activity'])).code, 0);
});

test('a revoked token is worth nothing', async () => {
  const created = await levain(elsewhere, ['tokens', 'create', '--user', 'ann', '--name', 'ci', '--json']);
  const { token } = envelopeOf<{ token: string }>(created).data;
  assert.equal((await levain(folder, ['activity'], { env: { LEVAIN_TOKEN: token } })).code, 0);
  const { items } = envelopeOf<{ items: { id: string; name: string }[] }>(
    await levain(elsewhere, ['tokens', 'list', '--json']),
  ).data;
  const id = items.find(({ name }) => name === 'ci')?.id ?? '';
  assert.equal((await levain(elsewhere, ['tokens', 'revoke', id])).code, 0);
  assert.equal((await levain(folder, ['activity'], { env: { LEVAIN_TOKEN: token } })).code, 4);
});

test('a secret is set from standard input, and only its name comes back', async () => {
  assert.equal(
    (await levain(elsewhere, ['secret', 'set', 'SLACK_URL'], { input: 'https://hooks.example/T0\n' })).code,
    0,
  );
  const listed = await levain(elsewhere, ['secret', 'list', '--json']);
  assert.deepEqual(envelopeOf<{ items: string[] }>(listed).data.items, ['SLACK_URL']);
  assert.doesNotMatch(listed.stdout, /hooks/);
});

test('a command that does not exist, or an option that does not, ends with 2', async () => {
  const verb = await levain(folder, ['statsu', '--json']);
  assert.equal(verb.code, 2);
  assert.equal(envelopeOf(verb).error?.hint, 'levain status');
  const option = await levain(folder, ['status', '--frob', '--json']);
  assert.equal(option.code, 2);
  assert.match(envelopeOf(option).error?.message ?? '', /--frob/);
});
