import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ColumnValues, Frame } from '../../kernel/frame.ts';
import { decodeSegment, encodeSegment, type SegmentDraft } from '../../serving/segment.ts';
import { makeLinear } from '../testing/models.ts';
import { Batch, type LoggedRequest, type LoggedVersion, logSchemaOf } from './batch.ts';
import { blockOf } from './block.ts';
import { Tallies } from './counting.ts';
import { readHeartbeat, Spool, writeHeartbeat } from './spool.ts';

const made = makeLinear({ version: 1 });
const version: LoggedVersion = {
  spec: made.spec,
  profile: made.profile,
  schema: logSchemaOf('main', 'churn', made.spec),
};
const HOUR = 3_600_000;

const request = (more: Partial<LoggedRequest> = {}): LoggedRequest => ({
  version,
  role: 'champion',
  requestId: 'r',
  ids: ['r'],
  callerId: null,
  rolloutId: null,
  revision: null,
  eventTime: 5 * HOUR,
  receivedAt: 6 * HOUR,
  entity: null,
  entities: null,
  latencyUs: 100,
  fallback: false,
  rehearsal: null,
  caller: null,
  status: 0,
  error: null,
  ...more,
});

const frameOf = (rowCount: number): Frame => ({
  rowCount,
  columns: ['x0', 'x1', 'x2'].map((name) => ({ name, values: new Float64Array(rowCount).fill(0.5) })),
});
const answersOf = (rowCount: number) => ({
  labels: new Array(rowCount).fill(1),
  scores: new Float64Array(rowCount).fill(0.7),
});

/** The columns of a batch as a reader of its segment finds them. */
function columnsOf(batch: Batch): (name: string) => ColumnValues {
  const blocks = [blockOf(batch)];
  const bytes = encodeSegment({
    gatewayId: 'g',
    incarnation: 'i',
    seq: 1,
    from: 1,
    to: 1,
    blocks,
    counters: [],
    rowsDropped: 0,
  });
  const { rows, features } = decodeSegment(bytes).blocks[0]!;
  return (name) => [...rows.columns, ...features.columns].find((column) => column.name === name)!.values;
}

function count(fill: (batch: Batch) => void) {
  const batch = new Batch(version.schema);
  fill(batch);
  const tallies = new Tallies();
  tallies.count(batch);
  return tallies.take().deltas;
}

describe('counters', () => {
  it('keep requests, errors, refusals and fallbacks apart, and score only what the model said', () => {
    const [delta] = count((batch) => {
      const three = request({ ids: ['a', 'b', 'c'] });
      for (let row = 0; row < 3; row++) batch.add(three, row, frameOf(3), answersOf(3));
      batch.add(request({ status: 1, error: 'broke' }), 0, frameOf(1), null);
      batch.add(request({ status: 2, error: 'no x' }), 0, null, null);
      batch.add(request({ fallback: true }), 0, frameOf(1), answersOf(1));
    });
    const { requests, rows, errors, refused, fallbacks, labels, scoreBins, features, latency } = delta!.counters;
    assert.deepEqual(
      { requests, rows, errors, refused, fallbacks },
      { requests: 3, rows: 5, errors: 1, refused: 1, fallbacks: 1 },
    );
    assert.deepEqual(labels, { 1: 3 });
    assert.equal(
      scoreBins.reduce((a, b) => a + b),
      3,
    );
    assert.equal(
      features[0]!.bins.reduce((a, b) => a + b),
      5,
    );
    assert.equal(
      latency.reduce((a, b) => a + b),
      3,
    );
  });

  it('split by hour of event time, by role and by rehearsal', () => {
    const deltas = count((batch) => {
      for (const more of [{}, { eventTime: 6 * HOUR }, { role: 'shadow' }, { rehearsal: 'r1' }, {}] as const)
        batch.add(request(more), 0, frameOf(1), answersOf(1));
    });
    const keys = deltas.map(({ windowStart, role, rehearsal, counters }) => [
      windowStart / HOUR,
      role,
      rehearsal,
      counters.rows,
    ]);
    assert.deepEqual(keys, [
      [5, 'champion', null, 2],
      [6, 'champion', null, 1],
      [5, 'shadow', null, 1],
      [5, 'champion', 'r1', 1],
    ]);
  });

  it('start from zero again when they are used again', () => {
    const batch = new Batch(version.schema);
    batch.add(request(), 0, frameOf(1), answersOf(1));
    const tallies = new Tallies();
    for (let round = 0; round < 3; round++) {
      tallies.count(batch);
      const { deltas, release } = tallies.take();
      assert.equal(deltas[0]!.counters.requests, 1);
      assert.equal(deltas[0]!.counters.features[0]!.sum, 0.5);
      release();
    }
  });
});

describe('a batch', () => {
  it("names row n of several by the caller's id and n, and takes each row's own entity", () => {
    const batch = new Batch(version.schema);
    const two = request({ ids: ['a', 'b'], requestId: 'a', callerId: 'mine', entities: ['ann', null] });
    for (let row = 0; row < 2; row++) batch.add(two, row, frameOf(2), answersOf(2));
    const column = columnsOf(batch);
    assert.deepEqual(column('caller_id'), ['mine.0', 'mine.1']);
    assert.deepEqual(column('entity'), ['ann', null]);
    assert.deepEqual(column('unit'), ['ann', 'a']);
    assert.deepEqual(column('prediction_id'), ['a', 'b']);
  });
});

