import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { broken, collectFacts, type Facts } from './quickstart/facts.ts';
import { connect, type Levain, type Place, runLevain } from './quickstart/levain.ts';
import { openNotebook } from './quickstart/memory.ts';
import { openScreen, type Screen } from './quickstart/screen.ts';
import { isNews, layOutProject, playStory, WHOLE_STORY } from './quickstart/story.ts';
import { openWorld } from './quickstart/world.ts';

const HELP = `npm run quickstart: one real model from a notebook to production and back, on three million flights.

  --exit                  stop everything at the end; the exit code says whether the story held
  --port <port>           port of the control plane (default 4747)
  --gateway-port <port>   port for predictions (default 4748)
  --data-dir <path>       where everything is kept (default .levain/quickstart)
  --json                  one JSON object with the measured facts on stdout (with npm run -s)
  --fresh                 forget an earlier story in that folder and play it from the start
`;

const REPOSITORY = dirname(dirname(fileURLToPath(import.meta.url)));

const { values } = parseArgs({
  options: {
    exit: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    port: { type: 'string', default: '4747' },
    'gateway-port': { type: 'string', default: '4748' },
    'data-dir': { type: 'string', default: join(REPOSITORY, '.levain', 'quickstart') },
  },
});

if (values.help) process.stdout.write(HELP);
else process.exitCode = await main();

async function main(): Promise<number> {
  const home = resolve(values['data-dir']);
  const interrupted = new AbortController();
  const place: Place = { folder: join(home, 'flights'), dataDir: join(home, 'server'), signal: interrupted.signal };
  const screen = openScreen({ json: values.json, interactive: !values.exit });
  const stop = (): void => interrupted.abort();
  // On, not once: a terminal and npm may both pass Ctrl-C on, and the second must not cut the stopping short.
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    const { facts, faults } = await play(home, place, screen);
    report(facts, faults);
    if (values.exit) await stopServer(place);
    return faults.length === 0 ? 0 : 1;
  } catch (error) {
    await stopServer(place);
    if (interrupted.signal.aborted) {
      process.stderr.write('\nStopped; run it again to go on where it was.\n');
      return 130;
    }
    const message = error instanceof Error ? error.message : String(error);
    if (values.json)
      process.stdout.write(`${JSON.stringify({ schema: 'quickstart/1', ok: false, error: { message } })}\n`);
    process.stderr.write(`\nerror: ${message}\n       the server's log is ${join(place.dataDir, 'server.log')}\n`);
    return 1;
  }
}

async function play(home: string, place: Place, screen: Screen): Promise<{ facts: Facts; faults: string[] }> {
  const began = Date.now();
  if (values.fresh) {
    await stopServer(place);
    rmSync(home, { recursive: true, force: true });
  }
  mkdirSync(home, { recursive: true });
  const notebook = openNotebook(home);
  const world = await openWorld();
  try {
    if (!notebook.memory.done.includes('project')) {
      notebook.memory.rows = await layOutProject(place.folder, world, WHOLE_STORY);
      notebook.memory.done.push('project');
      notebook.save();
    }
    const levain = await startServer(place, screen);
    const { folder, signal } = place;
    const isToldAgain = (notebook.memory.nextDay ?? 0) >= WHOLE_STORY.until;
    await playStory({ folder, world, levain, notebook, screen, plan: WHOLE_STORY, signal });
    if (!isToldAgain) notebook.memory.seconds += Math.round((Date.now() - began) / 1000);
    notebook.save();
    const facts = await collectFacts(levain, notebook.memory);
    await tellEnd(levain, screen, facts);
    return { facts, faults: broken(facts) };
  } finally {
    world.close();
  }
}

async function startServer(place: Place, screen: Screen): Promise<Levain> {
  screen.act('0. Levain starts');
  screen.command(`levain up -d --port ${values.port} --gateway-port ${values['gateway-port']}`);
  const ports = ['--port', values.port, '--gateway-port', values['gateway-port']];
  const { data } = await runLevain(place, ['up', '-d', ...ports]);
  screen.say(`Ready at ${data.url}, predictions at ${data.gatewayUrl}; levain.yaml applied.`);
  return connect(place, data.url, data.gatewayUrl);
}

/** Also after Ctrl-C: whatever this story started is stopped, a training that goes on too (servers leave steps running). */
async function stopServer(place: Place): Promise<void> {
  const unstoppable: Place = { ...place, signal: new AbortController().signal };
  const runs = await runLevain(unstoppable, ['runs'], [1, 2, 3]).catch(() => null);
  for (const run of activeRuns(runs?.data))
    await runLevain(unstoppable, ['run', '--cancel', run], [1, 3, 5]).catch(() => {});
  await runLevain(unstoppable, ['down'], [1, 2, 3]).catch(() => {});
}

function activeRuns(data: unknown): string[] {
  const listed = (data as { pipelineRuns?: { id: string; finishedAt: string | null }[] } | null)?.pipelineRuns ?? [];
  return listed.filter(({ finishedAt }) => finishedAt === null).map(({ id }) => id);
}

async function tellEnd(levain: Levain, screen: Screen, facts: Facts): Promise<void> {
  screen.act('What happened, and the command that shows it');
  let after: string | undefined;
  const lines: { kind: string; at: string; eventAt: string | null; sentence: string; command: string | null }[] = [];
  do {
    const page = await levain.get(`/activity?limit=200${after ? `&after=${encodeURIComponent(after)}` : ''}`);
    lines.push(...page.items);
    after = page.next;
  } while (after);
  for (const { kind, at, eventAt, sentence, command } of lines.reverse()) {
    if (kind === 'label' || !isNews(sentence)) continue;
    screen.say(`${(eventAt ?? at).slice(0, 16).replace('T', ' ')}  ${sentence}`);
    if (command) screen.say(`                    ${command}`);
  }
  screen.act(
    `${facts.requests.toLocaleString('en-US')} requests, ${facts.failedRequests} failed; ${facts.incidents} incidents; promoted: ${facts.promotedVersions.map((v) => `v${v}`).join(', ')}; ${facts.refusedChallengers} challengers refused; ${facts.seconds} s`,
  );
  if (values.exit) return;
  screen.say(`The server goes on at ${levain.url}. Try, in ${join(values['data-dir'], 'flights')}:`);
  const data = `LEVAIN_DATA_DIR=${join(resolve(values['data-dir']), 'server')}`;
  for (const line of ['levain status', 'levain monitor flights', 'levain why flights@v1', 'levain down'])
    screen.command(`${data} ${join(REPOSITORY, 'bin', 'levain')} ${line.slice('levain '.length)}`);
}

function report(facts: Facts, faults: readonly string[]): void {
  for (const fault of faults) process.stderr.write(`the story did not hold: ${fault}\n`);
  if (!values.json) return;
  const ok = faults.length === 0;
  const error = ok ? {} : { error: { code: 'story', message: faults.join('; ') } };
  process.stdout.write(`${JSON.stringify({ schema: 'quickstart/1', ok, data: facts, ...error })}\n`);
}
