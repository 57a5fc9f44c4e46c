import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { waitFor } from '../../../test/support/ports.ts';

for (const end of ['process.exit(0)', 'process.kill(process.pid, "SIGKILL")']) {
  const isKilled = end.includes('SIGKILL');
  const skip = isKilled && !existsSync('/usr/bin/setpriv') ? 'setpriv is not installed' : false;
  test(`an installer ends with the process that started it: ${isKilled ? 'killed' : 'by itself'}`, { skip }, () =>
    endsWithUs(end),
  );
}

async function endsWithUs(end: string): Promise<void> {
  const code = `
    import { runProgram } from ${JSON.stringify(import.meta.resolve('./uv-program.ts'))};
    const onLine = (line) => { process.stdout.write(line + '\\n'); setTimeout(() => ${end}, 50); };
    await runProgram('sh', ['-c', 'echo $$ >&2; exec sleep 600'], { env: process.env, onLine });`;
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = await once(child.stdout.setEncoding('utf8'), 'data');
  await once(child, 'exit');
  await waitFor('the end of the grandchild', () =>
    assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' }),
  );
}
