"""Runs a features.py that is not on disk yet, on the rows of the file."""

import types

from .refusal import Refused

MAX_ROUNDS = 40
MAX_FAILING = 400


class Features:
    """A features.py by its text. pieces: the statements of the notebook in it, to tell where a failure comes from."""

    def __init__(self, text, learned, pieces=()):
        self.text, self.pieces = text, pieces
        self.module = types.ModuleType("levain_features")
        exec(compile(text, "<features.py>", "exec"), self.module.__dict__)
        self.module.LEARNED.update(learned)

    def __call__(self, rows):
        return self.module.features(rows)

    def place_of(self, error):
        """(cell, line, text) of the notebook's statement in which a failure came up."""
        step, at = error.__traceback__, None
        while step is not None:
            code = step.tb_frame.f_code
            if code.co_filename == "<features.py>" and code.co_name == "features":
                at = step.tb_lineno
            step = step.tb_next
        if at is None:
            return None, None, None
        lines = self.text.split("\n")
        start = next(i for i, line in enumerate(lines, 1) if line.startswith("def features("))
        for piece in self.pieces:
            if piece.first is not None and piece.first <= at - start <= piece.last:
                return piece.statement.cell, piece.statement.node.lineno, lines[at - 1].strip()
        return None, None, lines[at - 1].strip()


def run_over(features, raw):
    """(what features makes, positions of the rows that it took, {position: reason} of those that it refused)."""
    parts, refused, rounds = [], {}, 0
    pending = [(raw.reset_index(drop=True), list(range(len(raw))))]
    while pending:
        frame, known = pending.pop()
        try:
            made = features(frame)
        except Exception as error:
            # Halves of the file refuse their own rows; most of it at once should not do so over and over.
            rounds += 1 if getattr(error, "rows", None) and 2 * len(known) > len(raw) else 0
            if rounds > MAX_ROUNDS:
                raise Refused("the extracted statements refuse rows again and again: %s" % str(error)[:200])
            pending += _again(features, frame, known, error, refused)
            continue
        count = made.shape[0] if hasattr(made, "shape") else len(made)
        if count != len(known):
            raise Refused("the extracted statements make %d rows of %d" % (count, len(known)))
        parts.append((made, known))
    if not parts:
        raise Refused("every row of the file is refused: %s" % next(iter(refused.values())))
    return join([made for made, _ in parts]), [row for _, known in parts for row in known], refused


def _again(features, frame, known, error, refused):
    """What is left to try after a failure: without the rows that were named, else both halves."""
    rows = getattr(error, "rows", None)
    if rows:
        refused.update({known[at]: reason for at, reason in rows.items()})
        kept = [at for at in range(len(known)) if at not in rows]
        return [(frame.iloc[kept].reset_index(drop=True), [known[at] for at in kept])] if kept else []
    if len(known) == 1:
        refused[known[0]] = "%s: %s" % (type(error).__name__, str(error)[:300])
        if len(refused) > MAX_FAILING:
            raise _failure(features, error)
        return []
    if _fails_everywhere(features, frame):
        raise _failure(features, error)
    middle = len(known) // 2
    halves = ((0, middle), (middle, len(known)))
    return [(frame.iloc[low:high].reset_index(drop=True), known[low:high]) for low, high in halves]


def _fails_everywhere(features, frame):
    """Whether single rows of the beginning, the middle and the end fail too."""
    for at in sorted({0, len(frame) // 2, len(frame) - 1, len(frame) // 3}):
        try:
            features(frame.iloc[at : at + 1].reset_index(drop=True))
            return False
        except Exception as error:
            if getattr(error, "rows", None):
                return False
    return True


def _failure(features, error):
    cell, line, code = features.place_of(error)
    said = "%s: %s" % (type(error).__name__, str(error)[:300])
    return Refused("the extracted statements fail on the rows of the file: %s" % said, cell, line, code=code)


def join(parts):
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "iloc"):
        import pandas

        return pandas.concat(parts, ignore_index=True)
    if hasattr(parts[0], "tocsr"):
        from scipy import sparse

        return sparse.vstack(parts).tocsr()
    if isinstance(parts[0], list):
        return [row for part in parts for row in part]
    import numpy

    return numpy.concatenate([numpy.asarray(part) for part in parts])


def take(made, positions):
    """Some rows of what features gave."""
    if hasattr(made, "iloc"):
        return made.iloc[positions]
    if hasattr(made, "tocsr"):
        return made.tocsr()[positions]
    if isinstance(made, list):
        return [made[at] for at in positions]
    return made[positions]
