"""Columns of the file that do not reach the model: raw rows need not hold them."""

import numpy

from .match import matrix_of
from .refusal import Refused
from .run import run_over

MAX_SAMPLE = 250
MAX_FEW, MAX_GUESSED = 20, 40000


def find(attempt):
    """{column: placeholder}; the target is always among them, or the attempt is refused."""
    features = attempt.features()
    table = features.module.__dict__.get("UNUSED")
    if table is None:
        return {}
    tester = Tester(features, attempt)
    if tester.expected is None:
        raise Refused("the extracted statements fail on some rows of the file alone: %s" % tester.failure, *tester.place)
    for name in list(table):
        if not tester.is_unused([name], always=True):
            raise Refused(
                "what the model is given depends on %s itself, which raw rows do not hold" % name,
                attempt.wanted.site.cell, hint="Prepare the features without the target column.",
            )  # fmt: skip
    given = list(attempt.unused)
    others = [name for name in attempt.raw.columns if name not in given]
    guessed = tester.guess(others)
    if guessed is None or (guessed and not tester.is_unused(guessed)):
        guessed = tester.search(others)
    found = given + guessed
    return {name: tester.first[name] for name in attempt.raw.columns if name in found}


class Tester:
    def __init__(self, features, attempt):
        self.features, self.base = features, {}
        self.given = dict(features.module.UNUSED)
        known = attempt.known
        step = max(1, len(known) // MAX_SAMPLE)
        self.frame = attempt.raw.iloc[known[::step]].reset_index(drop=True)
        self.first, self.second, self.failure, self.place = {}, {}, None, (None, None)
        for name in attempt.raw.columns:
            values = [v for v in attempt.raw[name].tolist()[:5000] if v == v and v is not None]
            self.first[name] = _plain(values[0]) if values else None
            self.second[name] = _other(values)
        self.expected = self._made({})

    def _made(self, placeholders):
        self.features.module.UNUSED.clear()
        self.features.module.UNUSED.update(self.given)
        self.features.module.UNUSED.update(placeholders)
        try:
            return matrix_of(self.features(self.frame))
        except Exception as error:
            self.failure, self.place = "%s: %s" % (type(error).__name__, str(error)[:300]), self.features.place_of(error)[:2]
            return None
        finally:
            self.features.module.UNUSED.clear()
            self.features.module.UNUSED.update(self.given)

    def is_unused(self, names, always=False):
        for values in (self.first, self.second):
            if any(values[name] is None for name in names):
                if always:
                    continue
                return False
            if not same(self._made({name: values[name] for name in names}), self.expected):
                return False
        return True

    def guess(self, names):
        """Columns that make no difference one by one, asked for all at once: a few rows for each column, with another value there.
        None where that cannot be told."""
        import pandas

        few = self.frame.iloc[:: max(1, len(self.frame) // MAX_FEW)].reset_index(drop=True)
        if len(names) * len(few) * 2 > MAX_GUESSED or any(self.second[name] is None for name in names):
            return None
        blocks = [few]
        for name in names:
            for values in (self.first, self.second):
                block = few.copy()
                block[name] = pandas.Series([values[name]] * len(few), dtype=few[name].dtype)
                blocks.append(block)
        try:
            made, known, _ = run_over(self.features, pandas.concat(blocks, ignore_index=True))
        except Exception:
            return None
        count, made, place = len(few), matrix_of(made), {row: at for at, row in enumerate(known)}
        parts = []
        for block in range(len(blocks)):
            rows = [place.get(row) for row in range(block * count, (block + 1) * count)]
            parts.append(None if None in rows else made[rows])
        return [name for at, name in enumerate(names) if same(parts[0], parts[1 + 2 * at]) and same(parts[0], parts[2 + 2 * at])]

    def search(self, names):
        """Halves until each group is all unused or one needed column."""
        if not names:
            return []
        if self.is_unused(names):
            return names
        if len(names) == 1:
            return []
        middle = len(names) // 2
        found = self.search(names[:middle])
        return found + self.search(names[middle:])


def same(a, b):
    if a is None or b is None or a.shape != b.shape:
        return False
    if hasattr(a, "tocsr") or hasattr(b, "tocsr"):
        return abs(a - b).nnz == 0
    if a.dtype == object or b.dtype == object:
        return all(x == y or (x != x and y != y) for x, y in zip(a.ravel().tolist(), b.ravel().tolist()))
    return bool(numpy.array_equal(a, b) or ((a == b) | (numpy.isnan(a) & numpy.isnan(b))).all())


def _plain(value):
    return value.item() if hasattr(value, "item") and not isinstance(value, str) else value


def _other(values):
    """Another value than the first: the rarest kind of thing that is there."""
    counts = {}
    for value in values:
        try:
            counts[value] = counts.get(value, 0) + 1
        except TypeError:
            return None
    others = [value for value in counts if values and value != values[0]]
    return _plain(min(others, key=lambda value: counts[value])) if others else (_plain(values[0]) if values else None)
