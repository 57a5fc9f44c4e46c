import { toRecords } from '../kernel/frame.ts';
import type { Analytics } from '../ports/analytics.ts';
import type { DataSection } from '../project-file/index.ts';
import { type Relation, rawRows, timeMs } from './relation.ts';
import type { DatasetVersion } from './types.ts';

/** First and last time of the rows, where the section names a time column and any row has one. */
export async function timeRangeOf(
  analytics: Analytics,
  relation: Relation,
  section: Pick<DataSection, 'time'>,
): Promise<DatasetVersion['timeRange']> {
  if (section.time === null) return null;
  const time = timeMs(relation.plan, section.time, 'data.time');
  const row = toRecords(
    await analytics.query(
      `select min(t) as low, max(t) as high from (select ${time} as t from (${rawRows(relation)}))`,
    ),
  )[0];
  const [min, max] = [row?.['low'], row?.['high']];
  return typeof min === 'number' && typeof max === 'number' ? { column: section.time, min, max } : null;
}
