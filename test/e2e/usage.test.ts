import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

test('adopt names what it cannot adopt, and leaves nothing', async () => {
  const empty = tempDir();
  const refused = async (...args: string[]): Promise<readonly unknown[]> => {
    const result = await levain(empty, ['adopt', ...args, '--json'], { env: { LEVAIN_PORT: '0' } });
    return [result.code, envelopeOf(result).error?.message];
  };
  assert.deepEqual(await refused(), [
    2,
    `${empty} holds no notebook, dvc.yaml, MLproject or model file; name what to adopt`,
  ]);
  assert.deepEqual(await refused('a.ipynb'), [3, 'There is no a.ipynb']);
  await writeFile(join(empty, 'a.ipynb'), 'no notebook');
  assert.equal((await refused('a.ipynb', '--cell-timeout', 'soon'))[0], 2);
  const [code, message] = await refused();
  assert.equal(code, 1);
  assert.match(String(message), /^a\.ipynb is no notebook/);
  await writeFile(join(empty, 'b.ipynb'), '');
  assert.deepEqual(await refused(), [2, 'There are 2 notebooks here (a.ipynb, b.ipynb); name one']);
  assert.deepEqual((await readdir(empty)).sort(), ['a.ipynb', 'b.ipynb']);
});
