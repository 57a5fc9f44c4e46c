import { existsSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Levain } from './levain.ts';
import type { Notebook } from './memory.ts';
import type { Screen } from './screen.ts';
import { inferRequest, sendTraffic } from './traffic.ts';
import { DAY_MS, day, dayName, type World } from './world.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/flights/', import.meta.url));
const PROJECT_FILES = ['levain.yaml', 'train.ipynb', 'features.py', 'requirements.lock'];
const FIRST_WEEK = day('2001-01-01');
const WEEK_MS = 7 * DAY_MS;
const EXIT_WAITING = 8;
const EXIT_CONTRACT = 9;
const EXIT_ROLLED_BACK = 10;

/** How much of the world is played. All rows become data; a sample of each day's flights is asked about. */
export interface Plan {
  /** Live traffic starts here; the data before is what the first version learns from, with its gate rows. */
  readonly liveFrom: number;
  readonly dataUntil: number;
  /** Weeks that begin before this never become files. */
  readonly historyFrom: number;
  /** The day after the last one. */
  readonly until: number;
  readonly flightsPerDay: number;
  readonly rowsPerRequest: number;
  readonly concurrency: number;
  /** Outcomes become known so many days after the flight. */
  readonly labelLagDays: number;
  readonly unitChangeOn: number;
  readonly brokenModelOn: number;
}

export const WHOLE_STORY: Plan = {
  liveFrom: day('2001-01-25'),
  dataUntil: day('2001-02-01'),
  historyFrom: day('2001-02-01'),
  until: day('2001-07-01'),
  flightsPerDay: 1_800,
  rowsPerRequest: 15,
  concurrency: 10,
  labelLagDays: 3,
  unitChangeOn: day('2001-03-20'),
  brokenModelOn: day('2001-06-12'),
};

export interface Stage {
  readonly folder: string;
  readonly world: World;
  readonly levain: Levain;
  readonly notebook: Notebook;
  readonly screen: Screen;
  readonly plan: Plan;
  readonly signal: AbortSignal;
  /** Called before each day; the end-to-end test kills processes here. */
  readonly beforeDay?: (time: number) => Promise<void>;
}

/** The story's project: the example's own files, and the first month of data. Existing files stay as they are. */
export async function layOutProject(folder: string, world: World, plan: Plan): Promise<number> {
  await mkdir(join(folder, 'data'), { recursive: true });
  for (const file of PROJECT_FILES) await cp(join(EXAMPLE, file), join(folder, file));
  let rows = 0;
  for (let week = FIRST_WEEK; week < plan.dataUntil; week += WEEK_MS)
    rows += await world.writeFile(weekFile(folder, week), week, Math.min(week + WEEK_MS, plan.dataUntil));
  return rows;
}

const weekFile = (folder: string, week: number): string => join(folder, 'data', `${dayName(week)}.parquet`);

/** Plays what is not done yet, act by act. */
export async function playStory(stage: Stage): Promise<void> {
  await once(stage, 'data', () => dataAct(stage));
  await once(stage, 'run', () => runAct(stage));
  await once(stage, 'again', () => againAct(stage));
  await once(stage, 'live', () => liveAct(stage));
  await daysAct(stage);
}

async function once(stage: Stage, name: string, act: () => Promise<void>): Promise<void> {
  const { memory, save } = stage.notebook;
  stage.signal.throwIfAborted();
  if (memory.done.includes(name)) return;
  await act();
  memory.done.push(name);
  save();
}

const grouped = (n: number): string => n.toLocaleString('en-US');

