import type { ServableSpec } from '../engines/types.ts';
import type { Cell } from '../kernel/frame.ts';
import type { MonitorProfile } from '../stats/profile.ts';

/**
 * The protocol between the control plane and its gateways. The gateway always dials; every call carries
 * `Authorization: Bearer <gateway token>`. Types and constants only, so that the gateway loads no schema library for it.
 */
export const GATEWAY_PATHS = {
  /** GET `?after=GENERATION`: the whole document, at once where it is newer, else after at most `LONG_POLL_MS` with 204. */
  desired: '/internal/gateway/v1/desired',
  /** POST a `GatewayReport`; answered with a `ReportAnswer`. */
  report: '/internal/gateway/v1/report',
  /** POST one encoded segment. 2xx acknowledges (a repeat too); 400 and 413 refuse it for good; all else is retried. */
  segments: '/internal/gateway/v1/segments',
  /** GET `/<digest>`: the bytes of a content. */
  content: '/internal/gateway/v1/content',
} as const;

export const LONG_POLL_MS = 25_000;
export const REPORT_EVERY_MS = 500;

/** On `POST /segments`: `<gateway_id>/<incarnation>/<seq>` of the first segment in the body, the key that it is ingested once by. */
export const SEGMENT_HEADER = 'levain-segment';
/** On a prediction: the rehearsal it belongs to. Needs `REHEARSAL_TOKEN_HEADER` with the gateway token. */
export const REHEARSAL_HEADER = 'levain-rehearsal';
export const REHEARSAL_TOKEN_HEADER = 'levain-rehearsal-token';
/** On a prediction: the version that must answer (a version number or id), for tests. Needs the gateway token too. */
export const VERSION_HEADER = 'levain-version';
/** On an answer: the ids of its rows, comma-separated, for at most `MAX_HEADER_IDS` rows. */
export const PREDICTION_IDS_HEADER = 'levain-prediction-ids';
export const MAX_HEADER_IDS = 100;

/** What every gateway should be serving. Generations only grow; the document is whole, never a difference. */
export interface DesiredDocument {
  readonly generation: number;
  readonly endpoints: readonly DesiredEndpoint[];
}

export interface DesiredEndpoint {
  readonly projectId: string;
  readonly name: string;
  readonly model: string;
  readonly eventTime: 'server' | 'client';
  /** The event clock is the largest event time less this. */
  readonly latenessMs: number;
  /** The stored event clock, epoch ms, or null before the first event. The gateway takes the larger of this and its own. */
  readonly eventClock: number | null;
  /** The column or `parameters.entity` that names the unit; null: the request is the unit. */
  readonly entity: string | null;
  readonly arms: readonly DesiredArm[];
  readonly rollout: DesiredRollout | null;
  readonly fallback: DesiredFallback | null;
  /** The versions of all arms and the previous one, kept warm. */
  readonly versions: readonly ServableSpec[];
  /** By version id. A version without a profile is logged and not counted. */
  readonly profiles: Readonly<Record<string, MonitorProfile>>;
  /** By version id: what `/invocations` answers. Default: `predict`, as MLflow's. */
  readonly predictFns?: Readonly<Record<string, 'predict' | 'predict_proba'>>;
}

/** At most one champion (none before the first version: such an endpoint answers 503) and at most one challenger. `weight` 0..1 is the challenger's share; the champion takes the rest. */
export interface DesiredArm {
  readonly versionId: string;
  readonly role: 'champion' | 'challenger';
  readonly weight: number;
}

/** The challenger's rollout. Without one, a challenger arm gets no traffic. */
export interface DesiredRollout {
  readonly id: string;
  readonly revision: number;
  /** The challenger's share, 0..1. */
  readonly weight: number;
  /** The champion answers and the challenger scores the same rows afterwards. */
  readonly shadow: boolean;
  /** Only requests of this rehearsal take part in it. */
  readonly rehearsal: string | null;
  readonly limits: HardLimits;
}

/** Absolute limits of the challenger, enforced by the gateway alone: a breach sets its weight to zero and latches. */
export interface HardLimits {
  /** Share of requests, 0..1. */
  readonly errorRate?: number;
  readonly latencyP99Ms?: number;
  /** Default 20: nothing is judged on fewer requests. */
  readonly minRequests?: number;
}

export interface DesiredFallback {
  /** Answers every request now. */
  readonly active: boolean;
  /** Answers where the version that was chosen fails. */
  readonly onFailure: boolean;
  readonly value: FallbackValue;
}

export type FallbackValue =
  /** A base rate, or a number for a regression; labels follow from the version's threshold and classes. */
  | { readonly kind: 'score'; readonly score: number }
  | { readonly kind: 'label'; readonly label: Cell }
  | { readonly kind: 'version'; readonly versionId: string };

export type VersionState = 'loading' | 'ready' | 'failed';

/** What a gateway says every `REPORT_EVERY_MS`. Counters are cumulative since the start of `incarnation`. */
export interface GatewayReport {
  readonly gatewayId: string;
  readonly incarnation: string;
  readonly startedAt: number;
  readonly at: number;
  /** Where it answers predictions. */
  readonly url: string;
  /** The generation that is applied, with every version of it loaded or failed; 0 before the first. */
  readonly generation: number;
  /** Engine file formats that it reads. */
  readonly formats: readonly number[];
  readonly versions: readonly VersionReport[];
  readonly endpoints: readonly EndpointReport[];
  readonly latched: readonly Latch[];
  readonly spool: SpoolReport;
  /** What a crash before this incarnation may have cost: predictions answered in this span may be missing from the log. */
  readonly gap: Gap | null;
}

export interface VersionReport {
  readonly endpoint: string;
  readonly versionId: string;
  readonly state: VersionState;
  readonly error: string | null;
  readonly parity: { readonly maxDifference: number; readonly flips: number; readonly rows: number } | null;
  readonly microsPerRow: number | null;
}

export interface EndpointReport {
  readonly projectId: string;
  readonly endpoint: string;
  readonly eventClock: number | null;
  readonly inFlight: number;
  readonly arms: readonly ArmReport[];
  /** Requests to score in shadow that were dropped because the gateway was busy. */
  readonly shadowDropped: number;
  /** Requests turned away with 429 or 503. */
  readonly overloaded: number;
}

export interface ArmReport {
  readonly versionId: string;
  readonly role: 'champion' | 'challenger' | 'shadow';
  readonly rehearsal: boolean;
  readonly requests: number;
  readonly rows: number;
  readonly errors: number;
  readonly refused: number;
  readonly fallbacks: number;
  readonly latencyMsP50: number | null;
  readonly latencyMsP99: number | null;
}

/** A canary that the gateway stopped by itself. Kept on disk; the server may not raise this rollout's weight again. */
export interface Latch {
  readonly endpoint: string;
  readonly rolloutId: string;
  readonly versionId: string;
  readonly at: number;
  readonly limit: 'errorRate' | 'latencyP99Ms';
  readonly value: number;
  readonly threshold: number;
  readonly requests: number;
  /** The sentence that people read. */
  readonly reason: string;
}

export interface SpoolReport {
  readonly segments: number;
  readonly sizeBytes: number;
  /** Rows given up because the spool was full or the disk too slow; their counters are kept. */
  readonly rowsDropped: number;
  /** Segments that the server refused for good, set aside in `rejected/`. */
  readonly rejected: number;
}

export interface Gap {
  readonly from: number;
  readonly to: number;
}

export interface ReportAnswer {
  /** By endpoint: the merged event clock, epoch ms. */
  readonly eventClocks?: Readonly<Record<string, number>>;
}
