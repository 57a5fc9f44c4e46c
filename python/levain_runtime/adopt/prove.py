"""Proves a features.py in a fresh process, on the path that serves: ``python -m levain_runtime.adopt.prove OUT_DIR`` writes proof.json.

The raw rows, as a gateway sends them, through features.py and the model give the notebook's own answers: all rows of the file at
once, its test rows seven at a time, some of them alone, in another order, without the columns that are said not to matter, and
with other values in them. Rows that are refused on the way are counted; no test row may be among them. Every test row is asked for at
least once; the rest is bounded by what it costs, which is measured first: a model may take seconds for what others do at once.
"""

import json
import math
import os
import pickle
import random
import sys
import time
import warnings

MAX_ROWS = 20000
MAX_SEVENS = 1400
MAX_ALONE = 200
MAX_CONSISTENT = 50
SEVEN = 7
#: What each check may cost beyond its least number of rows.
SECONDS_AT_ONCE, SECONDS_IN_PARTS = 5.0, 1.5
MIN_ALONE, MIN_PARTS, MIN_AT_ONCE = 20, 10, 200
#: Rows of the two batches whose difference tells what one more row costs.
FEW, MORE = 50, 500
RELATIVE, ABSOLUTE = 1e-6, 1e-9


def main(argv=None):
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        raise SystemExit("usage: python -m levain_runtime.adopt.prove OUT_DIR")
    out_dir, started = arguments[0], time.perf_counter()
    warnings.simplefilter("ignore")
    try:
        proof = prove(out_dir)
    except Exception as error:  # user code and objects decide what they may raise
        proof = {"ok": False, "reason": "%s: %s" % (type(error).__name__, error)}
    proof["seconds"] = round(time.perf_counter() - started, 3)
    path = os.path.join(out_dir, "proof.json")
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(proof, file, ensure_ascii=False)
    os.replace(path + ".tmp", path)
    return 0 if proof["ok"] else 1


class Failed(Exception):
    pass


def prove(out_dir):
    with open(os.path.join(out_dir, "proof.pkl"), "rb") as file:
        kept = pickle.load(file)
    prover = Prover(out_dir, kept)
    try:
        checks = prover.run()
    except Failed as failed:
        return {"ok": False, "reason": str(failed), "checks": prover.checks}
    return {"ok": True, "reason": None, "checks": checks, "testRows": len(kept["rows"]), "refused": prover.refused}


