"""Which column of the data as read the target of a fit came from, how it was coded, and the pairs of code and word."""

import re

from . import records as _r

MAX_ROWS = 200000
MAX_CODES = 200


class Target:
    """column: name in the raw frame; read: the Read; codes: {code in the model: [raw values]} for few values, else None; equal: the
    values are those of the file; certain: the rows were aligned and the values checked; how: a sentence."""

    def __init__(self, column, read, codes, kind, score, how):
        self.column, self.read, self.codes, self.score, self.how = column, read, codes, score, how
        self.equal, self.certain = kind == "equal", kind in ("equal", "pairs")

    def word_of(self, code):
        """The raw value that the model's code stands for; None where several are, or none."""
        words = next((words for known, words in (self.codes or {}).items() if plain(known) == plain(code)), [])
        return plain(words[0]) if len(words) == 1 else None


def find_target(trace, namespace, fit, features):
    """The best Target, or None."""
    y = full_target(trace, fit.y)
    series = as_series(y)
    if series is None or len(series) == 0 or len(series) > MAX_ROWS:
        return None
    mentioned = _mentioned(trace, fit, series.name if isinstance(series.name, str) else None)
    best = None
    for read in trace.reads:
        frame = frame_of(read)
        if frame is None or read.order > fit.order:
            continue
        for positions in alignments(series, frame, namespace):
            for number, column in enumerate(frame.columns):
                target = _compare(series, read, frame, number, positions, features, mentioned)
                if target is not None and (best is None or target.score > best.score):
                    best = target
    return best if best is not None and best.score >= 2 else None


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
            return y.iloc[:, 0] if y.shape[1] == 1 else pandas.Series(numpy.asarray(y).argmax(axis=1), index=y.index)
        if _r.is_series(y):
            return y
        values = numpy.asarray(y)
        if values.ndim == 2:
            values = values[:, 0] if values.shape[1] == 1 else values.argmax(axis=1)
        return pandas.Series(values) if values.ndim == 1 else None
    except Exception:
        return None


def alignments(series, frame, namespace):
    """Arrays of positions in the raw frame, one for each row of the series, the most trustworthy first."""
    numpy = _r.module("numpy")
    found = []
    if frame.index.is_unique and not _r._is_range(series.index):
        found.append(_positions(series.index, frame.index))
    if len(series) == len(frame):
        found.append(numpy.arange(len(frame)))
    if frame.index.is_unique:
        for value in list(namespace.values()):
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


def _compare(series, read, frame, number, positions, features, mentioned):
    column, raw = frame.columns[number], frame.iloc[:, number].iloc[positions]
    relation = _relation(raw, series)
    if relation is None:
        return None
    kind, codes = relation
    score = {"equal": 3.0, "pairs": 2.0, "rank": 2.0, "steps": 2.0, "groups": 1.0}[kind]
    name = series.name if isinstance(series.name, str) else None
    score += 2 if name is not None and _folded(name) == _folded(column) else 0
    score += 1 if str(column) in mentioned else 0
    score -= 2.5 if str(column) in features else 0
    score += 0.1 if number == frame.shape[1] - 1 else 0
    how = {
        "equal": "the target holds the values of column %r",
        "pairs": "each value of column %r has its own code in the target",
        "rank": "the target follows column %r in order",
        "steps": "the target cuts column %r into ranges",
        "groups": "the target groups the values of column %r",
    }[kind] % str(column)
    return Target(column, read, codes, kind, score, how)


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


def _mentioned(trace, fit, name):
    """Texts and attributes in lines up to the fit that make a target: that bind y, or the column that y is named after."""
    binds = [r"(?:\w+\s*,\s*)?(?:y\w*|Y\w*|target\w*|label\w*)\s*(?:,.*)?=(?!=)"]
    if name:
        binds.append(r".*(?:\[\s*[\"']%s[\"']\s*\]|\.%s)\s*=(?!=)" % (re.escape(name), re.escape(name)))
    pattern = re.compile(r"\s*(?:%s)" % "|".join(binds))
    texts = set()
    for run in trace.cells:
        if run.started is not None and run.started <= fit.order:
            for line in run.source.splitlines():
                if pattern.match(line):
                    texts.update(re.findall(r"""["']([^"'\n]+)["']""", line))
                    texts.update(re.findall(r"\.([A-Za-z_]\w*)", line))
    return texts


def _folded(name):
    return re.sub(r"[\W_]+", "", str(name)).lower()


def plain(value):
    value = value.item() if hasattr(value, "item") and getattr(value, "ndim", 0) == 0 else value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
