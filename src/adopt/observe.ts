import { join } from 'node:path';
import { z } from 'zod';
import type { Attempt } from './attempt.ts';
import type { Observed } from './result.ts';
import { toPythonText } from './run/session.ts';

const Seen = z.object({
  opens: z.array(z.string()),
  writes: z.array(z.string()),
  refused: z.array(z.string()),
  redirects: z.record(z.string(), z.string()),
  notes: z.array(z.string()),
});

const MAX_PATHS = 2_000;

/** Asks the trace what the run opened, wrote and was refused; paths are relative to the copy. */
export async function observe(attempt: Attempt): Promise<Observed> {
  const path = join(attempt.folder, 'observed.json');
  const value = await attempt.session.ask(
    'what the run touched could not be read',
    `def _levain_observe():
    import json, os
    import levain_runtime.adopt.trace as trace
    t = trace.CURRENT
    def inner(path):
        full = os.path.realpath(os.path.join(t.root, str(path)))
        return os.path.relpath(full, t.root) if full.startswith(t.root + os.sep) else None
    def unique(paths):
        return sorted({p for p in map(inner, paths) if p})[:${MAX_PATHS}]
    found = {"opens": unique(t.opens), "writes": unique(t.writes), "refused": [str(x) for x in t.refused_network][:100]}
    found["redirects"] = {str(k): str(v) for k, v in t.redirects.items()}
    found["notes"] = [str(x) for x in t.notes][:100]
    with open(${toPythonText(path)}, "w") as file:
        json.dump(found, file)
_levain_observe(); del _levain_observe`,
    path,
  );
  const { opens, writes, refused, redirects, notes } = Seen.parse(value);
  return { opens, writes, refusedNetwork: refused, redirects, notes, params: {}, metrics: {} };
}