class Prover:
    def __init__(self, out_dir, kept):
        from ..models import Loaded

        features = os.path.join(out_dir, "features.py")
        self.has_features = os.path.isfile(features)
        self.loaded = Loaded(features if self.has_features else None, os.path.join(out_dir, "model"))
        self.module = sys.modules.get("levain_features") if self.has_features else None
        learned = os.path.join(out_dir, "model", "levain", "learned.pkl")
        if self.module is not None and os.path.isfile(learned):
            with open(learned, "rb") as file:
                self.module.LEARNED.update(pickle.load(file))
        self.raw, self.rows, self.answers = kept["raw"], [int(row) for row in kept["rows"]], kept["answers"]
        self.unused, self.keeps, self.noise = kept["unused"], kept.get("columns"), 2 * kept.get("noise", 0.0)
        self.checks, self.refused = [], 0
        self.table = columns_of(self.raw if self.keeps is None else self.raw[self.keeps])

    def run(self):
        wanted = dict(zip(range(len(self.rows)), self.rows))
        alone, row = self._costs()
        every = self._every(row)
        whole, errors = self._ask(every, False)
        self.refused = len(errors)
        at = {row: place for place, row in enumerate(every)}
        self._compare("all %d rows at once" % len(every) if len(every) == len(self.raw) else "%d rows of %d at once" % (len(every), len(self.raw)), whole, errors, [(at[row], n) for n, row in wanted.items()])
        sevens = self._sample(SEVEN * _fitting(alone, MIN_PARTS, MAX_SEVENS // SEVEN))
        for start in range(0, len(sevens), SEVEN):
            part = sevens[start : start + SEVEN]
            self._small("test rows seven at a time", [wanted[n] for n in part], part)
        for n in self._sample(_fitting(alone, MIN_ALONE, MAX_ALONE)):
            self._small("test rows alone", [wanted[n]], [n])
        self._consistent(whole, errors, every, _fitting(alone, MIN_PARTS, MAX_CONSISTENT))
        again = self._sample(_fitting(row, MIN_AT_ONCE, len(self.rows), SECONDS_AT_ONCE))
        self._small("test rows in another order", [wanted[n] for n in reversed(again)], again[::-1])
        if self.unused and self.has_features:
            self._small("other values in columns that do not matter", [wanted[n] for n in again], again, True)
        return self.checks

    def _costs(self):
        """Seconds of one row alone, and of one more row in a batch. The first of all questions loads what is loaded late."""
        first = self.rows[:1]
        self._timed(first)
        alone, few = self._timed(first), self._timed(self.rows[:FEW])
        count = min(MORE, len(self.rows)) - FEW
        if count < FEW or few > 1.0:
            return alone, few / max(1, len(self.rows[:FEW]))
        return alone, max(0.0, self._timed(self.rows[:MORE]) - few) / count

    def _timed(self, rows):
        started = time.perf_counter()
        self._ask(rows, False)
        return time.perf_counter() - started

    def _every(self, cost):
        """Every row of the file, or every test row and as many others, drawn by a seed, as may be asked for."""
        count, chosen = len(self.raw), sorted(set(self.rows))
        limit = _fitting(cost, len(chosen) + MIN_AT_ONCE, MAX_ROWS, SECONDS_AT_ONCE)
        if count <= limit:
            return list(range(count))
        taken = set(chosen)
        others = [row for row in range(count) if row not in taken]
        return sorted(chosen + random.Random(0).sample(others, min(len(others), max(0, limit - len(chosen)))))

    def _sample(self, limit):
        count = len(self.rows)
        if count <= limit:
            return list(range(count))
        return sorted({int(n * count / limit) for n in range(limit)})

    def _ask(self, rows, with_unused):
        columns = []
        for name, kind, values in self.table:
            if name in self.dropped and not with_unused:
                continue
            cells = [values[row] for row in rows] if isinstance(values, list) else values[rows]
            columns.append((name, kind, cells[::-1] if name in self.dropped else cells))
        results, errors = self.loaded.run("both" if self.has_features else "model", columns, len(rows))
        return dict(results), {row: message for row, _, message in errors}

    @property
    def dropped(self):
        return {str(name) for name in self.unused}

    def _small(self, check, rows, answers, with_unused=False):
        said, errors = self._ask(rows, with_unused)
        self._compare(check, said, errors, list(zip(range(len(rows)), answers)))

    def _compare(self, check, said, errors, pairs):
        for place, n in pairs:
            if place in errors:
                raise Failed("%s: test row %d (row %d of the file) is refused: %s" % (check, n, self.rows[n], errors[place]))
            answer, truth = said["predict"][place], self.answers["predict"][n]
            if not same(answer, truth, self.noise):
                raise Failed("%s: test row %d (row %d of the file) gets %r, the notebook said %r" % (check, n, self.rows[n], answer, truth))
        self._compare_scores(check, said, pairs)
        if check not in self.checks:
            self.checks.append(check)

    def _compare_scores(self, check, said, pairs):
        scores = [cells for name, cells in said.items() if name.startswith("predict_proba:")]
        truth = self.answers.get("proba")
        if not scores or truth is None or getattr(truth, "ndim", 0) != 2 or truth.shape[1] != len(scores):
            return
        for place, n in pairs:
            for k, cells in enumerate(scores):
                if not same(cells[place], float(truth[n, k])):
                    raise Failed("%s: test row %d scores %r, the notebook said %r" % (check, n, cells[place], float(truth[n, k])))

    def _consistent(self, whole, errors, every, limit):
        """Rows of the file alone get what they get among all others."""
        step = max(1, -(-len(every) // limit))
        for place in range(0, len(every), step):
            said, failed = self._ask([every[place]], False)
            if bool(failed) != (place in errors):
                raise Failed("row %d of the file is refused alone but not among others, or the other way round: %s" % (every[place], failed or errors.get(place)))
            if not failed and not same(said["predict"][0], whole["predict"][place], self.noise):
                raise Failed("row %d of the file gets %r alone and %r among others" % (every[place], said["predict"][0], whole["predict"][place]))
        self.checks.append("rows of the file alone and among others")


def _fitting(cost, least, most, seconds=SECONDS_IN_PARTS):
    """How many may be asked for, at so many seconds each."""
    return most if cost * most <= seconds else min(most, max(least, int(seconds / cost)))


def columns_of(raw):
    """Raw rows as (name, kind, cells), as they come over the worker's socket: whole numbers as floats, gaps as null, dates as text."""
    from ..frames import to_cells
    from ..golden import _kind, _values

    found = []
    for name in raw.columns:
        column = raw[name]
        if getattr(column.dtype, "kind", "O") == "M":
            cells = [None if cell != cell else cell.isoformat() for cell in column.tolist()]
        else:
            cells = to_cells(column)
        values = _values(cells)
        found.append((str(name), _kind(cells), values if hasattr(values, "dtype") else list(values)))
    return found


def same(a, b, noise=0.0):
    a, b = (value.item() if hasattr(value, "item") else value for value in (a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        if a != a or b != b:
            return a != a and b != b
        return math.isclose(float(a), float(b), rel_tol=RELATIVE, abs_tol=ABSOLUTE + noise)
    return a == b or str(a) == str(b)


if __name__ == "__main__":
    raise SystemExit(main())
