import type { ModelStatus } from '../layout.tsx';

const SERIES = 7;

/** One colour a version on all charts of the tab: the champion dark, the one that is rolled out the accent. */
export function colourOf(model: Pick<ModelStatus, 'version' | 'live'>, version: number | null): string {
  if (version === null) return '--reference';
  if (version === model.version) return '--champion';
  if (model.live.some((arm) => arm.version === version)) return '--challenger';
  return `--series-${(version % SERIES) + 1}`;
}
