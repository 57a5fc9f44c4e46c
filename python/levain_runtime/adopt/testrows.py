"""Which rows of the raw file a notebook's own test rows are, told by their values, and how its target is coded.

A row's number is no proof: frames are reset, filtered and resampled before the split. So rows are found by what the model was
given: the features that features.py makes of every raw row, else the columns that both share. Equal rows are told apart by their
index label and by the target. All must be found, or none are.
"""

import collections
import json
import math
import os

FILE = "notebook_rows.json"
# A target with more values than these has no words for its classes.
MAX_CLASSES = 1000
EXACT, ROUGH = 0, 7


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
    codes = _Coding(raw, target, _truths(y, total))
    labels = _labels(X)
    given, learned = _columns(X), _columns(fitted[0]) if fitted is not None else []
    reason = None
    for table in _tables(raw, given, features):
        for digits in (EXACT, ROUGH):
            own = table.keys(digits)
            wanted = _keys([given[at][1] for at in table.places], digits)
            known = _keys([learned[at][1] for at in table.places], digits) if len(learned) == len(given) else None
            codes.learn_fitted(own, known, fitted)
            try:
                rows = _match(own, wanted, labels, codes)
            except NotFound as error:
                reason = reason or str(error)
                continue
            _assert_unseen(own, wanted, known)
            return {"rows": sorted(set(rows)), "matched": total, "of": total, "reason": None, "target": codes.rule(rows)}
    raise NotFound(reason or "the rows share no column with the file")


def coding(raw, fitted, target, features=None):
    """The "target" of ``find`` by the rows that a model learned from; None where they do not tell."""
    X, y = fitted
    given = _columns(X)
    for table in _tables(raw, given, features):
        for digits in (EXACT, ROUGH):
            codes = _Coding(raw, target, None)
            codes.learn_fitted(table.keys(digits), _keys([given[at][1] for at in table.places], digits), (X, y))
            found = codes.rule([])
            if found and found["rule"]:
                return found
    return None


def row_count(X):
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) > 0:
        return int(shape[0])
    if callable(getattr(X, "num_row", None)):
        return int(X.num_row())
    try:
        return len(X)
    except TypeError:
        return 0


# Tables


class _Table:
    """Columns of the file beside the places of the test rows' columns that they are compared with."""

    def __init__(self, columns, places, known=None):
        self.columns, self.places, self.known = columns, places, known

    def keys(self, digits):
        """[key of each row], or {row of the file: key} where only some rows are known."""
        rows = _keys(self.columns, digits)
        return rows if self.known is None else dict(zip(self.known, rows))


def _tables(raw, given, features):
    """What to compare, the surest first."""
    if features is not None:
        made = _columns(features[0])
        if len(made) == len(given):
            yield _Table([values for _, values in made], range(len(given)), features[1])
        return
    own = dict(_columns(raw))
    shared = [at for at, (name, _) in enumerate(given) if name in own]
    if shared:
        alike = {at: _like(own[given[at][0]], given[at][1]) for at in shared}
        yield _Table(list(alike.values()), shared)
        kept = [at for at in shared if _holds(alike[at], given[at][1])]
        if kept and len(kept) < len(shared):
            yield _Table([alike[at] for at in kept], kept)
    elif all(isinstance(name, int) for name, _ in given):
        columns = list(own.values())
        for start in range(len(columns) - len(given) + 1):
            yield _Table(columns[start : start + len(given)], range(len(given)))


def _columns(table):
    """[(name, values)]; columns without names are counted from 0."""
    table = _plain(table)
    if hasattr(table, "columns"):
        return [(name, table.iloc[:, at]) for at, name in enumerate(table.columns)]
    if hasattr(table, "index") and hasattr(table, "to_numpy"):
        return [(table.name if table.name is not None else 0, table)]
    import numpy

    matrix = numpy.asarray(table)
    matrix = matrix.reshape(len(matrix), -1) if matrix.ndim != 2 else matrix
    return [(at, matrix[:, at]) for at in range(matrix.shape[1])]


