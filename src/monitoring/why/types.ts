import type { Actor } from '../../wire/route.ts';
import type { MonitoringDeps } from '../types.ts';

export type WhyKind = 'incident' | 'alert' | 'version' | 'prediction' | 'run' | 'step' | 'rollout' | 'rehearsal';

export interface WhyLink {
  readonly what: string;
  readonly url: string;
}

export interface Why {
  readonly kind: WhyKind;
  readonly id: string;
  /** One paragraph that answers why. */
  readonly answer: string;
  /** The answer, then the details, line by line. */
  readonly lines: readonly string[];
  /** Commands that lead on. */
  readonly next: readonly string[];
  /** The same as JSON, under this server. */
  readonly links: readonly WhyLink[];
  readonly data: unknown;
}

/** What a finder says; `why` adds the answer to the lines and the server to the paths. */
export interface Found {
  readonly kind: WhyKind;
  readonly id: string;
  readonly answer: string;
  readonly details: readonly string[];
  readonly next: readonly string[];
  /** Paths under the API, by what they show. */
  readonly links: Readonly<Record<string, string>>;
  readonly data: unknown;
}

/** undefined, `not_found` and `invalid` all mean that the id is of another kind. */
export type Finder = (deps: MonitoringDeps, actor: Pick<Actor, 'projectId'>, id: string) => Promise<Found | undefined>;
