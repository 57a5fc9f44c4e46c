import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog, systemClock } from '../../adapters/system/index.ts';
import { encodeSegment } from '../../serving/segment.ts';
import { createDialer } from '../control/dial.ts';
import { startControlPlane } from '../testing/control-plane.ts';
import { Shipper } from './shipper.ts';
import { Spool } from './spool.ts';

const NOTHING = { gatewayId: 'g', incarnation: 'i', from: 1, to: 2, rowsDropped: 0, blocks: [], counters: [] };

test('what waits is sent together; of a call that is refused only the bad segment is set aside', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'levain-shipper-'));
  const plane = await startControlPlane('secret');
  const spool = new Spool(dir, 2 ** 30);
  await spool.recover();
  const dialer = createDialer({ serverUrl: async () => plane.url, token: async () => 'secret' });
  const shipper = new Shipper({
    spool,
    dialer,
    gatewayId: 'g',
    clock: systemClock,
    log: createLog({ name: 'test', file: join(dir, 'log') }),
  });
  try {
    for (let seq = 1; seq <= 100; seq++) await spool.write('i', seq, encodeSegment({ ...NOTHING, seq }));
    await spool.write('i', 101, Buffer.alloc(64, 7));
    for (let seq = 102; seq <= 110; seq++) await spool.write('i', seq, encodeSegment({ ...NOTHING, seq }));
    shipper.start();
    await shipper.stop(20_000);
    const seqs = plane.segments.map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      Array.from({ length: 110 }, (_, i) => i + 1).filter((seq) => seq !== 101),
    );
    assert.equal(plane.repeats, 0);
    assert.ok(plane.calls < 40, `${plane.calls} calls`);
    assert.deepEqual(await readdir(join(dir, 'rejected')), ['i.0000000101.seg']);
    assert.deepEqual(spool.size, { segments: 0, sizeBytes: 0 });
  } finally {
    dialer.close();
    await plane.close();
    await rm(dir, { recursive: true });
  }
});
