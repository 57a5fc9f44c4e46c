import { setTimeout as pause } from 'node:timers/promises';
import { addExamples, type CommandContext, type CommandModule, type CommandResult, EXIT } from '../command.ts';
import { findServerInfo } from '../server-process.ts';
import { transport } from '../transport.ts';

/** What `GET /status` answers, as far as this command reads it. */
interface Status {
  readonly models?: readonly ModelStatus[];
  readonly needsYou?: readonly { readonly sentence: string; readonly command?: string | null }[];
}

interface ModelStatus {
  readonly name: string;
  readonly version?: string | number | null;
  readonly endpoint?: string | null;
  readonly lights?: Readonly<Record<string, unknown>>;
  readonly held?: unknown;
}

const REFRESH_MS = 2_000;
const LIGHTS = ['service', 'data', 'predictions', 'performance', 'business'];
const BAD: ReadonlySet<string> = new Set(['red', 'bad', 'broken', 'failing', 'alert', 'critical']);

export const command: CommandModule = {
  name: 'status',
  group: 'Start',
  summary: 'Show models, versions, lights and what needs you',
  configure(command) {
    command
      .option('-f, --follow', 'show it again whenever it changes')
      .option('--check', `exit ${EXIT.unhealthy} when a light is red or the gateway does not answer`);
    addExamples(command, [
      ['levain status', 'one line a model'],
      ['levain status --check', 'for a cron job or a deployment'],
      ['levain status --json', 'url, gatewayUrl and every model with version and lights'],
    ]);
  },
  async run(context, _args, options) {
    if (options['follow'] !== true) return report(context, options['check'] === true);
    let last = '';
    while (!context.signal.aborted) {
      const { text = '', data } = await report(context, false);
      if (text !== last) context.out.item(data, `${context.isTerminal ? '\u001b[2J\u001b[H' : ''}${text}`);
      last = text;
      await pause(REFRESH_MS, undefined, { signal: context.signal }).catch(() => {});
    }
    return undefined;
  },
};

async function report({ client, out }: CommandContext, check: boolean): Promise<CommandResult> {
  const status = await client.get<Status>('/status');
  const { url } = await client.address();
  const info = await findServerInfo(url);
  const gatewayUrl = info?.gatewayUrl ?? null;
  const gatewayAnswers = gatewayUrl !== null && (await answers(gatewayUrl));
  const models = status.models ?? [];
  const unhealthy = !gatewayAnswers || models.some(isBad);
  return {
    schema: 'status/1',
    data: { ...status, url, gatewayUrl, gatewayAnswers, version: info?.version ?? null, models },
    text: toText(out, url, gatewayUrl, gatewayAnswers, status),
    next: models.length === 0 ? ['levain run'] : [],
    exitCode: check && unhealthy ? EXIT.unhealthy : EXIT.ok,
  };
}

async function answers(gatewayUrl: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(2_000);
    return (await transport(`${gatewayUrl}/v2/health/live`, { method: 'GET', headers: {}, body: null, signal })).ok;
  } catch {
    return false;
  }
}

const stateOf = (light: unknown): string =>
  typeof light === 'object' && light !== null
    ? String((light as { state?: unknown }).state ?? '–')
    : String(light ?? '–');

const isBad = ({ lights = {} }: ModelStatus): boolean => Object.values(lights).some((light) => BAD.has(stateOf(light)));

function toText(
  out: CommandContext['out'],
  url: string,
  gatewayUrl: string | null,
  gatewayAnswers: boolean,
  { models = [], needsYou = [] }: Status,
): string {
  const gateway =
    gatewayUrl === null ? 'no gateway' : `predictions at ${gatewayUrl}${gatewayAnswers ? '' : ' (does not answer)'}`;
  const rows = models.map((model) => [
    model.name,
    model.version === null || model.version === undefined ? 'not live' : `v${String(model.version).replace(/^v/, '')}`,
    ...LIGHTS.map((light) => stateOf(model.lights?.[light])),
    model.held ? 'HELD' : '',
  ]);
  const table = models.length === 0 ? 'No models yet.' : out.table(['model', 'live', ...LIGHTS, 'hold'], rows);
  const needs = needsYou.map(({ sentence, command }) => `  ${sentence}${command ? `   ${command}` : ''}`);
  return [`${url} · ${gateway}`, ...(needs.length > 0 ? ['', 'Needs you:', ...needs] : []), '', table].join('\n');
}
