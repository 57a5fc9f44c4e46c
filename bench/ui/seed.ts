import { curve, type MlflowClient } from '../../test/support/tracked-runs.ts';

const AT_ONCE = 12;
const STARTED = Date.parse('2026-01-05T10:00:00Z');

/** Runs with a few parameters and metrics, as a sweep leaves them. */
export async function seedRuns(client: MlflowClient, count: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      const id = await client.createRun({
        name: `run-${i}`,
        startedAt: STARTED + i * 1_000,
        user: i % 3 ? 'ana' : 'bo',
      });
      await client.log(id, {
        params: {
          depth: String(i % 12),
          rate: String((i % 97) / 100),
          optimizer: i % 2 ? 'adam' : 'sgd',
          seed: String(i % 5),
        },
        metrics: ['loss', 'auc', 'f1', 'brier'].map((key, k) => ({
          key,
          value: ((i * (k + 7)) % 1_009) / 1_009,
          step: 0,
          timestamp: STARTED + i,
        })),
      });
      await client.end(id, i % 50 ? 'FINISHED' : 'FAILED');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Long curves; answers the runs' ids. */
export async function seedCharts(
  client: MlflowClient,
  { runs, metrics, points }: { readonly runs: number; readonly metrics: number; readonly points: number },
): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let r = 0; r < runs; r++) {
    const id = await client.createRun({ name: `curves-${r}`, startedAt: STARTED });
    for (let m = 0; m < metrics; m++) await client.log(id, { metrics: curve(`metric_${m}`, points, r + m, STARTED) });
    await client.end(id, 'FINISHED');
    ids.push(id);
  }
  return ids;
}
