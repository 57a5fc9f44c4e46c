import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Levain } from '../../scripts/quickstart/levain.ts';
import { DAY_MS } from '../../scripts/quickstart/world.ts';
import { type OpenFlights, openFlights, SHORT_STORY } from '../support/flights.ts';

const EXIT_GATE_FAILED = 6;

let flights: OpenFlights;
let levain: Levain;
before(async () => {
  flights = await openFlights();
  levain = flights.levain;
});
after(() => flights?.close());

test('the story of the flights holds, with a kill -9 of server and gateway in the middle', () => {
  const { facts } = flights.world;
  assert.equal(facts.cacheHit, true);
  assert.equal(facts.brokenRowsRefused, 40);
  assert.ok(facts.parityMaxDifference <= 1e-6, String(facts.parityMaxDifference));
  assert.ok(facts.auc > 0.6 && facts.logLoss < 0.5, JSON.stringify(facts));
  assert.equal(facts.failedRequests, 0);
  assert.ok(facts.incidents >= 1);
  assert.match(facts.retrainTrigger, /^alert /);
  assert.ok(
    facts.promotedVersions.some((version) => version > 1),
    `promoted: ${facts.promotedVersions}`,
  );
  assert.ok(facts.rolledBackVersion > 1);
  assert.match(facts.rollbackReason, /differ|constant|fail/);
});

interface Gate {
  readonly outcome: string;
  readonly rows: number;
  readonly championVersion: number | null;
}

test('every comparison stood on at least 10,000 rows that neither side saw', async () => {
  const { items }: { items: { version: number; gate: Gate | null }[] } = await levain.get('/models/flights/versions');
  const gates = items.flatMap(({ gate }) => (gate ? [gate] : []));
  assert.ok(gates.length >= 2);
  for (const gate of gates) assert.ok(gate.rows >= 10_000, JSON.stringify(gate));
});

test('the unit change was named with its factor, held retraining back, and left the real windows alone', async () => {
  const { items }: { items: { kind: string; sentence: string }[] } = await levain.get('/activity?limit=200');
  const sentences = items.map(({ sentence }) => sentence);
  assert.ok(
    sentences.some((s) => /REHEARSAL.*distance ×1\.6/.test(s)),
    sentences.filter((s) => /REHEARSAL/.test(s)).join('\n'),
  );
  assert.ok(sentences.some((s) => /HELD: no retraining or promotion until resume/.test(s)));
  assert.ok(sentences.some((s) => /resumed by/.test(s)));
});

test('every answered flight whose outcome was sent found its prediction in the log, through both kills', async () => {
  const status = await levain.get('/labels/status');
  assert.equal(status.pending, 0, JSON.stringify(status).slice(0, 500));
  const days = (SHORT_STORY.until - SHORT_STORY.liveFrom) / DAY_MS;
  assert.equal(flights.world.requests, days * (SHORT_STORY.flightsPerDay / SHORT_STORY.rowsPerRequest));
});

test('a challenger that learned from 500 rows is refused', async () => {
  const { exitCode, data } = await levain.run(['run', '--param', 'max_rows=500'], [EXIT_GATE_FAILED]);
  assert.equal(exitCode, EXIT_GATE_FAILED, data?.run?.summary);
  assert.match(data.run.summary, /failed the gate/);
});
