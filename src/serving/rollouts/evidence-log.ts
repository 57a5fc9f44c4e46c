import { openSegment } from '../log/bytes.ts';
import { selectFilesSince } from '../log/log.store.ts';
import { createLogReader, type LogReader } from '../log/rows.ts';
import type { LogFileTable, RolloutTable } from '../tables.ts';
import type { ServingDeps } from '../types.ts';
import { type EvidenceRow, type EvidenceSummary, RolloutEvidence } from './evidence.ts';
import type { PairSummary } from './pairs.ts';
import { selectTransitions } from './rollouts.store.ts';

/** A file that another server committed late may carry an older time; so far back one looks again. */
const OVERLAP_MS = 60_000;
const FILES_A_PAGE = 500;

/** Evidence folded so far. Lost with the process, and folded again from the log by the next one. */
interface Folded {
  readonly evidence: RolloutEvidence;
  readonly hasReplay: boolean;
  /** Files that were folded within the overlap: when each came in. */
  readonly seen: Map<string, number>;
  newestFile: number;
}

/** What the rows that came in since the rollout started say about it. */
export async function evidenceOf(deps: ServingDeps, rollout: RolloutTable): Promise<EvidenceSummary> {
  const folded = foldedOf(deps, rollout);
  const routing = await routingOf(deps, rollout);
  for (;;) {
    const since = Math.max(rollout.started_at, folded.newestFile - OVERLAP_MS);
    const files = await deps.db.read((tx) =>
      selectFilesSince(tx, rollout.project_id, rollout.endpoint, since, folded.seen.size + FILES_A_PAGE),
    );
    const fresh = files.filter(({ id }) => !folded.seen.has(id));
    for (const file of fresh) await foldFile(deps, folded, rollout, routing, file);
    for (const [id, createdAt] of folded.seen) if (createdAt < folded.newestFile - OVERLAP_MS) folded.seen.delete(id);
    if (fresh.length < FILES_A_PAGE) break;
  }
  return folded.evidence.summary();
}

/** Drops what is kept of rollouts that are over. */
export function forgetEvidence(deps: Pick<ServingDeps, 'runtime'>, active: ReadonlySet<string>): void {
  for (const id of deps.runtime.evidence.keys()) if (!active.has(id)) deps.runtime.evidence.delete(id);
}

function foldedOf(deps: ServingDeps, rollout: RolloutTable): Folded {
  const known = deps.runtime.evidence.get(rollout.id) as Folded | undefined;
  if (known && known.hasReplay === (rollout.replay !== null)) return known;
  const replay = rollout.replay === null ? null : (JSON.parse(rollout.replay) as PairSummary);
  const created = {
    evidence: new RolloutEvidence(replay),
    hasReplay: replay !== null,
    seen: new Map<string, number>(),
    newestFile: 0,
  };
  deps.runtime.evidence.set(rollout.id, created);
  return created;
}

type Routing = ReadonlyMap<number, { readonly step: number; readonly weight: number }>;

/** Step and weight by revision. */
async function routingOf(deps: ServingDeps, rollout: RolloutTable): Promise<Routing> {
  const transitions = await deps.db.read((tx) => selectTransitions(tx, rollout.project_id, rollout.id));
  return new Map(transitions.map(({ revision, step, weight }) => [revision, { step, weight }]));
}

async function foldFile(
  deps: ServingDeps,
  folded: Folded,
  rollout: RolloutTable,
  routing: Routing,
  file: LogFileTable,
): Promise<void> {
  const block = (await openSegment(deps, file)).blocks[file.block];
  folded.seen.set(file.id, file.created_at);
  folded.newestFile = Math.max(folded.newestFile, file.created_at);
  if (!block) return;
  const reader = createLogReader(block);
  for (let row = 0; row < reader.rowCount; row++) {
    const seen = toEvidence(reader, row, rollout, routing);
    if (seen) folded.evidence.add(seen);
  }
}

/** A row of this rollout; undefined for all others: refused requests, fallbacks, other rehearsals. */
function toEvidence(reader: LogReader, row: number, rollout: RolloutTable, routing: Routing): EvidenceRow | undefined {
  if (reader.number('status', row) === 2 || reader.cell('fallback', row) === true) return undefined;
  if (reader.text('rehearsal', row) !== rollout.rehearsal) return undefined;
  const role = reader.text('role', row);
  const isOurs = reader.text('rollout_id', row) === rollout.id;
  const isBaking = role === 'champion' && reader.text('version_id', row) === rollout.version_id;
  const routed = isOurs ? routing.get(reader.number('revision', row)) : undefined;
  if (!isBaking && (!routed || (role !== 'champion' && role !== 'challenger' && role !== 'shadow'))) return undefined;
  const score = reader.number('score', row);
  const request = reader.text('request_id', row) ?? '';
  return {
    arm: isBaking ? 'baking' : (role as EvidenceRow['arm']),
    key: `${request}/${reader.number('request_row', row)}`,
    request,
    unit: reader.text('unit', row) ?? request,
    step: routed?.step ?? 0,
    weight: routed?.weight ?? 0,
    failed: reader.number('status', row) !== 0 || !Number.isFinite(score),
    score,
    label: reader.cell('label', row),
    latencyUs: reader.number('latency_us', row),
  };
}
