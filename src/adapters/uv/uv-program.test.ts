import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { waitFor } from '../../../test/support/ports.ts';

test('what an installer started ends with the process that started it', async () => {
  const code = `
    import { runProgram } from ${JSON.stringify(import.meta.resolve('./uv-program.ts'))};
    const onLine = (line) => { process.stdout.write(line + '\\n'); setTimeout(() => process.exit(0), 50); };
    await runProgram('sh', ['-c', 'sleep 600 & echo $! >&2; wait'], { env: process.env, onLine });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = await once(child.stdout.setEncoding('utf8'), 'data');
  await once(child, 'exit');
  await waitFor('the end of the grandchild', () =>
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' }),
  );
});
