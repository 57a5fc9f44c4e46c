"""Rows that a library brings (``sklearn.datasets.load_iris``): no file holds them, so one is made for the versions, the gate and the monitor."""

import ast
import os
import re

from .target import frame_of

FILE = "brought.csv"
MAX_CELLS = 20000000
LOADER = re.compile(r"(?:[A-Za-z_]\w*\.)+(?:load|fetch)_\w+$")


def by(attempt):
    """What brought the rows, as its users write it; None where a file holds them."""
    read = attempt.read
    written = str(read.written or "")
    if not LOADER.match(written) or os.path.exists(os.path.join(attempt.trace.root, written)):
        return None
    return ".".join(part for part in written.split(".") if not part.startswith("_"))


def whole_of(attempt):
    """(the rows with their target, its column): of a library's pair or Bunch the target stands beside the rows."""
    raw, target = attempt.raw, attempt._target()
    name = (attempt.choice.get("target") or {}).get("column")
    if target is not None or name is None or attempt.read.frame is not None:
        return raw, target
    frame = frame_of(attempt.read)
    if frame is None or name not in frame.columns or len(frame) != len(raw) or name in map(str, raw.columns):
        return raw, None
    return raw.assign(**{name: frame[name].to_numpy()}), name


def write(attempt, out_dir):
    """The file, beside facts.json, and what to say of it; None where there is nothing to bring or it would be too much."""
    library = by(attempt)
    whole, _ = whole_of(attempt)
    if library is None or whole.size > MAX_CELLS:
        return None
    whole.to_csv(os.path.join(out_dir, FILE), index=False)
    return {"file": FILE, "stem": _stem(attempt, library), "by": library, "columns": len(whole.columns)}


def _stem(attempt, library):
    """``load_iris`` gives iris; of ``load_dataset("tips")`` the word says it."""
    last = re.sub(r"^(?:load|fetch)_", "", library.rsplit(".", 1)[-1])
    site = attempt.trace.sites.get(attempt.read.site_id)
    if last in ("dataset", "openml", "data") and site is not None:
        first = (list(site.node.args) + [keyword.value for keyword in site.node.keywords if keyword.arg in ("name", "data_id")])[:1]
        if first and isinstance(first[0], ast.Constant) and isinstance(first[0].value, str):
            last = first[0].value
    return re.sub(r"\W+", "_", last).strip("_").lower() or "rows"