def _plain(table):
    if callable(getattr(table, "get_data", None)) and callable(getattr(table, "num_row", None)):
        table = table.get_data()  # xgboost.DMatrix keeps its rows
    if callable(getattr(table, "toarray", None)):
        return table.toarray()
    return table


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
    known = set(_cells(own, ROUGH))
    return all(cell in known for cell in _cells(values, ROUGH))


# Keys


def _keys(columns, digits):
    """One hashable a row."""
    return list(zip(*[_cells(column, digits) for column in columns]))


def _cells(column, digits):
    import numpy

    values = column.to_numpy() if hasattr(column, "to_numpy") else numpy.asarray(column)
    kind = values.dtype.kind
    if kind in "iub":
        return values.astype("float64").tolist()
    if kind == "f":
        return _floats(values.astype("float64"), digits)
    if kind in "mM":
        return values.astype("int64").tolist()
    return [_cell(value, digits) for value in values.tolist()]


def _floats(values, digits):
    import numpy

    if digits:
        with numpy.errstate(all="ignore"):
            scale = 10.0 ** (digits - 1 - numpy.floor(numpy.log10(numpy.abs(values))))
        values = numpy.where(numpy.isfinite(scale), numpy.round(values * scale) / scale, values)
    return [None if value != value else value + 0.0 for value in values.tolist()]


def _cell(value, digits):
    if value is None:
        return None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (int, float)):
        if value != value:
            return None
        return float("%.*g" % (digits, value)) if digits else float(value)
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if hasattr(value, "item") and not isinstance(value, str):
        return _cell(value.item(), digits)
    return str(value)


# Matching


def _match(own, wanted, labels, codes):
    """The row of the file for each wanted row."""
    places = _places(own)
    missing = sum(key not in places for key in wanted)
    if missing:
        raise NotFound("%d of %d test rows are not in the file with these values" % (missing, len(wanted)))
    found = [places[key][0] if len(places[key]) == 1 else None for key in wanted]
    codes.learn(found)
    groups = {}
    for at, key in enumerate(wanted):
        if found[at] is None:
            groups.setdefault(key, []).append(at)
    for key, members in groups.items():
        _settle(found, members, places[key], labels, codes)
    return found


def _places(own):
    places = {}
    for row, key in own.items() if isinstance(own, dict) else enumerate(own):
        places.setdefault(key, []).append(row)
    return places


def _assert_unseen(own, wanted, learned):
    """Raises NotFound where the model learned from test rows: more rows of a kind were used than there are."""
    if learned is None:
        return
    there = collections.Counter(own.values() if isinstance(own, dict) else own)
    tested, fitted = collections.Counter(wanted), collections.Counter(learned)
    # Drawn with replacement, rows count more often than they are there.
    is_resampled = any(count > there[key] > 0 for key, count in fitted.items())
    seen = 0
    for key, count in tested.items():
        used = min(fitted[key], 1) if is_resampled else fitted[key]
        if fitted[key] and count + used > there[key]:
            seen += min(count, fitted[key])
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


def _truths(y, total):
    if y is None:
        return None
    y = _plain(y)
    values = y.to_numpy() if hasattr(y, "to_numpy") else y
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    values = [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]
    if len(values) != total or any(isinstance(value, list) for value in values):
        return None
    return [_same(value) for value in values]


