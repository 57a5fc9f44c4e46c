import { type Frame, takeRows } from '../../kernel/frame.ts';
import { type CounterDelta, windowStartOf } from '../../serving/segment.ts';
import { Counters, latencyBin, type WindowCounters } from '../../stats/profile.ts';
import type { Batch, LoggedRequest, LoggedVersion } from './batch.ts';

/** Rows of a batch that count into the same counters. */
interface Group {
  readonly request: LoggedRequest;
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
      const frame = group.rows.length === batch.rows ? features : takeRows(features, group.rows);
      countGroup(batch, group, frame, this.#tally(group).counters);
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

  #tally({ request, windowStart }: Group): Tally {
    const { version, role, rehearsal } = request;
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
    const request = batch.requests[row]!;
    const windowStart = windowStartOf(request.eventTime);
    if (!last || !isSame(last, request, windowStart)) {
      let index = versions.indexOf(request.version);
      if (index < 0) index = versions.push(request.version) - 1;
      const key = `${index}\u0000${request.role}\u0000${request.rehearsal ?? ''}\u0000${windowStart}`;
      last = groups.get(key) ?? { request, windowStart, rows: [] };
      groups.set(key, last);
    }
    last.rows.push(row);
  }
  return groups.values();
}

const isSame = ({ request: a, windowStart }: Group, b: LoggedRequest, start: number): boolean =>
  windowStart === start && a.version === b.version && a.role === b.role && a.rehearsal === b.rehearsal;

function countGroup(batch: Batch, group: Group, frame: Frame, counters: Counters): void {
  const w = counters.window;
  if (batch.isPlain && group.rows.length === batch.rows) {
    const scores = batch.scores.subarray(0, batch.rows);
    counters.count(frame, { labels: batch.labels, scores }, 0);
    uncountOne(w, 0);
    countRequests(batch, group.rows, w);
    return;
  }
  const reached = group.rows.filter((row) => batch.status[row] !== 2);
  w.refused += group.rows.length - reached.length;
  if (reached.length === 0) return;
  const rows = reached.length === group.rows.length ? frame : takeRowsOf(frame, group.rows, batch);
  const silent = new Set(reached.filter((row) => batch.status[row] === 1 || batch.requests[row]!.fallback));
  const labels = reached.map((row) => batch.labels[row]!);
  const scores = Float64Array.from(reached, (row) => (silent.has(row) ? Number.NaN : batch.scores[row]!));
  counters.count(rows, { labels: labels.map((label, i) => (silent.has(reached[i]!) ? null : label)), scores }, 0);
  uncountOne(w, silent.size);
  countRequests(batch, reached, w);
}

/** `Counters.count` took the rows for one request of 0 µs, and each silent row for a label null. */
function uncountOne(w: WindowCounters, silentRows: number): void {
  w.requests -= 1;
  w.latency[0]! -= 1;
  if (silentRows === 0) return;
  const left = (w.labels['null'] ?? 0) - silentRows;
  if (left > 0) w.labels['null'] = left;
  else delete w.labels['null'];
}

/** A request counts where its first row is; it failed where any row of this batch did. */
function countRequests(batch: Batch, rows: readonly number[], w: WindowCounters): void {
  let failed: LoggedRequest | undefined;
  for (const row of rows) {
    const request = batch.requests[row]!;
    if (batch.rowOfRequest[row] === 0) {
      w.requests += 1;
      w.latency[latencyBin(request.latencyUs)]! += 1;
      if (request.fallback) w.fallbacks += 1;
    }
    if (batch.status[row] === 1 && failed !== request) {
      w.errors += 1;
      failed = request;
    }
  }
}

/** The rows of `frame` (one for each of `rows`) that reached a model. */
function takeRowsOf(frame: Frame, rows: readonly number[], batch: Batch): Frame {
  const kept: number[] = [];
  rows.forEach((row, i) => {
    if (batch.status[row] !== 2) kept.push(i);
  });
  return takeRows(frame, kept);
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