async function dataAct({ folder, world, levain, notebook, screen, plan }: Stage): Promise<void> {
  screen.act('1. January becomes a dataset version, and its contract is checked');
  screen.command('levain data add flights');
  const { version } = (await levain.run(['data', 'add', 'flights'])).data;
  screen.say(`flights v${version.version}: ${grouped(version.rowCount)} rows, contract kept.`);
  const brokenFile = join(folder, 'data', 'broken.parquet');
  await world.writeBrokenFile(brokenFile, plan.dataUntil, plan.dataUntil + DAY_MS, 40);
  screen.say('A bad export arrives: delays missing, a distance of 99,999 miles.');
  screen.command('levain data add flights');
  const refused = await levain.run(['data', 'add', 'flights'], [EXIT_CONTRACT]);
  await rm(brokenFile);
  if (refused.exitCode !== EXIT_CONTRACT) throw new Error('The broken file was accepted');
  // biome-ignore lint/suspicious/noExplicitAny: the report of a contract
  const checks: any[] = brokenChecks(refused);
  for (const check of checks) {
    screen.say(`refused: ${check.sentence}`);
    const [row] = check.rows;
    if (row) screen.say(`  ${row.file}, row ${row.row}: ${JSON.stringify(row.values)}`);
  }
  notebook.memory.brokenRowsRefused = checks.reduce((n, check) => n + check.failing, 0);
}

// biome-ignore lint/suspicious/noExplicitAny: the report of a contract, in the answer or in the error's details
function brokenChecks(answer: { data: any; error: any }): any[] {
  const version = answer.data?.version ?? answer.error?.details?.version;
  const checks = version?.contract?.checks ?? answer.error?.details?.checks ?? [];
  return checks.filter((check: { success: boolean }) => !check.success);
}

async function runAct({ levain, screen, signal }: Stage): Promise<void> {
  screen.act('2. The notebook runs in its locked environment, and the gate compares on rows it never saw');
  screen.command('levain run');
  const following = followRun(levain, screen, signal);
  const { data } = await levain.run(['run'], [EXIT_WAITING]).finally(following);
  for (const step of data.steps)
    screen.say(`${step.state === 'ok' ? '✓' : '='} ${step.name}: ${step.reason ?? step.state}`);
  screen.say(data.run.summary);
  const { sentence } = await levain.get('/models/flights/versions/1/approval');
  screen.say(sentence);
  await screen.pause('Approve version 1?', signal);
  screen.command('levain approve flights@v1');
  await levain.run(['approve', 'flights@v1', '--reason', 'better than the base rate', '--yes']);
}

/** Shows what the running run does now, until the returned function is called. */
function followRun(levain: Levain, screen: Screen, signal: AbortSignal): () => Promise<void> {
  const stopping = new AbortController();
  const both = AbortSignal.any([signal, stopping.signal]);
  const loop = async (): Promise<void> => {
    while (!both.aborted) {
      await sleep(500, undefined, { signal: both }).catch(() => {});
      const { items } = await levain.get('/pipeline-runs?limit=1').catch(() => ({ items: [] }));
      if (!items[0] || both.aborted) continue;
      const detail = await levain.get(`/pipeline-runs/${items[0].id}`).catch(() => null);
      const busy = detail?.steps.find((step: { state: string }) => step.state === 'running');
      if (busy) screen.progress(`${busy.name}: ${doing(busy)}`);
    }
  };
  const done = loop();
  return async () => {
    stopping.abort();
    await done;
  };
}

// biome-ignore lint/suspicious/noExplicitAny: a step as the route gives it
const doing = (step: any): string =>
  step.progress
    ? `cell ${step.progress.cell} of ${step.progress.of}, ${step.progress.title}`
    : (step.says ?? 'starting');

async function againAct({ levain, notebook, screen }: Stage): Promise<void> {
  screen.act('3. The same again is a cache hit, and says why');
  screen.command('levain run');
  const { data } = await levain.run(['run'], [EXIT_WAITING]);
  const train = data.steps.find((step: { name: string }) => step.name === 'train');
  notebook.memory.cacheHit = train?.state === 'cached';
  screen.say(`train: ${train?.reason}`);
}

async function liveAct({ levain, world, screen, plan, signal }: Stage): Promise<void> {
  screen.act('4. Version 1 goes live');
  const rollout = await untilRolledOut(levain, signal);
  screen.say(`flights@v${rollout.version} ${rollout.sentence}`);
  const version = await levain.get('/models/flights/versions/1');
  screen.say(
    `${version.parity.rows} golden predictions replayed in serving agree with scikit-learn's within ${version.parity.maxDifference.toExponential(1)}.`,
  );
  const [flight] = await world.flights(plan.liveFrom, plan.liveFrom + DAY_MS, 1);
  const body = JSON.stringify(inferRequest([flight!]));
  screen.say('Ask it yourself:');
  screen.command(`curl -s ${levain.gatewayUrl}/v2/models/flights/infer -d '${body}'`);
  await screen.pause('Go on with January, then February to June?', signal);
}

