import type { ServableSpec } from '../engines/types.ts';
import { recordActivity } from '../identity/index.ts';
import { canonicalJson } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import type { Tx } from '../ports/db.ts';
import { getVersionIn } from '../registry/index.ts';
import type { Actor } from '../wire/route.ts';
import { bumpDesired } from './desired.ts';
import * as store from './endpoints.store.ts';
import { gatewaysIn } from './gateways.ts';
import { eventClockOf, latenessOf } from './log/event-clock.ts';
import { selectActiveRollout } from './rollouts/rollouts.store.ts';
import { toRollout } from './rollouts/views.ts';
import type { EndpointTable } from './tables.ts';
import type { Endpoint, FallbackSetting, ServingDeps } from './types.ts';

const MAX_CLASSES_SHOWN = 20;

/** What fits a URL and a gateway's file names. */
const ENDPOINT_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Every endpoint of the project, by name. */
export async function listEndpoints(deps: ServingDeps, actor: Pick<Actor, 'projectId'>): Promise<readonly Endpoint[]> {
  return deps.db.read(async (tx) => {
    const endpoints: Endpoint[] = [];
    for (const row of await store.selectEndpoints(tx, actor.projectId)) endpoints.push(await toEndpoint(tx, deps, row));
    return endpoints;
  });
}

/** Throws `not_found` naming the endpoints that there are. */
export async function getEndpoint(deps: ServingDeps, actor: Pick<Actor, 'projectId'>, name: string): Promise<Endpoint> {
  return deps.db.read(async (tx) => toEndpoint(tx, deps, await findEndpointIn(tx, actor.projectId, name)));
}

/** The endpoint of that name, else the one endpoint of the model of that name. */
export async function findEndpointIn(tx: Tx, projectId: string, name: string): Promise<EndpointTable> {
  const exact = await store.selectEndpoint(tx, projectId, name);
  if (exact) return exact;
  const ofModel = await store.selectEndpointsOfModel(tx, projectId, name);
  if (ofModel.length === 1) return ofModel[0]!;
  if (ofModel.length > 1)
    throw new AppError(
      'invalid',
      `Model "${name}" has ${ofModel.length} endpoints; name one of ${ofModel.map((e) => e.name).join(', ')}`,
    );
  const names = (await store.selectEndpoints(tx, projectId)).map((e) => e.name);
  const known = names.length === 0 ? 'nothing is deployed yet' : `there are ${names.slice(0, 10).join(', ')}`;
  throw new AppError('not_found', `There is no endpoint "${name}"; ${known}`, { hint: `levain deploy ${name}` });
}

/** The endpoint's event clock, epoch ms; null before the first dated row. */
export async function eventClock(
  deps: Pick<ServingDeps, 'db' | 'clock'>,
  input: { readonly projectId: string; readonly endpoint: string },
): Promise<number | null> {
  return deps.db.read(async (tx) => {
    const row = await findEndpointIn(tx, input.projectId, input.endpoint);
    return eventClockOf(row, deps.clock.now());
  });
}

/** The row of an endpoint that is deployed to, made where it is new. Names are unique in the instance. */
export async function ensureEndpointIn(
  tx: Tx,
  deps: Pick<ServingDeps, 'clock'>,
  wanted: {
    readonly projectId: string;
    readonly name: string;
    readonly model: string;
    readonly entity: string | null;
    readonly eventTime: 'server' | 'client';
  },
): Promise<EndpointTable> {
  const { projectId, name, model, entity, eventTime } = wanted;
  if (!ENDPOINT_NAME.test(name))
    throw new AppError(
      'invalid',
      `"${name}" cannot be an endpoint; use at most 128 letters, digits, ".", "_" and "-", a letter or digit first`,
    );
  const known = await store.selectEndpoint(tx, projectId, name);
  const change = { entity, event_time: eventTime, lateness_ms: latenessOf(eventTime), updated_at: deps.clock.now() };
  if (known) {
    if (known.model !== model)
      throw new AppError(
        'conflict',
        `Endpoint "${name}" serves the model ${known.model}; deploy ${model} under another name`,
      );
    await store.updateEndpoint(tx, projectId, name, change);
    return { ...known, ...change };
  }
  if (await store.selectEndpointOwner(tx, name))
    throw new AppError(
      'conflict',
      `Another project has an endpoint "${name}"; choose another name, for its URL is one a server`,
    );
  const row: EndpointTable = {
    project_id: projectId,
    name,
    model,
    ...change,
    champion: null,
    champion_id: null,
    previous: null,
    previous_id: null,
    event_clock: null,
    fallback_active: 0,
    fallback: null,
    ingested_at: 0,
    announced_at: 0,
    created_at: deps.clock.now(),
  };
  await store.insertEndpoint(tx, row);
  return row;
}