describe('a block', () => {
  it('says what all rows share once, and row by row what they do not', () => {
    const batch = new Batch(version.schema);
    for (const [i, caller] of ['app', 'web', 'app'].entries())
      batch.add(request({ ids: [`${i}`], requestId: `${i}`, caller }), 0, frameOf(1), answersOf(1));
    const column = columnsOf(batch);
    assert.deepEqual(column('caller'), ['app', 'web', 'app']);
    assert.deepEqual(column('version_id'), Array(3).fill(version.spec.versionId));
    assert.deepEqual(column('request_id'), ['0', '1', '2']);
    assert.deepEqual(column('unit'), ['0', '1', '2']);
    assert.deepEqual(column('x1'), Float64Array.of(0.5, 0.5, 0.5));
  });

  it('forgets texts, contexts and ids when its batch is used again', () => {
    const batch = new Batch(version.schema);
    batch.add(request({ caller: 'app', entity: 'ann', error: 'broke', status: 1, callerId: 'mine' }), 0, null, null);
    batch.add(request({ ids: ['a', 'b'] }), 1, frameOf(2), answersOf(2));
    batch.clear();
    batch.add(request(), 0, frameOf(1), answersOf(1));
    const column = columnsOf(batch);
    for (const name of ['caller', 'entity', 'error', 'caller_id']) assert.deepEqual(column(name), [null], name);
    assert.deepEqual([column('prediction_id'), column('unit'), column('status')], [['r'], ['r'], Float64Array.of(0)]);
  });

  it('keeps contexts apart however many there are', () => {
    const batch = new Batch(version.schema);
    const callers = Array.from({ length: 40 }, (_, i) => `caller-${i % 20}`);
    for (const caller of callers) batch.add(request({ caller }), 0, frameOf(1), answersOf(1));
    assert.deepEqual(columnsOf(batch)('caller'), callers);
    const tallies = new Tallies();
    tallies.count(batch);
    assert.deepEqual(
      tallies.take().deltas.map(({ counters }) => [counters.requests, counters.rows]),
      [[40, 40]],
    );
  });
});

describe('a spool', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'levain-spool-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const segmentOf = (seq: number): SegmentDraft => {
    const batch = new Batch(version.schema);
    for (let row = 0; row < 50; row++) batch.add(request({ ids: [`${seq}-${row}`] }), 0, frameOf(1), answersOf(1));
    const tallies = new Tallies();
    tallies.count(batch);
    const { deltas } = tallies.take();
    return {
      gatewayId: 'g',
      incarnation: 'i',
      seq,
      from: seq,
      to: seq,
      blocks: [blockOf(batch)],
      counters: deltas,
      rowsDropped: 0,
    };
  };
  const fill = async (spool: Spool, segments: number): Promise<number> => {
    let size = 0;
    for (let seq = 1; seq <= segments; seq++) {
      const bytes = encodeSegment(segmentOf(seq));
      size = bytes.length;
      await spool.write('i', seq, bytes);
    }
    return size;
  };

  it('gives segments back in their order after a restart and drops a torn one', async () => {
    const first = new Spool(dir, 2 ** 30);
    await first.recover();
    await fill(first, 3);
    const files = (await readdir(dir)).filter((file) => file.endsWith('.seg')).sort();
    const last = join(dir, files[2]!);
    await writeFile(last, (await readFile(last)).subarray(0, 100));
    const second = new Spool(dir, 2 ** 30);
    assert.deepEqual(await second.recover(), { lastTime: 2, torn: 1, newestEvents: new Map([['churn', 5 * HOUR]]) });
    const seqs: number[] = [];
    for (let segment = second.oldest(); segment; segment = second.oldest()) {
      seqs.push(decodeSegment(await second.read(segment.name)).seq);
      await second.remove(segment.name);
    }
    assert.deepEqual(seqs, [1, 2]);
    assert.deepEqual(second.size, { segments: 0, sizeBytes: 0 });
  });

  it('that is full gives up the oldest rows and never a counter', async () => {
    const probe = encodeSegment(segmentOf(1)).length;
    const spool = new Spool(dir, probe * 3);
    await spool.recover();
    await fill(spool, 6);
    assert.ok(spool.rowsDropped > 0 && spool.rowsDropped % 50 === 0);
    let rows = 0;
    let counted = 0;
    let dropped = 0;
    for (let segment = spool.oldest(); segment; segment = spool.oldest()) {
      const { blocks, counters, rowsDropped } = decodeSegment(await spool.read(segment.name));
      rows += blocks.reduce((sum, block) => sum + block.rows.rowCount, 0);
      counted += counters.reduce((sum, delta) => sum + delta.counters.rows, 0);
      dropped += rowsDropped;
      await spool.remove(segment.name);
    }
    assert.deepEqual([rows + dropped, counted, dropped], [300, 300, spool.rowsDropped]);
  });

  it('sets aside what the server refuses for good', async () => {
    const spool = new Spool(dir, 2 ** 30);
    await spool.recover();
    await fill(spool, 1);
    await spool.reject(spool.oldest()!.name);
    assert.equal(spool.oldest(), undefined);
    assert.equal((await readdir(join(dir, 'rejected'))).length, 1);
  });

  it('has a heartbeat that says whether the end was in order', async () => {
    const path = join(dir, 'heartbeat');
    assert.equal(await readHeartbeat(path), undefined);
    await writeHeartbeat(path, { durableUntil: 5, isClean: false });
    assert.deepEqual(await readHeartbeat(path), { durableUntil: 5, isClean: false });
    await writeHeartbeat(path, { durableUntil: 6, isClean: true });
    assert.equal((await readHeartbeat(path))!.isClean, true);
    await writeFile(path, '');
    assert.deepEqual(await readHeartbeat(path), { durableUntil: 0, isClean: false });
  });
});
