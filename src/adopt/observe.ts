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
  files: z.record(z.string(), z.object({ rows: z.number(), columns: z.number(), key: z.string().nullable() })),
  params: z.record(z.string(), z.json()),
});

const MAX_PATHS = 2_000;

/** Names by which a person tells rows apart. */
const KEY_NAMES = '(?:^|[ _-])(?:id|ids|key|uuid|guid|number|no|nr|code)$|[a-z]I[Dd]$|^id|ID$';

/** Asks the trace what the run opened, wrote and was refused; paths are relative to the copy. */
export async function observe(attempt: Attempt, model: string): Promise<Observed> {
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
    def key_of(frame):
        import re
        for name in frame.columns:
            if isinstance(name, str) and re.search(${toPythonText(KEY_NAMES)}, name):
                column = frame[name]
                if getattr(column, "ndim", 1) == 1 and getattr(column.dtype, "kind", "O") in "OiuUST" and column.is_unique and not column.isna().any():
                    return name
        return None
    files = {}
    for read in t.reads:
        if read.frame is not None and hasattr(read.frame, "columns") and read.path is not None:
            try:
                files[str(read.path)] = {"rows": len(read.frame), "columns": len(read.frame.columns), "key": key_of(read.frame)}
            except Exception:
                pass
    params = {}
    try:
        held = eval(${toPythonText(model)}, dict(get_ipython().user_ns))
        for name, value in list(held.get_params(deep=False).items())[:100]:
            if value is None or isinstance(value, (bool, int, float, str)) and value == value and value not in (float("inf"), -float("inf")):
                params[name] = value
    except Exception:
        pass
    found["files"], found["params"] = files, params
    with open(${toPythonText(path)}, "w") as file:
        json.dump(found, file)
_levain_observe(); del _levain_observe`,
    path,
  );
  const { refused, ...seen } = Seen.parse(value);
  return { ...seen, refusedNetwork: refused };
}
