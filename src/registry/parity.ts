import { setImmediate } from 'node:timers/promises';
import { compareGolden, type Golden, MAX_GOLDEN_ROWS } from '../engines/index.ts';
import type { Signature } from '../engines/signature.ts';
import type { Servable, ServableSpec } from '../engines/types.ts';
import { AppError, messageOf } from '../kernel/errors.ts';
import { cellAt, type Frame, takeRows } from '../kernel/frame.ts';
import { openServable, sampled } from './scoring.ts';
import type { EngineFacts, Parity, RegistryDeps } from './types.ts';

const EDGE_ROWS_PER_COLUMN = 6;

/** Rows whose answers are kept for ever: smallest, largest and missing values and the rarest category of each column, then chance. */
export async function goldenRows(frame: Frame, signature: Signature): Promise<Frame> {
  const chosen = new Set<number>();
  for (const { name } of signature.inputs) {
    for (const row of edgesOf(frame, name)) chosen.add(row);
    await setImmediate();
  }
  // Twice as many as are wanted: some are edges already.
  for (const row of sampled(frame.rowCount, 2 * MAX_GOLDEN_ROWS, 7)) {
    if (chosen.size >= MAX_GOLDEN_ROWS) break;
    chosen.add(row);
  }
  const rows = [...chosen].slice(0, MAX_GOLDEN_ROWS).sort((a, b) => a - b);
  return takeRows(frame, rows);
}

function edgesOf(frame: Frame, name: string): number[] {
  const column = frame.columns.find((c) => c.name === name);
  if (!column) return [];
  let [least, most, missing] = [-1, -1, -1];
  const first = new Map<string, number>();
  const tally = new Map<string, number>();
  for (let i = 0; i < frame.rowCount; i++) {
    const value = cellAt(column.values, i);
    if (value === null) missing = i;
    else if (typeof value === 'number') {
      if (least === -1 || value < Number(column.values[least])) least = i;
      if (most === -1 || value > Number(column.values[most])) most = i;
    } else {
      const key = String(value);
      tally.set(key, (tally.get(key) ?? 0) + 1);
      if (!first.has(key)) first.set(key, i);
    }
  }
  const rare = [...tally].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1)).slice(0, EDGE_ROWS_PER_COLUMN);
  return [least, most, missing, ...rare.map(([key]) => first.get(key)!)].filter((row) => row !== -1);
}

type Unnumbered = Omit<ServableSpec, 'version' | 'versionId'>;

export interface Attempt {
  readonly spec: Unnumbered;
  readonly reason: string;
}

export interface Proven {
  readonly spec: Unnumbered;
  readonly engine: EngineFacts;
  readonly parity: Parity;
  /** Open: whoever asked closes it. */
  readonly servable: Servable;
}

/**
 * The first of the attempts that answers the golden rows as the training environment did: no label flips, no difference above the
 * tolerance. Where none does, `invalid` with what each one did.
 */
export async function proveParity(
  deps: RegistryDeps,
  golden: Golden,
  tolerance: number,
  attempts: readonly Attempt[],
): Promise<Proven> {
  const failures: string[] = [];
  for (const { spec, reason } of attempts) {
    try {
      const { servable, parity } = await measure(deps, spec, golden);
      if (parity.maxDifference <= tolerance && parity.flips === 0)
        return { spec, engine: { kind: spec.engine.kind, reason }, parity, servable };
      await servable.close();
      failures.push(`${spec.engine.kind}: difference ${parity.maxDifference}, ${parity.flips} labels flip`);
    } catch (error) {
      failures.push(`${spec.engine.kind}: ${messageOf(error)}`);
    }
    deps.log.warn('an engine does not agree with the training environment', { model: spec.model, failures });
  }
  throw new AppError(
    'invalid',
    `No engine answers the golden rows as the training environment does (${failures.join('; ')}); nothing was registered`,
  );
}

async function measure(
  deps: RegistryDeps,
  spec: Unnumbered,
  golden: Golden,
): Promise<{ readonly servable: Servable; readonly parity: Parity }> {
  const servable = await openServable(deps, { ...spec, version: 0, versionId: 'candidate' });
  try {
    return { servable, parity: await compareGolden(servable, golden) };
  } catch (error) {
    await servable.close();
    throw error;
  }
}
