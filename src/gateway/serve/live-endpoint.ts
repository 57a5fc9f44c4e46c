import { AppError } from '../../kernel/errors.ts';
import type { DesiredEndpoint, DesiredRollout } from '../../serving/wire.ts';
import { isInChallenger } from './arm.ts';
import { EndpointStats, type Role } from './arm-stats.ts';
import { EventClock } from './event-clock.ts';
import { LimitWatch } from './limit-watch.ts';
import type { LiveVersion } from './live-version.ts';

/** Which version answers, in which role, as part of which rollout. */
export interface Choice {
  readonly version: LiveVersion;
  readonly role: Role;
  readonly rollout: DesiredRollout | null;
  /** Scores the same rows after the answer. */
  readonly shadow: LiveVersion | null;
}

/** What an endpoint answers with, swapped as a whole. */
export interface Traffic {
  readonly desired: DesiredEndpoint;
  readonly champion: LiveVersion;
  readonly challenger: LiveVersion | null;
  /** Every loaded version, the warm previous one too. */
  readonly versions: ReadonlyMap<string, LiveVersion>;
}

/** An endpoint. Its clock, counters and latches live on when its traffic is swapped. */
export class LiveEndpoint {
  readonly name: string;
  readonly projectId: string;
  readonly clock: EventClock;
  readonly stats = new EndpointStats();
  traffic: Traffic | undefined;
  #watch: { readonly key: string; readonly limits: LimitWatch } | undefined;
  readonly #isLatched: (rolloutId: string) => boolean;

  constructor(desired: DesiredEndpoint, storedClock: number | null, isLatched: (rolloutId: string) => boolean) {
    this.name = desired.name;
    this.projectId = desired.projectId;
    this.#isLatched = isLatched;
    this.clock = new EventClock({ mode: desired.eventTime, latenessMs: desired.latenessMs }, storedClock);
  }

  swap(traffic: Traffic): void {
    const { desired } = traffic;
    this.clock.configure({ mode: desired.eventTime, latenessMs: desired.latenessMs });
    this.clock.merge(desired.eventClock);
    this.traffic = traffic;
    const rollout = desired.rollout;
    const key = rollout && `${rollout.id}/${rollout.revision}`;
    if (!key) this.#watch = undefined;
    else if (this.#watch?.key !== key) this.#watch = { key, limits: new LimitWatch(rollout.limits) };
  }

  get watch(): LimitWatch | undefined {
    return this.#watch?.limits;
  }

  /** Throws `unavailable` before the first version is ready, `not_found` for a forced version that is not loaded. */
  choose(unit: string, rehearsal: string | null, forced: string | null): Choice {
    const { traffic } = this;
    if (!traffic)
      throw new AppError('unavailable', `Endpoint "${this.name}" has no version that is ready yet; try again shortly`);
    if (forced !== null) return this.#force(traffic, forced);
    const { champion, challenger } = traffic;
    const { rollout } = traffic.desired;
    if (!rollout || !challenger || rollout.rehearsal !== rehearsal || this.#isLatched(rollout.id))
      return { version: champion, role: 'champion', rollout: null, shadow: null };
    if (isInChallenger(rollout.id, unit, rollout.weight))
      return { version: challenger, role: 'challenger', rollout, shadow: null };
    return { version: champion, role: 'champion', rollout, shadow: rollout.shadow ? challenger : null };
  }

  #force({ versions, champion }: Traffic, forced: string): Choice {
    for (const version of versions.values())
      if (version.spec.versionId === forced || String(version.spec.version) === forced)
        return { version, role: version === champion ? 'champion' : 'challenger', rollout: null, shadow: null };
    const loaded = [...versions.values()].map(({ spec }) => spec.version).join(', ');
    throw new AppError('not_found', `Endpoint "${this.name}" has no version ${forced} loaded; loaded are ${loaded}`);
  }
}
