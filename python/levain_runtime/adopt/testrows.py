"""Which rows of the raw file a notebook's own test rows are, told by their values, and how its target is coded.

A row's number is no proof: frames are reset, filtered and resampled before the split. So rows are found by what the model was
given: the features that features.py makes of every raw row, else the columns that both share. Equal rows are told apart by their
index label and by the target. All must be found, or none are.
"""

import json
import os

from .coding import Coding, truths_of
from .rowkeys import EXACT, ROUGH, Rows, hashes_of, keys_of, row_count

FILE = "notebook_rows.json"


class NotFound(Exception):
    """The rows cannot be told; the message is the reason."""


def write(folder, found, dataset_file, file_rows):
    """Writes ``levain/notebook_rows.json`` into a model's folder: what ``find`` answered, or ``nothing``."""
    path = os.path.join(folder, "levain")
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, FILE), "w") as file:
        json.dump(dict(found, **{"dataset file": dataset_file, "fileRows": file_rows}), file)


def nothing(reason, of=0):
    return {"rows": [], "matched": 0, "of": of, "reason": reason, "target": None}


def find(raw, X, y=None, target=None, features=None, fitted=None):
    """{"rows", "matched", "of", "reason": None, "target"}; raises NotFound.

    ``raw`` is the whole file as a frame in its own order, ``X`` what the model was given, ``y`` its truth in the notebook's coding or
    None, ``features`` (what features.py makes of raw rows, which rows those are) or None.
    ``fitted``: (X, y) that the model learned from: none of its rows may be a test row, and its y tells how the target is written.
    """
    total = row_count(X)
    if total == 0:
        raise NotFound("the model was given no rows")
    codes, labels = Coding(raw, target, truths_of(y, total)), _labels(X)
    given, learned = Rows(X), Rows(fitted[0]) if fitted is not None else None
    reason = None
    for table in _tables(raw, given, features):
        for digits in (EXACT, ROUGH):
            file = Places(table.keys(digits), table.known)
            known = learned.keys(digits, table.places) if learned is not None and _is_alike(learned, given) else None
            codes.learn_fitted(file, known, fitted)
            wanted = given.keys(digits, table.places)
            try:
                rows = _match(file, wanted, labels, codes)
            except NotFound as error:
                reason = reason or str(error)
                continue
            _assert_unseen(file, wanted, known)
            return {"rows": sorted(set(rows)), "matched": total, "of": total, "reason": None, "target": codes.rule(rows)}
    raise NotFound(reason or "the rows share no column with the file")


def coding(raw, fitted, target, features=None):
    """The "target" of ``find`` by the rows that a model learned from; None where they do not tell."""
    given = Rows(fitted[0])
    for table in _tables(raw, given, features):
        for digits in (EXACT, ROUGH):
            codes = Coding(raw, target, None)
            codes.learn_fitted(Places(table.keys(digits), table.known), given.keys(digits, table.places), fitted)
            found = codes.rule([])
            if found:
                return found
    return None


class _Table:
    """What the file's rows are compared by. places: of the test rows' columns, None for all. known: which rows of the file these are."""

    def __init__(self, keys, places=None, known=None):
        self.keys, self.places, self.known = keys, places, known


def _is_alike(a, b):
    return len(a.names) == len(b.names) and (a.sparse is None) == (b.sparse is None)


def _tables(raw, given, features):
    """What to compare, the surest first."""
    if features is not None:
        made = Rows(features[0])
        if _is_alike(made, given):
            yield _Table(made.keys, None, features[1])
        return
    own = {name: raw.iloc[:, at] for at, name in enumerate(raw.columns)}
    shared = [at for at, name in enumerate(given.names) if name in own] if given.sparse is None else []
    if shared:
        values = [given.columns[at][1] for at in shared]
        alike = [_like(own[given.names[at]], column) for at, column in zip(shared, values)]
        yield _Table(lambda digits: keys_of(alike, digits), shared)
        kept = [n for n, column in enumerate(values) if _holds(alike[n], column)]
        if kept and len(kept) < len(shared):
            yield _Table(lambda digits: keys_of([alike[n] for n in kept], digits), [shared[n] for n in kept])
    elif given.sparse is None and all(isinstance(name, int) for name in given.names):
        columns = list(own.values())
        for start in range(len(columns) - len(given.names) + 1):
            part = columns[start : start + len(given.names)]
            yield _Table(lambda digits, part=part: keys_of(part, digits))


