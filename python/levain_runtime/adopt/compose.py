"""The text of a features.py: what was learned, the parts that are used, and the notebook's statements under their cells."""

import os
import re

from . import parts as _parts
from .records import is_array, is_index, is_series

MAX_LITERAL = 400
MAX_ITEMS = 60


def literal(value, depth=0):
    """Python text that gives the value back, or None where it is no plain value or too long."""
    text = _literal(value, depth)
    return text if text is not None and len(text) <= MAX_LITERAL * (1 if depth else 8) else None


def _literal(value, depth):
    if value is None or isinstance(value, (bool, int, str)):
        return repr(value)
    if isinstance(value, float):
        return repr(float(value)) if value == value and abs(value) != float("inf") else None
    if type(value).__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        inner = value.item()
        return _literal(inner, depth) if isinstance(inner, (bool, int, float, str)) else None
    if type(value).__name__ == "Timestamp" and getattr(value, "tz", None) is None and value == value:
        return "pd.Timestamp(%r)" % value.isoformat()
    if depth > 3:
        return None
    if isinstance(value, (list, tuple, set)) and len(value) <= MAX_ITEMS * 10:
        inner = [_literal(item, depth + 1) for item in value]
        if any(item is None for item in inner) or (isinstance(value, set) and not inner):
            return None
        opening, closing = {"list": "[]", "tuple": "()", "set": "{}"}.get(type(value).__name__, ("", "")) or ("", "")
        if not opening:
            return None
        return opening + ", ".join(inner) + ("," if isinstance(value, tuple) and len(inner) == 1 else "") + closing
    if type(value) is dict and len(value) <= MAX_ITEMS * 10:
        pairs = [(_literal(k, depth + 1), _literal(v, depth + 1)) for k, v in value.items()]
        return None if any(k is None or v is None for k, v in pairs) else "{" + ", ".join("%s: %s" % pair for pair in pairs) + "}"
    return _literal_of_data(value, depth)


def _literal_of_data(value, depth):
    if not hasattr(value, "tolist") or len(value) > MAX_ITEMS or str(getattr(value, "dtype", "")) == "category":
        return None
    made = None
    if is_series(value) and value.index.nlevels == 1:
        cells, labels = _literal(value.tolist(), depth + 1), _literal(value.index.tolist(), depth + 1)
        if cells is not None and labels is not None:
            named = "" if value.name is None else ", name=%s" % (_literal(value.name, depth + 1) or "None")
            made = "pd.Series(%s, index=%s%s)" % (cells, labels, named)
    elif is_index(value):
        cells = _literal(value.tolist(), depth + 1)
        made = None if cells is None else "pd.Index(%s)" % cells
    elif is_array(value) and value.ndim == 1:
        cells = _literal(value.tolist(), depth + 1)
        made = None if cells is None else "np.array(%s%s)" % (cells, ", dtype=object" if value.dtype == object else "")
    return made if made is not None and _gives_back(made, value) else None


def _gives_back(text, value):
    import numpy
    import pandas

    try:
        made = eval(text, {"pd": pandas, "np": numpy})
        if type(made) is not type(value) or made.dtype != value.dtype:
            return False
        return bool(made.equals(value)) if hasattr(made, "equals") else bool((made == value).all())
    except Exception:
        return False


def source_of_part(name):
    with open(_parts.__file__.replace(".pyc", ".py"), encoding="utf-8") as file:
        text = file.read()
    match = re.search(r"^(def|class) %s\b.*?(?=^\S)" % name, text, re.M | re.S)
    return match.group(0).rstrip() + "\n"


def compose(plan, pieces, slicer, returned, about):
    """The whole text. about: {notebook, model, raw: {column: type}, unused: {column: placeholder}, missing: extra words, gaps: features
    that may be missing, test_rows: (cell, code, occurrence) or None}."""
    used = ["checked"] + sorted(plan.helpers)
    needed = set(used)
    for name in used:
        needed.update(_parts.NEEDS.get(name, ()))
    body = _body(pieces, returned, plan)
    constants = _constants(plan, about, needed)
    functions = [_renamed(source_of_part(name), plan) for name in _parts.PARTS if name in needed]
    imports = ["import numpy as np", "import pandas as pd"]
    imports += sorted(line for line in set(slicer.imports.values()) if line not in imports)
    head = "\n".join([_docstring(about), *imports, "", *constants])
    return re.sub(r"\n{4,}", "\n\n\n", head + "\n\n" + body + "\n\n" + "\n\n".join(functions))


