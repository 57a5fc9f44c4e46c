"""How a notebook writes the target that the file holds: words as numbers, a logarithm, two sides of a border."""

import math

from . import rowkeys

# A target with more values than these has no words for its classes.
MAX_CLASSES = 1000


class Coding:
    """What the raw target's values are in the notebook's own coding, learned from the rows that are sure."""

    def __init__(self, raw, target, truths):
        has_target = target is not None and target in raw.columns
        self.raw = [same_cell(value) for value in raw[target].tolist()] if has_target else None
        self.truths = truths
        self.target = target
        self.fitted = []
        self.words = None

    def learn_fitted(self, file, known, fitted):
        """Pairs by the training rows that stand in one place of the file."""
        self.fitted = []
        y = fitted[1] if fitted is not None else None
        if self.raw is None or known is None or y is None:
            return
        truths = truths_of(y, len(known))
        # Fewer are alike by chance: other columns, or rows that were made up.
        if truths is None or 2 * int((file.spans(known)[1] > 0).sum()) < len(known):
            return
        pairs = [(self.raw[row], truths[at]) for at, row in enumerate(file.only(known).tolist()) if row >= 0]
        self.fitted = pairs if is_mapping(pairs) else []

    def learn(self, found):
        """The mapping by the rows with one place; None where it is no mapping."""
        self.words = None
        if self.raw is None:
            return
        pairs = list(self.fitted)
        if self.truths is not None:
            pairs += [(self.raw[row], self.truths[at]) for at, row in enumerate(found) if row is not None]
        self.words = dict(pairs) if pairs and is_mapping(pairs) else None

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


def is_mapping(pairs):
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


def truths_of(y, total):
    if y is None:
        return None
    y = rowkeys.plain(y)
    values = y.to_numpy() if hasattr(y, "to_numpy") else y
    values = values.tolist() if hasattr(values, "tolist") else list(values)
    values = [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]
    if len(values) != total or any(isinstance(value, list) for value in values):
        return None
    return [same_cell(value) for value in values]


def same_cell(value):
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