def _like(own, values):
    """A column of the file as the notebook holds it: dates where it has dates, numbers where it has numbers."""
    import pandas

    kind = getattr(getattr(values, "dtype", None), "kind", "O")
    if kind == "M":
        return pandas.to_datetime(own, errors="coerce")
    if kind in "iufb" and getattr(own.dtype, "kind", "O") not in "iufb":
        return pandas.to_numeric(own, errors="coerce")
    return own


def _holds(own, values):
    """Whether the notebook left the column as the file has it."""
    import numpy

    return bool(numpy.isin(hashes_of(values, ROUGH), hashes_of(own, ROUGH)).all())


# Matching


class Places:
    """Where each kind of row stands in the file."""

    def __init__(self, keys, known=None):
        import numpy

        rows = numpy.arange(len(keys)) if known is None else numpy.asarray(known)
        order = numpy.argsort(keys, kind="stable")
        self.keys, self.rows = keys[order], rows[order]

    def spans(self, keys):
        """(first, how many) of each key."""
        import numpy

        first = numpy.searchsorted(self.keys, keys, "left")
        return first, numpy.searchsorted(self.keys, keys, "right") - first

    def only(self, keys):
        """The row of the file for each key that stands once; -1 for the others."""
        import numpy

        first, counts = self.spans(keys)
        found = numpy.full(len(keys), -1)
        once = counts == 1
        found[once] = self.rows[first[once]]
        return found


def _match(file, wanted, labels, codes):
    """The row of the file for each wanted row."""
    first, counts = file.spans(wanted)
    missing = int((counts == 0).sum())
    if missing:
        raise NotFound("%d of %d test rows are not in the file with these values" % (missing, len(wanted)))
    found = [row if row >= 0 else None for row in file.only(wanted).tolist()]
    codes.learn(found)
    groups = {}
    for at in (counts > 1).nonzero()[0].tolist():
        groups.setdefault(int(wanted[at]), []).append(at)
    for members in groups.values():
        at = members[0]
        _settle(found, members, file.rows[first[at] : first[at] + counts[at]].tolist(), labels, codes)
    return found


def _assert_unseen(file, wanted, learned):
    """Raises NotFound where the model learned from test rows: more rows of a kind were used than there are."""
    if learned is None:
        return
    import numpy

    kinds, tested = numpy.unique(wanted, return_counts=True)
    there = file.spans(kinds)[1]
    fitted = Places(learned).spans(kinds)[1]
    every, used = numpy.unique(learned, return_counts=True)
    stands = file.spans(every)[1]
    # Drawn with replacement, rows count more often than they are there.
    is_resampled = bool(((used > stands) & (stands > 0)).any())
    taken = numpy.minimum(fitted, 1) if is_resampled else fitted
    seen = int(numpy.minimum(tested, fitted)[(fitted > 0) & (tested + taken > there)].sum())
    if seen:
        raise NotFound("the model was fitted on %d of its %d test rows" % (seen, len(wanted)))


def _settle(found, members, places, labels, codes):
    """Equal rows: by label where the target agrees, else by target, else all of them."""
    free = set(places)
    left = []
    for at in members:
        label = labels[at] if labels is not None else None
        if label in free and codes.agree(label, at) is not False:
            found[at] = label
            free.discard(label)
        else:
            left.append(at)
    for at in left:
        fits = [row for row in places if row in free and codes.agree(row, at) is not False]
        sure = [row for row in fits if codes.agree(row, at)]
        pool = sure or fits
        if not pool and len(left) <= len(places):
            raise NotFound("a test row equals rows of the file whose target is another")
        if not pool:  # drawn with replacement: the same row again
            pool = [row for row in places if codes.agree(row, at) is not False] or places
        if not sure and len(free) > len(left) and codes.differ(pool):
            raise NotFound("%d test rows equal other rows of the file in all that the model is given" % len(left))
        found[at] = pool[0]
        free.discard(pool[0])


def _labels(X):
    index = getattr(X, "index", None)
    if index is None or callable(index):
        return None
    try:
        return [int(label) if isinstance(label, int) or hasattr(label, "__index__") else label for label in index.tolist()]
    except Exception:
        return None
