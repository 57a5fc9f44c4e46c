import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runLevain } from '../../scripts/quickstart/levain.ts';
import { inferRequest } from '../../scripts/quickstart/traffic.ts';
import type { OpenFlights } from './flights.ts';
import { waitFor } from './ports.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const ROWS_AN_HOUR = 60;
const MILES_TO_KILOMETRES = 1.609344;
const AIRPORTS = ['ATL', 'ORD', 'DFW', 'SEA', 'LAX', 'DEN'];
const EXIT_WAITING = 8;

/**
 * A day of the endpoint's traffic whose distances come in kilometres, then an hour of the day after it, so that the day is judged.
 * Answers the number of the incident that it opened.
 */
export async function breakData({ levain }: OpenFlights): Promise<number> {
  await waitFor('a version that is loaded', async () => {
    const { status } = await fetch(`${levain.gatewayUrl}/v2/models/flights/ready`);
    if (status !== 200) throw new Error(`the gateway answered ${status}`);
  });
  const { eventClock } = await levain.get('/endpoints/flights');
  const day = (Math.floor(Date.parse(eventClock) / DAY_MS) + 1) * DAY_MS;
  for (let hour = 1; hour < 24; hour++) await ask(levain.gatewayUrl, day + hour * HOUR_MS, MILES_TO_KILOMETRES);
  await ask(levain.gatewayUrl, day + DAY_MS + HOUR_MS, MILES_TO_KILOMETRES);
  return waitFor('an incident', async () => {
    await levain.get('/endpoints/flights/watermark');
    const { items } = await levain.get('/incidents?state=open');
    const found = items.find(({ cause }: { cause: string }) => cause === 'broken');
    if (!found) throw new Error('no incident is open');
    return found.number;
  });
}

async function ask(gatewayUrl: string, at: number, factor: number): Promise<void> {
  const rows = Array.from({ length: ROWS_AN_HOUR }, (_, i) => ({
    date: at - ROWS_AN_HOUR * 1_000 + i * 1_000,
    distance: Math.round((200 + ((i * 397) % 1_900)) * factor),
    origin: AIRPORTS[i % AIRPORTS.length]!,
    destination: AIRPORTS[(i + 1 + (i % 4)) % AIRPORTS.length]!,
    delay: 0,
  }));
  const response = await fetch(`${gatewayUrl}/v2/models/flights/infer`, {
    method: 'POST',
    body: JSON.stringify(inferRequest(rows as never)),
  });
  if (!response.ok) throw new Error(`the gateway answered ${response.status}: ${await response.text()}`);
}

/** A pipeline beside the story's, whose only step ends with 3. Answers the id of the run that failed. */
export async function failRun({ levain, place }: OpenFlights): Promise<string> {
  const folder = join(place.folder, '..', 'report');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'levain.yaml'),
    `name: report\nsteps: { count: { run: "echo 'KeyError: amount' >&2; exit 3" } }\n`,
  );
  const there = { ...place, folder };
  const at = ['--url', levain.url];
  await runLevain(there, ['apply', '--yes', ...at]);
  await runLevain(there, ['run', ...at], [1]);
  const { items } = await levain.get('/pipeline-runs?pipeline=report&limit=1');
  return items[0].id;
}

/** Another seed and a gate that lets it through: changed code needs a person. Answers the version that waits. */
export async function waitForApproval({ levain, place }: OpenFlights): Promise<number> {
  const path = join(place.folder, 'levain.yaml');
  const text = readFileSync(path, 'utf8')
    .replace('seed: 7', 'seed: 8')
    .replace('pass: better', 'pass: { not_worse: 0.5 }')
    .replace('retrain: auto', 'retrain: human');
  writeFileSync(path, text);
  await levain.run(['apply', '--yes']);
  await levain.run(['run'], [EXIT_WAITING]);
  const { items } = await levain.get('/models');
  return items[0].waiting[0];
}
