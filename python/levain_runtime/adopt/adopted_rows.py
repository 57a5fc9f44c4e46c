"""The notebook's own test rows of an adopted run, written as every later run of its step writes them."""

import os

from . import brought, testrows
from .wanted import is_of

MAX_TRUTHS = 12


def write(attempt, made, known, folder):
    """``levain/notebook_rows.json`` in the model's folder. made, known: what features.py makes of which raw rows."""
    raw, target = brought.whole_of(attempt)
    read = attempt.read
    fitted = fitted_of(attempt)
    features = (made, known)
    try:
        if not attempt.wanted.is_test:
            raise testrows.NotFound("the notebook measures its model on no rows of its own")
        found = _find(attempt, raw, target, features, fitted)
    except testrows.NotFound as error:
        found = testrows.nothing(str(error))
        if fitted is not None and target is not None:
            found["target"] = testrows.coding(raw, fitted, target, features)
    testrows.write(folder, found, read.path or os.path.basename(str(read.written)), len(raw))
    return found


def _find(attempt, raw, target, features, fitted):
    best, failure = None, None
    for y in truths_of(attempt):
        try:
            found = testrows.find(raw, attempt.wanted.X, y, target=target, features=features, fitted=fitted)
        except testrows.NotFound as error:
            failure = failure or error
            continue
        if found["target"]:
            return found
        best = best or found
    if best is None:
        raise failure
    return best


def fitted_of(attempt):
    """(X, y) of the model's last fit; None where it was not seen."""
    fits = [fit for fit in attempt.trace.fits if is_of(fit, attempt.model) and fit.X is not None]
    return (fits[-1].X, fits[-1].y) if fits else None


def truths_of(attempt):
    """Columns that may be the truth of the test rows, the surest first; None at the end."""
    event, total = attempt.wanted.event, testrows.row_count(attempt.wanted.X)
    measured = [m.y_true for m in reversed(attempt.trace.metrics) if m.order > event.order or m.estimator is attempt.model]
    found = [getattr(event, "y_true", None), *measured]
    return [y for y in found if y is not None and testrows.row_count(y) == total][:MAX_TRUTHS] + [None]
