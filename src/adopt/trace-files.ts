import { z } from 'zod';
import { Candidate, Difference } from './types.ts';

/** candidates.json, as `levain_runtime.adopt.candidates` writes it. */
export const Candidates = z.looseObject({
  candidates: z.array(Candidate),
  chosen: z.number().nullable().default(null),
  ambiguous: z.boolean().default(false),
  reason: z.string().nullable().default(null),
  saved: z.array(z.looseObject({ path: z.string(), variable: z.string().nullable() })).default([]),
  differences: z.array(Difference).default([]),
  ranOutOfOrder: z.boolean().default(false),
  neverRun: z.array(z.number()).default([]),
});
export type Candidates = z.output<typeof Candidates>;
