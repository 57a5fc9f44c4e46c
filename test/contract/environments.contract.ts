import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { Environments } from '../../src/ports/executor.ts';

const run = promisify(execFile);

/** What every maker of Python environments promises. `create` makes one over an empty folder. */
export function environmentsContract(name: string, create: () => Promise<Environments>): void {
  describe(`environments ${name}`, () => {
    const LOCK = '# python: 3.11\nsix==1.17.0\n';

    test('a lock is resolved to pins, names its Python first and holds no address', async () => {
      const environments = await create();
      const lock = await environments.lock(['six<1.18'], { python: '3.11' });
      assert.match(lock, /^# python: 3\.11\nsix==1\.17\.\d+\n$/);
      assert.doesNotMatch(lock, /:\/\//);
    });

    test('an environment is built once for all who ask, and then found', async () => {
      const environments = await create();
      const digest = environments.digestOf(LOCK);
      assert.equal(await environments.find(digest), undefined);
      const lines: string[] = [];
      const [first, second] = await Promise.all([
        environments.build(LOCK, (line) => lines.push(line)),
        environments.build(LOCK),
      ]);
      assert.deepEqual(first, second);
      assert.equal(first.digest, digest);
      assert.match(first.pythonVersion, /^3\.11\./);
      assert.equal(lines.filter((line) => line.startsWith('creating')).length, 1);
      assert.deepEqual(await environments.find(digest), first);
      const { stdout } = await run(first.python, ['-c', 'import six; print(six.__version__, six.__cached__)']);
      assert.match(stdout, /^1\.17\.0 .*\.pyc/);
    });

    test('comments and blank lines do not change the digest; pins and the version do', async () => {
      const environments = await create();
      const digest = environments.digestOf(LOCK);
      assert.equal(environments.digestOf('# python: 3.11\n# why\n\nsix==1.17.0  # via x\n'), digest);
      assert.notEqual(environments.digestOf('# python: 3.12\nsix==1.17.0\n'), digest);
      assert.notEqual(environments.digestOf('# python: 3.11\nsix==1.16.0\n'), digest);
    });

    test('a lock without its Python version, and one that cannot be installed, are refused with the reason', async () => {
      const environments = await create();
      assert.throws(() => environments.digestOf('six==1.17.0\n'), /first line is "six==1.17.0"/);
      const broken = '# python: 3.11\nsix==0.0.0.1\n';
      await assert.rejects(environments.build(broken), { code: 'invalid', message: /could not be installed.*six/ });
      assert.equal(await environments.find(environments.digestOf(broken)), undefined);
    });

    test('a lock that leaves out what its packages need is refused', async () => {
      const environments = await create();
      await assert.rejects(environments.build('# python: 3.11\npython-dateutil==2.9.0.post0\n'), {
        message: /not complete.*six/,
      });
    });
  });
}
