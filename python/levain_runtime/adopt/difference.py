"""Which column of what features.py makes is not what the model was given, and which statement of the notebook made it."""

import re

import numpy

from .match import matrix_of

MAX_LOOKED = 20
#: What to say where a statement holds one of these.
ORDER = re.compile(r"\.(shift|diff|pct_change|rank|rolling|expanding|ewm|cumsum|cumprod|cummax|cummin|cumcount|duplicated)\(")
RANDOM = re.compile(r"\brandom\b|\brandint\(|\brandn?\(|\.sample\(|\.choice\(")
FILLING = re.compile(r"\.(ffill|bfill|interpolate|pad)\(|method=")


def is_doubtful(text):
    return bool(ORDER.search(text) or RANDOM.search(text) or FILLING.search(text))


def differ(a, b):
    """Whether two matrices of features differ beyond rounding."""
    if a.shape != b.shape:
        return True
    if hasattr(a, "tocsr") or hasattr(b, "tocsr"):
        return abs(a - b).max() > 1e-9
    return not all(_equal(a[at : at + 1], b[at]).all() for at in range(len(b)))


def differing(made, known, test, labels, found):
    """[(column position, rows that differ, rows looked at)], the worst first, of the test rows that were not found."""
    ours, theirs = matrix_of(made), matrix_of(test)
    if hasattr(ours, "tocsr") or hasattr(theirs, "tocsr") or ours.shape[1] != theirs.shape[1]:
        return []
    place = {row: at for at, row in enumerate(known)}
    counts = numpy.zeros(theirs.shape[1], dtype=int)
    lost = [at for at, row in enumerate(found) if row is None][:MAX_LOOKED]
    for at in lost:
        same = _equal(ours, theirs[at])
        label = place.get(labels[at]) if labels is not None else None
        nearest = label if label is not None else int(same.sum(axis=1).argmax())
        counts += ~same[nearest]
    order = numpy.argsort(-counts, kind="stable")
    return [(int(at), int(counts[at]), len(lost)) for at in order if counts[at] > 0]


def _equal(matrix, row):
    if matrix.dtype == object or row.dtype == object:
        return numpy.array([[str(a) == str(b) for a, b in zip(line, row)] for line in matrix.tolist()])
    with numpy.errstate(all="ignore"):
        near = numpy.isclose(matrix, row[None, :], rtol=1e-9, atol=1e-12, equal_nan=True)
    return near


def column_name(made, test, position):
    for rows in (test, made):
        if hasattr(rows, "columns"):
            return rows.columns[position]
    return None


def statement_for(pieces, name):
    """The last kept statement that speaks of a column, or None."""
    if name is None:
        return None
    text = re.compile(r"""['"]%s['"]|\.%s\b\s*=[^=]""" % (re.escape(str(name)), re.escape(str(name))))
    spoken = [piece for piece in pieces if any(text.search(line) for line in piece.lines)]
    assigned = re.compile(r"""(['"]%s['"]\s*\]|\.%s)\s*[-+*/]?=[^=]""" % (re.escape(str(name)), re.escape(str(name))))
    made = [piece for piece in spoken if any(assigned.search(line) for line in piece.lines)]
    return (made or spoken or [None])[-1]


def with_sources(piece, pieces):
    """The text of a statement and of those that made the names in it."""
    text = piece.statement.source_text()
    names = set(re.findall(r"[A-Za-z_]\w*", text))
    made = [p.statement.source_text() for p in pieces if p is not piece]
    return "\n".join([text] + [m for m in made if re.match(r"\s*([A-Za-z_]\w*)\s*=[^=]", m) and re.match(r"\s*([A-Za-z_]\w*)", m).group(1) in names])


def reason_for(line):
    """(why, what helps) of a statement that gives other values to rows of their own."""
    if ORDER.search(line):
        return "it looks at other rows in their order", "Leave this column out of the features, or compute it from the row's own columns."
    if RANDOM.search(line):
        return "it draws random numbers", "Fill with a mean or a median instead, which is the same in every run."
    if FILLING.search(line):
        return "it fills a gap from the neighbouring rows", "Fill with a mean, a median or a constant instead."
    return None, "Move this step into the model's pipeline, or write it so that a row needs nothing but its own columns."
