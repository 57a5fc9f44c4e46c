import { isAppError } from '../kernel/errors.ts';
import type { Endpoint, Rollout } from '../serving/types.ts';
import type { CommandContext } from './command.ts';
import { curlOf, dataRows } from './prediction.ts';
import { followRollout, inferUrl } from './rollout-view.ts';
import { toInfer } from './tensors.ts';

/** Where an approved version answers, or how far its rollout is. */
export interface Live {
  readonly endpoint: string;
  readonly url: string | null;
  /** The command that asks it with a row of its data. */
  readonly curl: string | null;
  readonly rollout: Rollout | null;
}

/** An approval becomes a rollout within a second; the first version of a Python model loads for some. */
const START_LIMIT_MS = 20_000;
const POLL_MS = 200;

/**
 * Waits until the version answers at its endpoint, where it goes there directly; a rollout that needs evidence is only named.
 * Undefined where nothing is deployed in time (a hold, or a file without an endpoint), at once where the version is not a new one.
 */
export async function followToLive(
  context: CommandContext,
  { model, version }: { readonly model: string; readonly version: number },
  isNew: boolean,
): Promise<Live | undefined> {
  const until = Date.now() + START_LIMIT_MS;
  while (!context.signal.aborted) {
    const endpoint = await endpointOf(context, model, version);
    if (endpoint?.rollout?.version === version) {
      const rollout =
        endpoint.rollout.fromVersion === null ? await followRollout(context, endpoint.rollout) : endpoint.rollout;
      return rollout.state === 'done'
        ? liveAt(context, endpoint.name)
        : { ...NOWHERE, endpoint: endpoint.name, rollout };
    }
    if (endpoint?.champion === version) return liveAt(context, endpoint.name);
    if (!isNew || Date.now() >= until) return undefined;
    context.out.progress(`${model}@v${version} goes to its endpoint`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return undefined;
}

const NOWHERE = { url: null, curl: null, rollout: null };

async function endpointOf({ client }: CommandContext, model: string, version: number): Promise<Endpoint | undefined> {
  const { items } = await client.get<{ items: Endpoint[] }>('/endpoints');
  const own = items.filter((endpoint) => endpoint.model === model);
  return own.find(({ champion, rollout }) => champion === version || rollout?.version === version);
}

async function liveAt(context: CommandContext, name: string): Promise<Live> {
  const { client } = context;
  const endpoint = await client.get<Endpoint>(`/endpoints/${encodeURIComponent(name)}`);
  const url = inferUrl(endpoint) ?? null;
  if (url === null) return { ...NOWHERE, endpoint: name };
  const rows = await dataRows(client, endpoint, [0]).catch((error) => {
    if (isAppError(error)) return undefined;
    throw error;
  });
  const curl = rows ? curlOf(url, JSON.stringify(toInfer(rows.rows, {}, rows.signature))) : null;
  return { endpoint: name, url, curl, rollout: null };
}

/** The last lines of a run that went all the way. */
export function liveText({ model, version }: { model: string; version: number }, live: Live | undefined): string {
  if (!live) return `${model}@v${version} is approved and not live yet; levain rollout ${model} says why.`;
  if (live.rollout) return `${model}@v${version} ${live.rollout.state}: ${live.rollout.sentence}`;
  const at = `${model}@v${version} is live at ${live.url ?? live.endpoint}`;
  return live.curl === null ? `${at}.` : `${at}\n\n${live.curl}`;
}
