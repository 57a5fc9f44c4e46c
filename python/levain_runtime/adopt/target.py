"""Which column of the data as read the target of a fit came from, how it was coded, and the pairs of code and word."""

import re

from . import records as _r
from .lineage import lineage_of

MAX_ROWS = 200000
MAX_CODES = 200
#: Fewer rows have equal values by chance.
MIN_ROWS = 20
HOW = {
    "equal": "the target holds the values of column %r",
    "pairs": "each value of column %r has its own code in the target",
    "rank": "the target follows column %r in order",
    "steps": "the target cuts column %r into ranges",
    "groups": "the target groups the values of column %r",
}
KINDS = list(HOW)


class Target:
    """column: name in the raw frame; read: the Read; codes: {code in the model: [raw values]} for few values, else None; equal: the
    values are those of the file; certain: the values were compared row by row; how: a sentence."""

    def __init__(self, column, read, codes, kind, how):
        self.column, self.read, self.codes, self.kind, self.how = column, read, codes, kind, how
        self.equal, self.certain = kind == "equal", kind in ("equal", "pairs")

    def word_of(self, code):
        """The raw value that the model's code stands for; None where several are, or none."""
        words = next((words for known, words in (self.codes or {}).items() if plain(known) == plain(code)), [])
        return plain(words[0]) if len(words) == 1 else None


def find_target(trace, namespace, fit, features):
    """(Target or None, why there is none: a sentence or None).

    A column is the target where the statements that made y lead to it alone, or where y holds its values row by row (its own name,
    the same values, a code for each value or the same order) and no other column's. Else nobody is told a target.
    """
    y = fit.y
    if y is None:
        return None, None
    full = full_target(trace, y)
    series = as_series(full)
    if series is None or len(series) == 0:
        return None, "the model learns several targets at once, or none that has a value for each row"
    reads = [(read, frame) for read, frame in ((read, frame_of(read)) for read in trace.reads if read.order <= fit.order) if frame is not None]
    if not reads:
        return None, "no data was read whose columns could hold the target"
    known = {str(column) for _, frame in reads for column in frame.columns}
    lineage = lineage_of(trace, namespace, fit, [y, full], known)
    if lineage.moved:
        return None, "its target takes values of other rows (%s), so no column of the data holds it" % lineage.moved
    seen = _Seen(reads, series, fit, namespace)
    if lineage.columns and len(lineage.columns) == 1:
        return _by_text(lineage, seen, features)
    if lineage.columns:
        return _one_of(seen, lineage.columns)
    return _by_values(seen, features)


def _by_text(lineage, seen, features):
    """The statements lead to one column; the values tell how it was coded."""
    column = next(iter(lineage.columns))
    found = seen.first(column)
    if found is not None:
        return found, None
    read, raw = seen.column(column)
    if raw is not None and not lineage.loose:
        words = set(map(plain, raw.dropna().unique()[: MAX_CODES + 1]))
        codes = set(map(plain, seen.series.dropna().unique()[: MAX_CODES + 1]))
        how = "the statements that make the target lead to column %r alone" % column
        if lineage.exact and codes == words and len(codes) <= MAX_CODES:
            return Target(column, read, {code: [code] for code in codes}, "same", how), None
        # A function of a column has no more values than the column, but for filled gaps. Codes that are words of the file as well
        # could be taken for them.
        many = len(codes) > MAX_CODES
        if len(codes) <= len(words) + 1 and (many or not {str(code) for code in codes} & {str(word) for word in words}):
            return Target(column, read, None, "text", how), None
    found = _by_values(seen, features)[0]
    why = "its target seems to come from column %r, but its rows could not be found in the data to prove how it is written" % column
    return found, None if found is not None else why


def _one_of(seen, columns):
    """The target was made of several columns: it is one of them only where it holds its values."""
    found = [target for target in map(seen.first, sorted(columns)) if target is not None and target.kind in ("equal", "pairs")]
    if len(found) == 1:
        return found[0], None
    return None, "its target is made of several columns (%s), so none of them alone is it" % ", ".join(sorted(columns)[:6])


