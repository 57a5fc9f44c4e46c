import type { ServableIo, ServableSpec } from '../../engines/types.ts';
import { isAppError, messageOf } from '../../kernel/errors.ts';
import { digestOf } from '../../kernel/hash.ts';
import type { Clock, Log } from '../../ports/system.ts';
import type { DesiredDocument, DesiredEndpoint, VersionReport } from '../../serving/wire.ts';
import { LIMITS } from '../limits.ts';
import { LiveEndpoint } from '../serve/live-endpoint.ts';
import { createLiveVersion, type LiveVersion } from '../serve/live-version.ts';
import type { GatewayState } from './gateway-state.ts';
import { type LoadedServable, loadAndTest } from './loader.ts';

export interface FleetDeps {
  readonly io: ServableIo;
  readonly state: GatewayState;
  readonly clock: Clock;
  readonly log: Log;
  /** The newest event times that the spool held when the process started, by endpoint. */
  readonly spooledEvents: ReadonlyMap<string, number>;
}

interface Loading {
  readonly endpoint: string;
  readonly versionId: string;
  readonly version: Promise<LiveVersion>;
  readonly abort: AbortController;
  live: LiveVersion | undefined;
  seconds: number;
  error: string | null;
  isFailed: boolean;
}

const RETRY_MS = [500, 1_000, 2_000, 5_000] as const;

/** The endpoints and versions of a desired document: loads what is new, swaps traffic when it is ready, drains what is gone. */
export class Fleet {
  readonly endpoints = new Map<string, LiveEndpoint>();
  readonly #deps: FleetDeps;
  #loading = new Map<string, Loading>();
  /** No longer wanted, but perhaps still answering: a champion goes only when its successor is ready. */
  readonly #leaving = new Set<Loading>();
  #sequence = 0;
  /** Of the document whose versions are all loaded or failed. */
  generation = 0;

  constructor(deps: FleetDeps) {
    this.#deps = deps;
  }