/** Answers with the fallback (or stops doing so). `setting` replaces what the file says; null goes back to it. */
export async function setFallback(
  deps: ServingDeps,
  actor: Actor,
  input: { readonly name: string; readonly active: boolean; readonly setting?: FallbackSetting | null | undefined },
): Promise<Endpoint> {
  await deps.db.write(async (tx) => {
    const row = await findEndpointIn(tx, actor.projectId, input.name);
    if (input.setting?.kind === 'version')
      await getVersionIn(tx, actor.projectId, { model: row.model, version: input.setting.version });
    if (input.setting?.kind === 'constant' && row.champion !== null) {
      const { spec } = await getVersionIn(tx, actor.projectId, { model: row.model, version: row.champion });
      if (spec) assertAnswer(row.name, input.setting.value, spec);
    }
    const fallback = input.setting === undefined ? row.fallback : input.setting && canonicalJson(input.setting);
    if (input.active && row.champion_id === null)
      throw new AppError(
        'conflict',
        `Endpoint "${row.name}" has no version yet, so there is no base rate to answer with`,
      );
    const now = deps.clock.now();
    await store.updateEndpoint(tx, actor.projectId, row.name, {
      fallback_active: input.active ? 1 : 0,
      fallback,
      updated_at: now,
    });
    await bumpDesired(tx, deps);
    await recordActivity(tx, deps.identity, {
      projectId: actor.projectId,
      at: now,
      eventAt: eventClockOf(row, now),
      kind: 'deploy',
      subject: row.name,
      sentence: input.active
        ? `${row.name} answers with the fallback until it is switched off`
        : `${row.name} answers with v${row.champion} again`,
      command: `levain fallback ${row.name} --off`,
      actor: actor.user,
    });
  });
  return getEndpoint(deps, actor, input.name);
}

/** A constant that the model itself could have answered: callers know nothing else. */
function assertAnswer(
  endpoint: string,
  value: number | string | boolean,
  { model, task, classes }: ServableSpec,
): void {
  const isProbability = task === 'binary' && typeof value === 'number' && value >= 0 && value <= 1;
  if (isProbability || (classes ? classes.includes(value) : task !== 'regression' || typeof value === 'number')) return;
  const known = classes?.slice(0, MAX_CLASSES_SHOWN).map(String).join(' or ');
  const fix = classes
    ? `${model} answers ${known}: write one of them${task === 'binary' ? ', or a probability from 0 to 1' : ''}`
    : `${model} answers numbers: write one`;
  throw new AppError('invalid', `The fallback of "${endpoint}" is ${JSON.stringify(value)}; ${fix}`);
}

export async function toEndpoint(tx: Tx, deps: Pick<ServingDeps, 'clock'>, row: EndpointTable): Promise<Endpoint> {
  const now = deps.clock.now();
  const clock = eventClockOf(row, now);
  const rollout = await selectActiveRollout(tx, row.project_id, row.name);
  return {
    name: row.name,
    model: row.model,
    champion: row.champion,
    championId: row.champion_id,
    previous: row.previous,
    entity: row.entity,
    eventTime: row.event_time as 'server' | 'client',
    latenessMs: row.lateness_ms,
    eventClock: clock === null ? null : new Date(clock).toISOString(),
    fallback: {
      active: row.fallback_active === 1,
      value: row.fallback ? (JSON.parse(row.fallback) as FallbackSetting) : null,
    },
    rollout: rollout ? toRollout(rollout, clock) : null,
    urls: (await gatewaysIn(tx, now)).filter(({ alive }) => alive).map(({ url }) => url),
  };
}