async function untilRolledOut(levain: Levain, signal: AbortSignal): Promise<{ version: number; sentence: string }> {
  for (;;) {
    const { items } = await levain.get('/endpoints/flights/rollouts').catch(() => ({ items: [] }));
    if (items[0]?.state === 'done') return items[0];
    if (items[0]?.state === 'aborted') throw new Error(`The first rollout was aborted: ${items[0].reason}`);
    await sleep(200, undefined, { signal });
  }
}

/** Day after day in lock-step: outcomes that became known, the day's questions, then the monitors and what they started. */
async function daysAct(stage: Stage): Promise<void> {
  const { notebook, plan, screen } = stage;
  const { memory } = notebook;
  const first = memory.nextDay ?? plan.liveFrom;
  memory.nextDay = first;
  if (first < plan.until)
    screen.act('5. January to June pass: traffic, late outcomes, and what the monitor makes of them');
  const teller = openTeller(stage);
  await teller.skip();
  for (let today = first; today < plan.until; today += DAY_MS) {
    await stage.beforeDay?.(today);
    await playDay(stage, today);
    await teller.tell();
    if (today >= plan.unitChangeOn) await once(stage, 'unit-change', () => unitChangeAct(stage));
    if (today >= plan.brokenModelOn && !(await isRollingOut(stage.levain)))
      await once(stage, 'broken-model', () => brokenModelAct(stage));
    await teller.tell();
    memory.nextDay = today + DAY_MS;
    notebook.save();
  }
}

async function playDay(stage: Stage, today: number): Promise<void> {
  const { levain, world, notebook, screen, plan, signal } = stage;
  const { memory } = notebook;
  screen.progress(`${dayName(today)}  ${grouped(memory.requests)} requests answered`);
  await dataArrives(stage, today);
  await outcomesArrive(stage, today);
  const flights = await world.flights(today, today + DAY_MS, plan.flightsPerDay);
  const { gatewayUrl } = levain;
  const { rowsPerRequest, concurrency } = plan;
  const sent = await sendTraffic(flights, { gatewayUrl, endpoint: 'flights', rowsPerRequest, concurrency, signal });
  signal.throwIfAborted();
  memory.requests += sent.requests;
  memory.failedRequests += sent.failed;
  memory.unlabelled.push(...sent.answered);
  if (sent.failure) screen.say(`${sent.failed} requests failed: ${sent.failure}`);
  await untilSettled(stage, today, flights.at(-1)?.date ?? today);
}

/** Weeks whose outcomes are all known become files of the data folder, as an export would land there. */
async function dataArrives({ folder, world, notebook, plan }: Stage, today: number): Promise<void> {
  const known = today - plan.labelLagDays * DAY_MS;
  for (let week = FIRST_WEEK; week + WEEK_MS <= known; week += WEEK_MS) {
    // January's last file ends with the month; the next one begins where it ends.
    const from = Math.max(week, plan.dataUntil);
    if (week + WEEK_MS <= plan.dataUntil || from < plan.historyFrom || existsSync(weekFile(folder, from))) continue;
    notebook.memory.rows += await world.writeFile(weekFile(folder, from), from, week + WEEK_MS);
  }
}

const LABELS_PER_CALL = 10_000;

async function outcomesArrive({ levain, notebook, plan }: Stage, today: number): Promise<void> {
  const { memory } = notebook;
  const known = memory.unlabelled.filter(({ date }) => date < today - (plan.labelLagDays - 1) * DAY_MS);
  for (let i = 0; i < known.length; i += LABELS_PER_CALL) {
    const labels = known.slice(i, i + LABELS_PER_CALL).map(({ predictionId, delay }) => ({
      predictionId,
      value: delay,
      availableAt: new Date(today).toISOString(),
    }));
    await levain.post('/labels', { endpoint: 'flights', labels });
  }
  memory.unlabelled = memory.unlabelled.filter(({ date }) => date >= today - (plan.labelLagDays - 1) * DAY_MS);
}

const SETTLE_LIMIT_MS = 180_000;

