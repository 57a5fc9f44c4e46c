import { randomFillSync } from 'node:crypto';
import type { Random } from '../../ports/system.ts';

export const systemRandom: Random = {
  next: Math.random,
  fill: (bytes) => void randomFillSync(bytes),
};
