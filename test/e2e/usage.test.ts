import assert from 'node:assert/strict';
import { test } from 'node:test';
import { envelopeOf, levain } from '../support/cli.ts';
import { tempDir } from '../support/temp.ts';

const folder = tempDir();
const failing = async (...args: string[]): Promise<readonly unknown[]> => {
  const result = await levain(folder, [...args, '--url', 'http://127.0.0.1:9', '--json']);
  const { ok, error } = envelopeOf(result);
  assert.equal(ok, false);
  return [result.code, error?.message, error?.hint];
};

test('a verb that only has verbs below it names them', async () => {
  assert.deepEqual(await failing('labels'), [2, 'levain labels needs one of: send, status', 'levain labels --help']);
  const people = await levain(folder, ['tokens']);
  assert.deepEqual([people.code, people.stdout], [2, '']);
  assert.match(
    people.stderr,
    /^error: levain tokens needs one of: create, list, revoke\ntry: {3}levain tokens --help\n$/,
  );
});

test('wrong usage says where the options of the verb are', async () => {
  assert.deepEqual(await failing('models', '--zork'), [2, "unknown option '--zork'", 'levain models --help']);
  const hint = 'levain runs show --help';
  assert.deepEqual(await failing('runs', 'show'), [2, "missing required argument 'id'", hint]);
  assert.deepEqual((await failing('help', 'nope')).slice(0, 2), [2, 'There is no command "nope"']);
});

test('levain alone lists the verbs, for machines too', async () => {
  const { code, stdout } = await levain(folder, []);
  assert.equal(code, 0);
  for (const group of ['Start', 'Work', 'Ship', 'Live', 'Admin']) assert.match(stdout, new RegExp(`^${group}$`, 'm'));
  const listed = envelopeOf<{ commands: { name: string }[] }>(await levain(folder, ['--json']));
  assert.ok(listed.ok && listed.data.commands.some(({ name }) => name === 'predict'));
});

test('a file that is not there is named, before any server is asked', async () => {
  assert.deepEqual(await failing('predict', 'churn', '--json-file', 'rows.json'), [
    3,
    `There is no file ${folder}/rows.json`,
    undefined,
  ]);
  assert.equal((await failing('predict', 'churn', '--json-file', '.'))[1], `${folder} is a folder; name a file`);
  assert.deepEqual((await failing('labels', 'send', 'out.csv')).slice(0, 2), [3, `There is no file ${folder}/out.csv`]);
});

test('a share beyond 0 and 1 is no rehearsal', async () => {
  const [code, message] = await failing('rehearse', 'nulls', 'churn', '--amount', '7');
  assert.deepEqual([code, message], [2, '--amount is a share of the rows for nulls: from 0 to 1, such as 0.3; got 7']);
});
