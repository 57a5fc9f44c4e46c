import { readFile } from 'node:fs/promises';
import { compareGolden, decodeGolden, PARITY_TOLERANCE } from '../../engines/golden.ts';
import { loadServable } from '../../engines/servable.ts';
import type { Servable, ServableIo, ServableSpec } from '../../engines/types.ts';
import { AppError } from '../../kernel/errors.ts';
import type { SelfTest } from '../serve/live-version.ts';

const WARM_UP_ROUNDS = 3;

export interface LoadedServable {
  readonly servable: Servable;
  readonly selfTest: SelfTest;
  readonly seconds: number;
}

/**
 * Loads a version and replays its golden rows. Throws `precondition_failed` with the difference where it does not answer as it did where it was
 * trained; a version that a rehearsal broke on purpose is not held to that.
 */
export async function loadAndTest(spec: ServableSpec, io: ServableIo): Promise<LoadedServable> {
  const startedAt = performance.now();
  const servable = await loadServable(spec, io);
  try {
    const selfTest =
      spec.golden && !spec.fault
        ? await testGolden(servable, spec.golden.digest, io)
        : { parity: null, microsPerRow: null };
    return { servable, selfTest, seconds: (performance.now() - startedAt) / 1000 };
  } catch (error) {
    await servable.close();
    throw error;
  }
}

async function testGolden(servable: Servable, digest: string, io: ServableIo): Promise<SelfTest> {
  const golden = decodeGolden(await readFile(await io.localPath(digest)));
  const parity = await compareGolden(servable, golden);
  if (!(parity.maxDifference <= PARITY_TOLERANCE) || parity.flips > 0)
    throw new AppError(
      'precondition_failed',
      `The golden rows differ by ${parity.maxDifference.toExponential(2)} with ${parity.flips} flipped labels of ${parity.rows}; at most ${PARITY_TOLERANCE} is allowed`,
      { ...parity },
    );
  return { parity, microsPerRow: await measure(servable, golden.rows) };
}

/** µs a row once warm, over all golden rows together. */
async function measure(servable: Servable, rows: Parameters<Servable['predict']>[0]): Promise<number> {
  const rounds = servable.predictSync ? WARM_UP_ROUNDS : 1;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < rounds; i++) {
    const startedAt = performance.now();
    if (servable.predictSync) servable.predictSync(rows);
    else await servable.predict(rows);
    best = Math.min(best, performance.now() - startedAt);
  }
  return (best * 1000) / Math.max(1, rows.rowCount);
}