/** Gateways date a little before the last event they saw, so that stragglers still count. */
const CLOCK_LAG_MS = 600_000;

/** Waits until the monitors have seen the day up to `last` and nothing that they started goes on without more traffic. */
async function untilSettled({ levain, screen, signal }: Stage, today: number, last: number): Promise<void> {
  const began = Date.now();
  for (let wait = 20; ; wait = Math.min(250, wait * 1.5)) {
    const mark: Mark = await levain.get('/endpoints/flights/watermark');
    const seen =
      Date.parse(mark.eventClock ?? '') >= last - CLOCK_LAG_MS && Date.parse(mark.evaluatedTo ?? '') >= today;
    if (seen && mark.actionsInFlight === 0) return;
    if (mark.runs.length > 0) screen.progress(`${dayName(today)}  retraining on the newer data …`);
    if (Date.now() - began > SETTLE_LIMIT_MS)
      throw new Error(`The day ${dayName(today)} did not settle within three minutes: ${JSON.stringify(mark)}`);
    await sleep(wait, undefined, { signal });
  }
}

interface Mark {
  readonly eventClock: string | null;
  readonly evaluatedTo: string | null;
  readonly actionsInFlight: number;
  readonly runs: readonly unknown[];
}

interface Line {
  readonly id: string;
  readonly eventAt: string | null;
  readonly kind: string;
  readonly sentence: string;
}

const TOLD = new Set(['incident', 'run', 'gate', 'rollout', 'hold', 'rehearsal', 'approval']);

/** Guards speak at every alarm: of those that held a retraining back only broken data is news. */
export const isNews = (sentence: string): boolean => !/is held back/.test(sentence) || /data .*incident/.test(sentence);

/** Tells each new line of the timeline once, as it happens. */
function openTeller({ levain, screen, notebook }: Stage): { tell(): Promise<void>; skip(): Promise<void> } {
  let last = '';
  const fresh = async (): Promise<readonly Line[]> => {
    const { items }: { items: readonly Line[] } = await levain.get('/activity?limit=100');
    const lines = items.filter(({ id }) => id > last).reverse();
    last = items[0]?.id ?? last;
    return lines;
  };
  return {
    async skip() {
      await fresh();
    },
    async tell() {
      const today = notebook.memory.nextDay;
      for (const line of await fresh())
        if (TOLD.has(line.kind) && isNews(line.sentence))
          screen.say(`${today ? dayName(today) : ''}  ${line.sentence}`);
    },
  };
}

async function unitChangeAct({ levain, screen }: Stage): Promise<void> {
  screen.act('   Rehearsal: for one day, distance arrives in kilometres');
  screen.command('levain rehearse unit-change flights --column distance --factor 1.609344');
  const { data } = await levain.run(
    ['rehearse', 'unit-change', 'flights', '--column', 'distance', '--factor', '1.609344', '--yes'],
    [EXIT_ROLLED_BACK],
  );
  for (const sentence of sentencesOf(data)) screen.say(sentence);
}

/** A real rollout goes before a rehearsed one. */
async function isRollingOut(levain: Levain): Promise<boolean> {
  const { items } = await levain.get('/endpoints/flights/rollouts');
  return items.some(
    ({ finishedAt, state }: { finishedAt: string | null; state: string }) => !finishedAt && state !== 'baking',
  );
}

async function brokenModelAct({ levain, screen }: Stage): Promise<void> {
  screen.act('   Rehearsal: a broken version is rolled out');
  screen.command('levain rehearse broken-model flights');
  const { data } = await levain.run(['rehearse', 'broken-model', 'flights', '--yes'], [EXIT_ROLLED_BACK]);
  for (const sentence of sentencesOf(data)) screen.say(sentence);
  screen.command('levain resume flights');
  await levain.run(['resume', 'flights']);
  screen.say('The hold is lifted.');
}

// biome-ignore lint/suspicious/noExplicitAny: a rehearsal's report
const sentencesOf = (data: any): string[] => {
  const report = data?.report ?? data?.rehearsal?.report ?? data;
  const lines = report?.lines ?? report?.sentences ?? [report?.sentence];
  return lines.filter((line: unknown) => typeof line === 'string');
};
