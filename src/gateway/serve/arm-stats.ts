import type { ArmReport } from '../../serving/wire.ts';
import { LATENCY_BINS, latencyBin, latencyQuantileUs } from '../../stats/profile.ts';

export type Role = 'champion' | 'challenger' | 'shadow';

/** Upper edges of the latency histogram, seconds: OpenTelemetry's for HTTP servers, and three below for models that answer in microseconds. */
export const DURATION_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const;

/** What one version did in one role since the process started. */
export class ArmStats {
  readonly versionId: string;
  readonly version: number;
  readonly role: Role;
  readonly rehearsal: boolean;
  requests = 0;
  rows = 0;
  errors = 0;
  refused = 0;
  fallbacks = 0;
  durationSum = 0;
  readonly buckets = new Float64Array(DURATION_BUCKETS.length);
  readonly #latency = new Float64Array(LATENCY_BINS);

  constructor(versionId: string, version: number, role: Role, rehearsal: boolean) {
    this.versionId = versionId;
    this.version = version;
    this.role = role;
    this.rehearsal = rehearsal;
  }

  answered(rows: number, latencyUs: number, failed: boolean, fallback: boolean): void {
    this.requests += 1;
    this.rows += rows;
    if (failed) this.errors += 1;
    if (fallback) this.fallbacks += 1;
    this.#latency[latencyBin(latencyUs)]! += 1;
    const seconds = latencyUs / 1e6;
    this.durationSum += seconds;
    for (let i = 0; i < DURATION_BUCKETS.length; i++)
      if (seconds <= DURATION_BUCKETS[i]!) {
        this.buckets[i]! += 1;
        break;
      }
  }

  toReport(): ArmReport {
    const latency = Array.from(this.#latency);
    const { versionId, role, rehearsal, requests, rows, errors, refused, fallbacks } = this;
    const quantile = (q: number): number | null => {
      const us = latencyQuantileUs(latency, q);
      return us === null ? null : us / 1000;
    };
    return {
      versionId,
      role,
      rehearsal,
      requests,
      rows,
      errors,
      refused,
      fallbacks,
      latencyMsP50: quantile(0.5),
      latencyMsP99: quantile(0.99),
    };
  }
}

/** All arms of one endpoint; few, so a list. */
export class EndpointStats {
  readonly arms: ArmStats[] = [];
  shadowDropped = 0;
  overloaded = 0;
  inFlight = 0;

  arm(versionId: string, version: number, role: Role, rehearsal: boolean): ArmStats {
    for (const arm of this.arms)
      if (arm.versionId === versionId && arm.role === role && arm.rehearsal === rehearsal) return arm;
    const arm = new ArmStats(versionId, version, role, rehearsal);
    this.arms.push(arm);
    return arm;
  }
}
