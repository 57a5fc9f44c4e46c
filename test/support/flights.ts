import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectFacts, type Facts } from '../../scripts/quickstart/facts.ts';
import { connect, type Levain, type Place, runLevain } from '../../scripts/quickstart/levain.ts';
import { openNotebook } from '../../scripts/quickstart/memory.ts';
import { openScreen } from '../../scripts/quickstart/screen.ts';
import { layOutProject, type Plan, playStory, WHOLE_STORY } from '../../scripts/quickstart/story.ts';
import { day, openWorld } from '../../scripts/quickstart/world.ts';
import { waitFor } from './ports.ts';
import { tempDir } from './temp.ts';

/** January's model meets the second half of April, when flights are late half as often as it believes. */
export const SHORT_STORY: Plan = {
  ...WHOLE_STORY,
  liveFrom: day('2001-04-16'),
  historyFrom: day('2001-03-12'),
  until: day('2001-05-19'),
  flightsPerDay: 1_600,
  rowsPerRequest: 10,
  unitChangeOn: day('2001-04-19'),
  // Before the first retraining: later a rollout may be under way to the end.
  brokenModelOn: day('2001-04-20'),
};

const SERVER_DIES_ON = day('2001-04-18');
const GATEWAY_DIES_ON = day('2001-04-21');
const POLL_MS = 500;
/** Holds the id of the process that plays. */
const PLAYER_FILE = 'player';

/** What the story left: a finished folder, and what was counted while it was played. */
export interface FlightsWorld {
  readonly folder: string;
  readonly facts: Facts;
  readonly requests: number;
}

/** A server over a copy of the world, which a test may change as it likes. */
export interface OpenFlights {
  readonly levain: Levain;
  readonly place: Place;
  readonly world: FlightsWorld;
  close(): Promise<void>;
}

/**
 * The flights story, shortened, with a kill -9 of server and gateway in the middle; played once a test run: every file that
 * asks for it gets the same one, and the first plays it. `LEVAIN_TEST_WORLD` names a folder that keeps it between runs.
 */
export async function flightsWorld(): Promise<FlightsWorld> {
  const kept = process.env['LEVAIN_TEST_WORLD'] ?? process.env['LEVAIN_TEST_RUN'];
  const folder = kept ? join(kept, 'flights-world') : join(tempDir(), 'flights-world');
  const doneFile = join(folder, 'world.json');
  if (kept) mkdirSync(kept, { recursive: true });
  if (takes(folder)) {
    const played = await play(folder).catch((error) => ({ error: String(error) }));
    writeFileSync(`${doneFile}.part`, JSON.stringify(played));
    renameSync(`${doneFile}.part`, doneFile);
  }
  while (!existsSync(doneFile)) {
    assertPlayed(folder);
    await sleep(POLL_MS);
  }
  const world: Omit<FlightsWorld, 'folder'> | { readonly error: string } = JSON.parse(readFileSync(doneFile, 'utf8'));
  if ('error' in world) throw new Error(`The flights story failed in the test that played it: ${world.error}`);
  return { ...world, folder };
}

/** Whether it is ours to play: the folder is made by one process only. */
function takes(folder: string): boolean {
  try {
    mkdirSync(folder);
    writeFileSync(join(folder, PLAYER_FILE), String(process.pid));
    return true;
  } catch {
    return false;
  }
}

/** Throws where the process that plays is gone. */
function assertPlayed(folder: string): void {
  const path = join(folder, PLAYER_FILE);
  if (!existsSync(path)) return;
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0);
  } catch {
    throw new Error(`Whoever played the flights story ended before it was over; remove ${folder}`);
  }
}

async function play(home: string): Promise<Omit<FlightsWorld, 'folder'>> {
  const part = `${home}.part`;
  const signal = new AbortController().signal;
  const place: Place = { folder: join(part, 'flights'), dataDir: join(part, 'server'), signal };
  const world = await openWorld();
  mkdirSync(part, { recursive: true });
  const notebook = openNotebook(part);
  try {
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
    return { facts: await collectFacts(levain, notebook.memory), requests: notebook.memory.requests };
  } finally {
    world.close();
    await runLevain(place, ['down'], [1, 2, 3]);
    for (const name of ['flights', 'server', 'story.json'])
      if (existsSync(join(part, name))) renameSync(join(part, name), join(home, name));
  }
}

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

/** Control plane and gateway over a copy of the finished story. */
export async function openFlights(): Promise<OpenFlights> {
  const world = await flightsWorld();
  const home = tempDir();
  for (const name of ['flights', 'server']) cpSync(join(world.folder, name), join(home, name), { recursive: true });
  const place: Place = {
    folder: join(home, 'flights'),
    dataDir: join(home, 'server'),
    signal: new AbortController().signal,
  };
  const { data: up } = await runLevain(place, ['up', '-d', '--port', '0', '--gateway-port', '0']);
  return {
    levain: connect(place, up.url, up.gatewayUrl),
    place,
    world,
    close: async () => void (await runLevain(place, ['down'], [1, 2, 3])),
  };
}

/** A champion and the version that takes a quarter of its traffic. */
export interface Canary {
  readonly champion: number;
  readonly challenger: number;
}

/**
 * The first version as champion and the last champion of the story as its canary at 25 %, which waits there: nobody asks. The story ends with a
 * canary or without one, as the monitor and the gateways happened to look; this is the same either way.
 */
export async function startCanary(flights: OpenFlights): Promise<Canary> {
  const { levain } = flights;
  const model = () => statusOf(levain);
  await endRollout(flights);
  const { version } = await model();
  await levain.run(['deploy', 'flights@v1', '--rollout', 'direct', '--resume', '--yes']);
  await waitFor('the first version', async () => {
    const { version: champion, rollout: going } = await model();
    assert.deepEqual([champion, going], [1, null]);
  });
  await levain.run(['deploy', `flights@v${version}`, '--rollout', 'canary:25,50', '--yes']);
  await waitFor('the canary', async () => assert.equal((await model()).rollout?.state, 'canary'));
  return { champion: 1, challenger: version };
}

/** Aborts the rollout that the story ended in, if it did, and lifts the hold that follows. */
export async function endRollout({ levain }: OpenFlights): Promise<void> {
  if ((await statusOf(levain)).rollout === null) return;
  await levain.run(['rollout', 'flights', '--abort', '--yes'], [5]);
  await waitFor('the end of the rollout', async () => assert.equal((await statusOf(levain)).rollout, null));
  await levain.run(['resume', 'flights', '--yes'], [5]);
}

async function statusOf(levain: Levain): Promise<FlightsStatus> {
  const { models }: { models: readonly FlightsStatus[] } = await levain.get('/status');
  const flights = models.find(({ name }) => name === 'flights');
  assert.ok(flights);
  return flights;
}

interface FlightsStatus {
  readonly name: string;
  readonly version: number;
  readonly rollout: { readonly version: number; readonly state: string } | null;
}
