"""Rows that no file holds as a table: a library brings them (``sklearn.datasets.load_iris``), an address, a query, or a file of another
form (a workbook, a file without a header). One is made of them for the versions, the gate and the monitor."""

import ast
import codecs
import os
import re

from .target import frame_of

FILE = "brought.csv"
MAX_CELLS = 20000000
LOADER = re.compile(r"(?:[A-Za-z_]\w*\.)+(?:load|fetch)_\w+$")
#: Files whose rows are read by name of their form; in the plain ones the first line names the columns.
TABLE = re.compile(r"\.(?:csv|tsv|txt|parquet|pq|jsonl?|ndjson)(?:\.gz)?$", re.I)
PLAIN = re.compile(r"\.(?:csv|tsv|txt)$", re.I)
MAX_HEADER = 1 << 20
OTHER_ROWS = frozenset(
    "nrows skiprows skipfooter comment thousands converters true_values false_values error_bad_lines on_bad_lines chunksize".split()
)


def by(attempt):
    """What brought the rows, in a few words; None where a file holds them as they are."""
    read = attempt.read
    path = os.path.join(attempt.trace.root, str(read.path)) if read.path else None
    if path is not None and os.path.isfile(path):
        name = os.path.basename(path)
        given = _given(attempt)
        if given:
            return "%s, read with %s" % (name, " and ".join(given))
        return None if _is_table(path, attempt.raw) else name + ", which is no table in UTF-8 with a header line"
    written = str(read.written or "")
    if LOADER.match(written):
        return ".".join(part for part in written.split(".") if not part.startswith("_"))
    if re.match(r"\w+://", written):
        return written.split("?")[0]
    return "a query" if re.match(r"\s*(?:select|with)\s", written, re.I) else "what it reads in cell %d" % read.cell


def _given(attempt):
    """Arguments of the notebook's call by which it reads other rows or other cells than stand in the file."""
    site = attempt.trace.sites.get(attempt.read.site_id)
    if site is None or not str(site.attribute or "").startswith("read_"):
        return []
    return [keyword.arg for keyword in site.node.keywords if keyword.arg in OTHER_ROWS and not _is_nothing(keyword.value)]


def _is_nothing(node):
    return isinstance(node, ast.Constant) and node.value in (None, False, 0)


def _is_utf8(path):
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        for part in iter(lambda: file.read(1 << 20), b""):
            try:
                decoder.decode(part)
            except UnicodeDecodeError:
                return False
    return True


def _is_table(path, raw):
    """Whether the file is read by itself as the notebook read it: text whose first line holds the names of the columns."""
    if not PLAIN.search(path):
        return bool(TABLE.search(path))
    if not _is_utf8(path):
        return False
    with open(path, "rb") as file:
        line = file.readline(MAX_HEADER)
    names = [str(name) for name in raw.columns if not re.match(r"Unnamed: \d+$", str(name))]
    text = line.decode("utf-8", "replace").replace('""', '"')
    return all(name.strip() in text for name in names)


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
    if library is None or whole.size > MAX_CELLS or whole.columns.nlevels > 1:
        return None
    whole.to_csv(os.path.join(out_dir, FILE), index=False)
    return {"file": FILE, "stem": _stem(attempt, library), "by": library, "columns": len(whole.columns)}


def _stem(attempt, library):
    """``load_iris`` gives iris; of ``load_dataset("tips")`` the word says it."""
    if not LOADER.match(library):
        address = re.split(r"[?#]", str(attempt.read.path or attempt.read.written or ""))[0]
        word = "rows" if library == "a query" else os.path.basename(address).split(".")[0]
        return re.sub(r"\W+", "_", word).strip("_").lower() or "rows"
    last = re.sub(r"^(?:load|fetch)_", "", library.rsplit(".", 1)[-1])
    site = attempt.trace.sites.get(attempt.read.site_id)
    if last in ("dataset", "openml", "data") and site is not None:
        first = (list(site.node.args) + [keyword.value for keyword in site.node.keywords if keyword.arg in ("name", "data_id")])[:1]
        if first and isinstance(first[0], ast.Constant) and isinstance(first[0].value, str):
            last = first[0].value
    return re.sub(r"\W+", "_", last).strip("_").lower() or "rows"
