import { type Frame, takeRows } from '../../kernel/frame.ts';
import { type CounterDelta, windowStartOf } from '../../serving/segment.ts';
import { Counters, type WindowCounters } from '../../stats/profile.ts';
import type { Batch, LoggedContext, LoggedVersion } from './batch.ts';

/** Rows of a batch that count into the same counters. */
interface Group {
  readonly context: LoggedContext;
  readonly windowStart: number;
  readonly rows: number[];
}

interface Tally {
  readonly version: LoggedVersion;
  readonly counters: Counters;
  readonly delta: Omit<CounterDelta, 'counters'>;
}

/**
 * Counter deltas of the segment that comes next, filled batch by batch. `requests` holds every request that reached a model (`errors` of
 * them failed in at least one row); `refused` ones come on top. Fallback answers count into features, not into scores and labels.
 */
export class Tallies {
  readonly #tallies = new Map<string, Tally>();
  readonly #spare = new WeakMap<LoggedVersion, Counters[]>();

  count(batch: Batch): void {
    const features = batch.featureFrame();
    for (const group of groupsOf(batch)) {
      const { counters } = this.#tally(group);
      if (batch.isPlain && group.rows.length === batch.rows) {
        counters.countRows(features);
        counters.countAnswers(batch, batch.rows);
        countRequests(batch, group.rows, counters);
      } else countGroup(batch, group, features, counters);
    }
  }

  /** What was counted since the last call. `release` gives the counters back once they are written. */
  take(): { readonly deltas: readonly CounterDelta[]; readonly release: () => void } {
    const tallies = [...this.#tallies.values()];
    this.#tallies.clear();
    const deltas = tallies.map(({ delta, counters }) => ({ ...delta, counters: counters.window }));
    return {
      deltas,
      release: () => {
        for (const tally of tallies) this.#recycle(tally);
      },
    };
  }

  get isEmpty(): boolean {
    return this.#tallies.size === 0;
  }

  #tally({ context, windowStart }: Group): Tally {
    const { version, role, rehearsal } = context;
    const { projectId, endpoint } = version.schema;
    const { versionId } = version.spec;
    const key = `${projectId}\u0000${endpoint}\u0000${versionId}\u0000${role}\u0000${rehearsal ?? ''}\u0000${windowStart}`;
    let tally = this.#tallies.get(key);
    if (!tally) {
      const counters = this.#spare.get(version)?.pop() ?? new Counters(version.profile);
      tally = { version, counters, delta: { projectId, endpoint, versionId, windowStart, rehearsal, role } };
      this.#tallies.set(key, tally);
    }
    return tally;
  }

  #recycle({ version, counters }: Tally): void {
    const spare = this.#spare.get(version) ?? [];
    if (spare.length >= 4) return;
    clear(counters.window);
    spare.push(counters);
    this.#spare.set(version, spare);
  }
}

function groupsOf(batch: Batch): Iterable<Group> {
  const groups = new Map<string, Group>();
  const versions: LoggedVersion[] = [];
  let last: Group | undefined;
  for (let row = 0; row < batch.rows; row++) {
    const context = batch.contextOf(row);
    const windowStart = windowStartOf(batch.eventTimes[row]!);
    if (!last || last.context !== context || last.windowStart !== windowStart) {
      const { version, role, rehearsal } = context;
      let index = versions.indexOf(version);
      if (index < 0) index = versions.push(version) - 1;
      const key = `${index}\u0000${role}\u0000${rehearsal ?? ''}\u0000${windowStart}`;
      last = groups.get(key) ?? { context, windowStart, rows: [] };
      groups.set(key, last);
    }
    last.rows.push(row);
  }
  return groups.values();
}

function countGroup(batch: Batch, { rows }: Group, features: Frame, counters: Counters): void {
  const reached = rows.filter((row) => batch.status[row] !== 2);
  counters.window.refused += rows.length - reached.length;
  if (reached.length === 0) return;
  counters.countRows(reached.length === batch.rows ? features : takeRows(features, reached));
  const answered = reached.filter((row) => batch.status[row] === 0 && !batch.contextOf(row).fallback);
  const labels = answered.map((row) => batch.labels[row]!);
  const scores = Float64Array.from(answered, (row) => batch.scores[row]!);
  counters.countAnswers({ labels, scores }, answered.length);
  countRequests(batch, reached, counters);
}

/** A request counts once, and failed where any row of this batch did. Its rows stand together. */
function countRequests(batch: Batch, rows: readonly number[], counters: Counters): void {
  const w = counters.window;
  let hasFailed = false;
  for (const row of rows) {
    if (isFirst(batch, row)) {
      counters.countRequest(batch.latencyUs[row]!);
      if (batch.contextOf(row).fallback) w.fallbacks += 1;
      hasFailed = false;
    }
    if (batch.status[row] === 1 && !hasFailed) {
      w.errors += 1;
      hasFailed = true;
    }
  }
}

/** The first of its request's rows that reached a model; those before it in this batch were refused. */
function isFirst(batch: Batch, row: number): boolean {
  let before = row;
  while (batch.rowOfRequest[before]! > 0) {
    before -= 1;
    if (before < 0 || batch.requestIds[before] !== batch.requestIds[row] || batch.status[before] !== 2) return false;
  }
  return true;
}

function clear(w: WindowCounters): void {
  w.requests = w.rows = w.errors = w.refused = w.fallbacks = w.scoreSum = w.scoreSumSquares = 0;
  w.scoreBins.fill(0);
  w.latency.fill(0);
  for (const label of Object.keys(w.labels)) delete w.labels[label];
  for (const feature of w.features) {
    feature.bins.fill(0);
    feature.nulls = feature.typeErrors = feature.below = feature.above = feature.unseen = 0;
    feature.sum = feature.sumSquares = 0;
  }
}