def _by_values(seen, features):
    """Where the statements were not understood: by name and values, else by values that no chance gives."""
    every = seen.all()
    name = seen.series.name if isinstance(seen.series.name, str) else None
    own = [t for t in every if name is not None and _folded(name) == _folded(t.column)]
    enough = len(seen.series) >= MIN_ROWS
    for tier in (
        [t for t in own if t.kind == "equal"],
        own,
        [t for t in every if enough and t.kind == "equal"],
        [t for t in every if enough and t.kind in ("pairs", "rank") and str(t.column) not in features],
    ):
        columns = {str(t.column) for t in tier}
        apart = columns - features
        if len(columns) > 1 and len(apart) == 1:
            columns = apart
        if len(columns) == 1:
            return next(t for t in tier if str(t.column) in columns), None
        if columns:
            return None, "columns %s of the data fit its target equally well" % " and ".join(sorted(columns)[:6])
    return None, "which column of the data its target comes from could not be proven"


class _Seen:
    """What the values of y say about the columns that were read."""

    def __init__(self, reads, series, fit, namespace):
        self.reads, self.series = reads, series
        small = len(series) <= MAX_ROWS
        self.aligned = [(read, frame, alignments(series, frame, namespace, fit.X)) for read, frame in reads] if small else []

    def column(self, column):
        """(Read, raw values) of the file with the most rows that has the column."""
        having = [(len(frame), read, frame.iloc[:, at]) for read, frame in self.reads for at, name in enumerate(frame.columns) if str(name) == column]
        return max(having, key=lambda found: found[0])[1:] if having else (None, None)

    def first(self, column):
        """The best relation to one column; equal values before codes."""
        found = [target for target in self.all(column)]
        return min(found, key=lambda target: KINDS.index(target.kind)) if found else None

    def all(self, column=None):
        found = []
        for read, frame, places in self.aligned:
            for positions in places:
                for number, name in enumerate(frame.columns):
                    if column is None or str(name) == column:
                        raw = frame.iloc[:, number].iloc[positions]
                        target = _related(name, read, raw, self.series) if column is not None or not _numbers_rows(raw) else None
                        if target is not None:
                            found.append(target)
        return found


def frame_of(read):
    """The frame as read; rows and target of a library's own data set as one frame; None where there are no rows."""
    pandas, value = _r.module("pandas"), read.value
    if read.frame is not None or pandas is None:
        return read.frame
    try:
        if isinstance(value, dict) and "data" in value and "target" in value:
            data, truth, names = value["data"], value["target"], value.get("feature_names")
        elif isinstance(value, tuple) and len(value) == 2 and _r.is_data(value[0]):
            (data, truth), names = value, None
        else:
            return None
        frame = pandas.DataFrame(data) if _r.is_frame(data) else pandas.DataFrame(data, columns=names if names is not None and len(names) else None)
        return frame.assign(target=getattr(truth, "values", truth))
    except Exception:  # pictures, texts and targets of several columns
        return None


def full_target(trace, y):
    """The target before it was split, as far as splits were seen."""
    for split in reversed(trace.splits):
        for source, (train, test) in zip(split.inputs, split.parts):
            if y is train:
                y = source
                break
    return y


def as_series(y):
    """A pandas Series of a target: one column, an array, a list; one-hot rows become their position."""
    pandas, numpy = _r.module("pandas"), _r.module("numpy")
    if pandas is None or y is None:
        return None
    try:
        if _r.is_frame(y):
            return y.iloc[:, 0] if y.shape[1] == 1 else _from_one_hot(numpy.asarray(y), y.index)
        if _r.is_series(y):
            return y
        values = numpy.asarray(y)
        if values.ndim == 2:
            if values.shape[1] > 1:
                return _from_one_hot(values)
            values = values[:, 0]
        return pandas.Series(values) if values.ndim == 1 else None
    except Exception:
        return None


def _from_one_hot(values, index=None):
    """The position of the one in each row; None for several targets."""
    numpy, pandas = _r.module("numpy"), _r.module("pandas")
    numbers = values.astype("float64")
    if not (numpy.isin(numbers, (0, 1)).all() and (numbers.sum(axis=1) == 1).all()):
        return None
    return pandas.Series(numbers.argmax(axis=1), index=index)