def _same(value):
    """One cell of a target: numbers that are whole are ints, so that 1.0 and 1 are one class."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        if value != value:
            return None
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    return value if isinstance(value, (int, bool, str)) else str(value)


class _Coding:
    """What the raw target's values are in the notebook's own coding, learned from the rows that are sure."""

    def __init__(self, raw, target, truths):
        has_target = target is not None and target in raw.columns
        self.raw = [_same(value) for value in raw[target].tolist()] if has_target else None
        self.truths = truths
        self.target = target
        self.fitted = []
        self.words = None

    def learn_fitted(self, own, known, fitted):
        """Pairs by the training rows that stand in one place of the file."""
        self.fitted = []
        y = fitted[1] if fitted is not None else None
        if self.raw is None or known is None or y is None:
            return
        truths = _truths(y, len(known))
        places = _places(own)
        # Fewer are alike by chance: other columns, or rows that were made up.
        if truths is None or 2 * sum(key in places for key in known) < len(known):
            return
        for at, key in enumerate(known):
            if len(places.get(key, ())) == 1:
                self.fitted.append((self.raw[places[key][0]], truths[at]))
        if not _is_mapping(self.fitted):
            self.fitted = []

    def learn(self, found):
        """The mapping by the rows with one place; None where it is no mapping."""
        self.words = None
        if self.raw is None:
            return
        pairs = list(self.fitted)
        if self.truths is not None:
            pairs += [(self.raw[row], self.truths[at]) for at, row in enumerate(found) if row is not None]
        self.words = dict(pairs) if pairs and _is_mapping(pairs) else None

    def agree(self, row, at):
        """True, False, or None where nobody knows."""
        if self.raw is None or self.truths is None:
            return None
        value, truth = self.raw[row], self.truths[at]
        if self.words is not None and value in self.words:
            return self.words[value] == truth
        return True if value == truth else None

    def differ(self, rows):
        return self.raw is None or len({self.raw[row] for row in rows}) > 1

    def rule(self, rows):
        """{"column", "rule"}: how a raw target value is written in the notebook's coding; None where nothing tells."""
        if self.raw is None:
            return None
        tested = [(self.raw[row], self.truths[at]) for at, row in enumerate(rows)] if self.truths is not None else []
        for pairs in (self.fitted + tested, tested, self.fitted):
            pairs = [(value, truth) for value, truth in pairs if value is not None and truth is not None]
            rule = coding_rule(pairs) if pairs else None
            if rule:
                return {"column": self.target, "rule": rule}
        return None


def _is_mapping(pairs):
    words = {}
    return all(words.setdefault(value, truth) == truth for value, truth in pairs)


def coding_rule(pairs):
    """A rule that gives every second value of the first one, or None.

    {"kind": "same"}, {"kind": "log" | "log1p" | "log10" | "log2" | "sqrt"}, {"kind": "linear", "a", "b"} (a·x + b),
    {"kind": "map", "pairs": [[raw, coded]]}, {"kind": "border", "below": [code, largest], "above": [code, smallest]}: two codes of a
    number; what lies between the largest and the smallest is not known.
    """
    if all(value == truth and isinstance(value, str) == isinstance(truth, str) for value, truth in pairs):
        return {"kind": "same"}
    numbers = [pair for pair in pairs if all(isinstance(v, (int, float)) for v in pair)]
    if len(numbers) == len(pairs) and len({truth for _, truth in pairs}) > 20:
        return _formula(numbers)
    words = {}
    for value, truth in pairs:
        if words.setdefault(value, truth) != truth:
            return None
    border = _border(numbers) if len(numbers) == len(pairs) and len(words) > 20 else None
    if border:
        return border
    if len(words) > MAX_CLASSES:
        return None
    return {"kind": "map", "pairs": sorted(([k, v] for k, v in words.items()), key=lambda pair: str(pair[0]))}


def _formula(pairs):
    if all(_close(value, truth) for value, truth in pairs):
        return {"kind": "same"}
    for name in ("log", "log1p", "log10", "log2", "sqrt"):
        function = getattr(math, name)
        try:
            if all(_close(function(value), truth) for value, truth in pairs):
                return {"kind": name}
        except ValueError:
            continue
    low, high = min(pairs), max(pairs)
    if high[0] == low[0]:
        return None
    a = (high[1] - low[1]) / (high[0] - low[0])
    b = low[1] - a * low[0]
    size = max(abs(low[1]), abs(high[1]))
    if a != 0 and all(abs(a * value + b - truth) <= 1e-6 * size for value, truth in pairs):
        return {"kind": "linear", "a": a, "b": b}
    return None


def _close(a, b):
    return abs(a - b) <= 1e-6 * max(1e-9, abs(a), abs(b))


def _border(pairs):
    """Two codes of a number, parted at one value."""
    sides = {}
    for value, truth in pairs:
        low, high = sides.get(truth, (value, value))
        sides[truth] = (min(low, value), max(high, value))
    if len(sides) != 2:
        return None
    (below, (_, top)), (above, (bottom, _)) = sorted(sides.items(), key=lambda side: side[1])
    if top >= bottom:
        return None
    return {"kind": "border", "below": [below, top], "above": [above, bottom]}