  /** Resolves when every version is loaded or failed; a newer document overtakes an older one that still loads. */
  async apply(document: DesiredDocument): Promise<void> {
    this.#sequence += 1;
    const sequence = this.#sequence;
    const kept = new Map<string, Loading>();
    const settled = document.endpoints.map((desired) => this.#applyEndpoint(desired, sequence, kept));
    for (const [key, loading] of this.#loading) if (!kept.has(key)) this.#leaving.add(loading);
    this.#loading = kept;
    const names = new Set(document.endpoints.map(({ name }) => name));
    for (const name of this.endpoints.keys()) if (!names.has(name)) this.endpoints.delete(name);
    await Promise.all(settled);
    if (sequence === this.#sequence) this.generation = document.generation;
    await this.#retireUnused();
  }

  reports(): readonly VersionReport[] {
    return [...this.#loading.values()].map(({ endpoint, versionId, live, error, isFailed }) => ({
      endpoint,
      versionId,
      state: live ? 'ready' : isFailed ? 'failed' : 'loading',
      error,
      parity: live?.selfTest.parity ?? null,
      microsPerRow: live?.selfTest.microsPerRow ?? null,
    }));
  }

  loads(): readonly { readonly endpoint: string; readonly version: number; readonly seconds: number }[] {
    return [...this.#loading.values()].flatMap(({ endpoint, live, seconds }) =>
      live ? [{ endpoint, version: live.spec.version, seconds }] : [],
    );
  }

  get isReady(): boolean {
    return [...this.endpoints.values()].every(({ traffic }) => traffic !== undefined);
  }

  async close(): Promise<void> {
    for (const loading of this.#loading.values()) this.#leaving.add(loading);
    this.#loading = new Map();
    this.endpoints.clear();
    await this.#retireUnused();
  }

  /** Without a champion nothing changes. The champion alone is enough to swap; the rest joins when it is ready. A champion that fails leaves the old traffic as it is. */
  async #applyEndpoint(desired: DesiredEndpoint, sequence: number, kept: Map<string, Loading>): Promise<void> {
    const endpoint = this.#endpointOf(desired);
    const versions = desired.versions.map((spec) => this.#load(desired, spec, kept));
    const championId = desired.arms.find(({ role }) => role === 'champion')?.versionId;
    const champion = versions.find(({ versionId }) => versionId === championId);
    const swap = (): void => {
      if (sequence === this.#sequence && champion?.live) swapTraffic(endpoint, desired, champion.live, versions);
    };
    if (champion) await settle(champion);
    swap();
    await Promise.all(versions.map(settle));
    swap();
  }

  #endpointOf(desired: DesiredEndpoint): LiveEndpoint {
    let endpoint = this.endpoints.get(desired.name);
    if (!endpoint) {
      const { state, spooledEvents } = this.#deps;
      endpoint = new LiveEndpoint(desired, state.clockOf(desired.name), state.isLatched);
      endpoint.clock.merge(desired.eventClock);
      const spooled = spooledEvents.get(desired.name);
      if (spooled !== undefined && desired.eventTime === 'client') endpoint.clock.observe(spooled);
      this.endpoints.set(desired.name, endpoint);
    }
    return endpoint;
  }

  #load(desired: DesiredEndpoint, spec: ServableSpec, kept: Map<string, Loading>): Loading {
    const { name, profiles, predictFns } = desired;
    const key = digestOf([
      name,
      desired.projectId,
      spec,
      profiles[spec.versionId] ?? null,
      predictFns?.[spec.versionId] ?? null,
    ]);
    const known = this.#loading.get(key);
    const loading = known && !known.isFailed ? known : this.#start(desired, spec);
    kept.set(key, loading);
    return loading;
  }

  #start(desired: DesiredEndpoint, spec: ServableSpec): Loading {
    const abort = new AbortController();
    const loading: Loading = {
      endpoint: desired.name,
      versionId: spec.versionId,
      abort,
      version: Promise.resolve().then(() => this.#loadWithRetries(desired, spec, loading)),
      live: undefined,
      seconds: 0,
      error: null,
      isFailed: false,
    };
    loading.version.catch((error: unknown) => {
      loading.isFailed = true;
      loading.error = messageOf(error).slice(0, LIMITS.errorCharacters);
      const fields = { endpoint: desired.name, version: spec.version, error: loading.error };
      if (!abort.signal.aborted) this.#deps.log.error('A version does not load', fields);
    });
    return loading;
  }

  /** What the control plane could not send yet is asked for again for as long as it is wanted. */
  async #loadWithRetries(desired: DesiredEndpoint, spec: ServableSpec, loading: Loading): Promise<LiveVersion> {
    const { io, clock, log } = this.#deps;
    for (let attempt = 0; ; attempt++) {
      try {
        const loaded = await loadAndTest(spec, io);
        loading.seconds = loaded.seconds;
        loading.error = null;
        loading.live = toLiveVersion(desired, loaded);
        const { selfTest } = loading.live;
        log.info('A version is ready', {
          endpoint: desired.name,
          version: spec.version,
          ...selfTest,
          seconds: loaded.seconds,
        });
        return loading.live;
      } catch (error) {
        if (!isAppError(error, 'unavailable') || loading.abort.signal.aborted) throw error;
        loading.error = error.message;
        await clock.sleep(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]!, loading.abort.signal);
        if (loading.abort.signal.aborted) throw error;
      }
    }
  }

  async #retireUnused(): Promise<void> {
    const used = new Set<LiveVersion>();
    for (const { traffic } of this.endpoints.values())
      for (const version of traffic?.versions.values() ?? []) used.add(version);
    const unused = [...this.#leaving].filter(({ live }) => !live || !used.has(live));
    for (const loading of unused) this.#leaving.delete(loading);
    await Promise.all(unused.map((loading) => this.#retire(loading)));
  }

  /** Lets a version that is no longer wanted finish what it answers, then closes it. */
  async #retire(loading: Loading): Promise<void> {
    loading.abort.abort();
    const version = await loading.version.catch(() => undefined);
    if (!version) return;
    const deadline = this.#deps.clock.now() + LIMITS.drainMs;
    while (version.inFlight > 0 && this.#deps.clock.now() < deadline) await this.#deps.clock.sleep(20);
    await version.servable.close();
  }
}

const settle = (loading: Loading): Promise<unknown> => loading.version.catch(() => undefined);

function toLiveVersion(desired: DesiredEndpoint, { servable, selfTest }: LoadedServable): LiveVersion {
  const { versionId } = servable.spec;
  return createLiveVersion({
    projectId: desired.projectId,
    endpoint: desired.name,
    servable,
    selfTest,
    profile: desired.profiles[versionId],
    predictFn: desired.predictFns?.[versionId],
  });
}

function swapTraffic(
  endpoint: LiveEndpoint,
  desired: DesiredEndpoint,
  champion: LiveVersion,
  loadings: readonly Loading[],
): void {
  const versions = new Map<string, LiveVersion>();
  for (const { versionId, live } of loadings) if (live) versions.set(versionId, live);
  const challengerId = desired.arms.find(({ role }) => role === 'challenger')?.versionId;
  const challenger = challengerId === undefined ? null : (versions.get(challengerId) ?? null);
  endpoint.swap({ desired, champion, challenger, versions });
}