def alignments(series, frame, namespace, X=None):
    """Arrays of positions in the raw frame, one for each row of the series, the most trustworthy first."""
    numpy = _r.module("numpy")
    found = []
    labels = _r.index_of(X)
    if labels is not None and len(labels) == len(series) and frame.index.is_unique and not _r._is_range(labels):
        found.append(_positions(labels, frame.index))
    if frame.index.is_unique and not _r._is_range(series.index):
        found.append(_positions(series.index, frame.index))
    if len(series) == len(frame):
        found.append(numpy.arange(len(frame)))
    if frame.index.is_unique:
        for value in list(namespace.values()) if _r._is_range(series.index) else ():
            if _r.is_frame(value) and len(value) == len(series) and not _r._is_range(value.index):
                found.append(_positions(value.index, frame.index))
        for fewer in (lambda: frame.dropna(), lambda: frame.drop_duplicates()):
            try:
                part = fewer()
            except TypeError:  # cells that do not hash
                continue
            if len(part) == len(series) and len(part) != len(frame):
                found.append(_positions(part.index, frame.index))
    if frame.index.is_unique and _r._is_range(series.index) and len(series) < len(frame):
        found.append(_positions(series.index, frame.index))
    distinct = []
    for positions in found:
        if positions is not None and not any(numpy.array_equal(positions, other) for other in distinct):
            distinct.append(positions)
    return distinct[:8]


def _positions(labels, index):
    try:
        positions = index.get_indexer(labels)
    except Exception:
        return None
    return positions if len(positions) and (positions >= 0).all() else None


def _related(column, read, raw, series):
    relation = _relation(raw, series)
    if relation is None:
        return None
    kind, codes = relation
    return Target(column, read, codes, kind, HOW[kind] % str(column))


def _numbers_rows(raw):
    """A column that only counts the rows, or says the same of all."""
    numpy = _r.module("numpy")
    if raw.nunique(dropna=False) < 2:
        return True
    steps = numpy.diff(numpy.sort(raw.values)) if raw.dtype.kind in "iu" and len(raw) > 2 else None
    return steps is not None and bool((steps == steps[0]).all()) and bool(steps[0] != 0)


def _relation(raw, series):
    """('equal' | 'pairs' | 'rank' | 'steps' | 'groups', codes or None) of raw values and target values row by row, or None."""
    numpy, pandas = _r.module("numpy"), _r.module("pandas")
    try:
        one, other = raw.reset_index(drop=True), series.reset_index(drop=True)
        numeric = one.dtype.kind in "biuf" and other.dtype.kind in "biuf"
        if numeric:
            one, other = one.astype("float64"), other.astype("float64")
            equal = numpy.isclose(one, other, rtol=1e-9, atol=0, equal_nan=True)
        else:
            equal = (one.astype(object) == other.astype(object)).values | (one.astype(str) == other.astype(str)).values
        distinct = other.nunique()
        if equal.all() and distinct > 1:
            return "equal", _codes(one, other) if distinct <= MAX_CODES else None
        raws = one.nunique(dropna=False)
        if raws <= max(MAX_CODES, 2) and raws * 2 <= len(one) and distinct > 1:
            codes = _codes(one, other)
            if codes is not None:
                return ("pairs" if raws == len(codes) else "groups"), codes
        if numeric and distinct > 20 and one.rank().equals(other.rank()):
            return "rank", None
        if numeric and 2 <= distinct <= 10 and len(one) >= 30 and _are_ranges(one, other):
            return "steps", None
    except Exception:
        return None
    return None


def _are_ranges(raw, series):
    """Whether each code covers a range of the raw values that meets no other code's."""
    bounds = sorted((part.min(), part.max()) for _, part in raw.groupby(series.values))
    return all(earlier[1] < later[0] for earlier, later in zip(bounds, bounds[1:]))


def _codes(raw, series):
    """{code: [raw values]} where every raw value has one code, else None."""
    pandas = _r.module("pandas")
    pairs = pandas.DataFrame({"raw": raw.astype(object).where(raw.notna(), None), "code": series.astype(object)}).drop_duplicates()
    codes, seen = {}, set()
    for word, code in zip(pairs["raw"], pairs["code"]):
        if str(word) in seen:
            return None
        seen.add(str(word))
        codes.setdefault(code, []).append(word)
    return codes


def _folded(name):
    return re.sub(r"[\W_]+", "", str(name)).lower()


def plain(value):
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
