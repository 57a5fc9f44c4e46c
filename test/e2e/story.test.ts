import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectFacts } from '../../scripts/quickstart/facts.ts';
import { connect, type Levain, type Place, runLevain } from '../../scripts/quickstart/levain.ts';
import { openNotebook } from '../../scripts/quickstart/memory.ts';
import { openScreen } from '../../scripts/quickstart/screen.ts';
import { layOutProject, type Plan, playStory, WHOLE_STORY } from '../../scripts/quickstart/story.ts';
import { DAY_MS, day, openWorld } from '../../scripts/quickstart/world.ts';
import { waitFor } from '../support/ports.ts';
import { tempDir } from '../support/temp.ts';

/** January's model meets the second half of April, when flights are late half as often as it believes. */
const SHORT_STORY: Plan = {
  ...WHOLE_STORY,
  liveFrom: day('2001-04-16'),
  historyFrom: day('2001-03-12'),
  until: day('2001-05-19'),
  flightsPerDay: 1_600,
  rowsPerRequest: 10,
  unitChangeOn: day('2001-04-19'),
  brokenModelOn: day('2001-05-12'),
};

const SERVER_DIES_ON = day('2001-04-18');
const GATEWAY_DIES_ON = day('2001-04-21');
const EXIT_GATE_FAILED = 6;

const pidIn = (place: Place, file: string): number => JSON.parse(readFileSync(join(place.dataDir, file), 'utf8')).pid;

/** kill -9 of the control plane; a new `levain up` takes over what it left. */
async function killServer(place: Place): Promise<void> {
  process.kill(pidIn(place, 'server.json'), 'SIGKILL');
  await runLevain(place, ['up', '-d']);
}

/** kill -9 of the gateway; the living control plane starts it again on its port. */
async function killGateway(place: Place, { gatewayUrl }: Levain): Promise<void> {
  process.kill(pidIn(place, 'gateway.json'), 'SIGKILL');
  await sleep(50);
  await waitFor('the gateway', async () => {
    const answer = await fetch(`${gatewayUrl}/v2/models/flights/ready`);
    assert.equal(answer.status, 200);
  });
}

test('the story of the flights, shortened, with a kill -9 of server and gateway in the middle', async (t) => {
  const home = tempDir();
  const signal = new AbortController().signal;
  const place: Place = { folder: join(home, 'flights'), dataDir: join(home, 'server'), signal };
  const world = await openWorld();
  const notebook = openNotebook(home);
  t.after(async () => {
    world.close();
    await runLevain(place, ['down'], [1, 2, 3]);
  });
  notebook.memory.rows = await layOutProject(place.folder, world, SHORT_STORY);
  const { data: up } = await runLevain(place, ['up', '-d', '--port', '0', '--gateway-port', '0']);
  const levain = connect(place, up.url, up.gatewayUrl);
  const beforeDay = async (today: number): Promise<void> => {
    if (today === SERVER_DIES_ON) await killServer(place);
    if (today === GATEWAY_DIES_ON) await killGateway(place, levain);
  };
  const screen = openScreen({ json: true, interactive: false });
  const stage = { folder: place.folder, world, levain, notebook, screen, plan: SHORT_STORY, signal, beforeDay };
  await playStory(stage);
  const facts = await collectFacts(levain, notebook.memory);

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
  await assertGates(levain);
  await assertRehearsals(levain);
  await assertNothingLost(levain, notebook.memory.requests);
  await assertSmallChallengerRefused(levain);
});

interface Gate {
  readonly outcome: string;
  readonly rows: number;
  readonly championVersion: number | null;
}

/** Every comparison stood on at least 10,000 rows that neither side saw. */
async function assertGates(levain: Levain): Promise<void> {
  const { items }: { items: { version: number; gate: Gate | null }[] } = await levain.get('/models/flights/versions');
  const gates = items.flatMap(({ gate }) => (gate ? [gate] : []));
  assert.ok(gates.length >= 2);
  for (const gate of gates) assert.ok(gate.rows >= 10_000, JSON.stringify(gate));
}

/** The unit change was named with its factor, held retraining back, and left the real windows alone. */
async function assertRehearsals(levain: Levain): Promise<void> {
  const { items }: { items: { kind: string; sentence: string }[] } = await levain.get('/activity?limit=200');
  const sentences = items.map(({ sentence }) => sentence);
  assert.ok(
    sentences.some((s) => /REHEARSAL.*distance ×1\.6/.test(s)),
    sentences.filter((s) => /REHEARSAL/.test(s)).join('\n'),
  );
  assert.ok(sentences.some((s) => /HELD: no retraining or promotion until resume/.test(s)));
  assert.ok(sentences.some((s) => /resumed by/.test(s)));
}

/** Every answered flight whose outcome was sent found its prediction in the log, through both kills. */
async function assertNothingLost(levain: Levain, requests: number): Promise<void> {
  const status = await levain.get('/labels/status');
  assert.equal(status.pending, 0, JSON.stringify(status).slice(0, 500));
  const days = (SHORT_STORY.until - SHORT_STORY.liveFrom) / DAY_MS;
  assert.equal(requests, days * (SHORT_STORY.flightsPerDay / SHORT_STORY.rowsPerRequest));
}

async function assertSmallChallengerRefused(levain: Levain): Promise<void> {
  const { exitCode, data } = await levain.run(['run', '--param', 'max_rows=500'], [EXIT_GATE_FAILED]);
  assert.equal(exitCode, EXIT_GATE_FAILED, data?.run?.summary);
  assert.match(data.run.summary, /failed the gate/);
}