def _renamed(text, plan):
    for name, other in plan.renamed.items():
        text = re.sub(r"(?<![\w.\"'])%s\b(?=\()|(?<=class )%s\b|(?<=except )%s\b" % (name, name, name), other, text)
    return text


def _docstring(about):
    name = os.path.basename(about["notebook"] or "the notebook")
    return '"""What stands between raw rows and the model of %s (%s).\n\nWritten by `levain adopt`; edit freely, then run `levain run`.\n"""' % (name, about["model"])


def _constants(plan, about, needed):
    lines = []
    if plan.learned:
        lines += ["# name: (code cell, expression, n-th equal one in that cell): where a run of the notebook learns it again.", "SITES = {"]
        for name, held in by_place(plan):
            if held.site.cell == 0 and literal(about["learned"][name]) is not None:
                continue  # learned in a module beside the notebook: it stays as it is
            lines.append("    %r: (%d, %r, %d)," % (name, held.site.cell, held.site.code, held.site.occurrence))
        lines += ["}", "# What was learned there, in order of execution. Fitted objects (None here) come with each version of the model.", "LEARNED = {"]
        for name, _ in by_place(plan):
            lines.append("    %r: %s," % (name, literal(about["learned"][name])))
        lines += ["}"]
    else:
        lines += ["SITES = {}", "LEARNED = {}"]
    if "learned" in needed:
        lines += ["# Which of them the calls below take, where it is not all of them in order.", "ORDER = %r" % (about["order"],), "PLAYED = {}"]
    if about["test_rows"]:
        lines += ["# The call whose rows are the notebook's own test rows.", "TEST_ROWS = %r" % (about["test_rows"],)]
    if "as_read" in needed:
        lines += ["# Columns of the file as the notebook read it; a ? marks those with gaps."] + _table("RAW", about["raw"])
        lines += ["# Columns that do not reach the model, and what stands for them here: raw rows need not hold them."] + _table("UNUSED", about["unused"])
        lines += ["# Words that count as missing.", "MISSING = frozenset(%r)" % (about["missing"],)]
    lines += ["# Columns of the result that had gaps in training.", "MAY_BE_MISSING = %r" % (about["gaps"],)]
    return lines


def by_place(plan):
    """What is learned in the order of the notebook's text."""
    return sorted(plan.learned.items(), key=lambda item: (item[1].site.cell, item[1].site.start))


def _table(name, table):
    text = "%s = {%s}" % (name, ", ".join("%r: %s" % (k, literal(v)) for k, v in table.items()))
    if len(text) <= 120:
        return [text]
    return ["%s = {" % name] + ["    %r: %s," % (k, literal(v)) for k, v in table.items()] + ["}"]


def _body(pieces, returned, plan):
    lines = ["", "def features(%s):" % plan.argument]
    lines += ['    """Raw rows as the model wants them; raises RowsRefused for those that it cannot answer."""']
    if plan.renamed.get("learned", "learned") and "learned" in plan.helpers:
        lines.append("    PLAYED.clear()")
    cell = None
    for piece in pieces:
        piece.first = _count(lines) - 1
        if piece.statement.cell != cell:
            cell = piece.statement.cell
            lines += ["", "    # cell %d" % cell if cell else "    # " + os.path.basename(getattr(piece.statement, "path", "a module"))]
        lines += [indent(line) for line in piece.statement.comments_above()]
        for position, line in enumerate(piece.lines):
            last = position == len(piece.lines) - 1
            lines.append(indent(line) + (piece.statement.comment_behind() if last and "\n" not in line else ""))
        piece.last = _count(lines) - 2
    lines += [""] + [indent(line) for line in returned]
    return "\n".join(lines) + "\n"


def _count(lines):
    return sum(line.count("\n") + 1 for line in lines)


def indent(text):
    """Lines that stand in a text in three quotes keep their place."""
    if "\n" not in text or '"""' in text or "'''" in text:
        return "    " + text
    return "\n".join("    " + line if line.strip() else "" for line in text.split("\n"))
