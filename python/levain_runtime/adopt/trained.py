"""Whether features.py gives the rows that the model learned from the answers that the notebook's own gave them.

Test rows prove features.py. Training rows that a notebook prepares otherwise (means of their own, values cut off, a scaler fitted
to the test rows) say that the model is asked about other numbers than it learned from: worth a sentence, not a refusal.
"""

from . import records as _r
from .match import labels_of
from .run import take
from .wanted import is_of

MAX_ROWS = 5000
MIN_ROWS = 20


def trained_facts(attempt, made, known, rows, ask, equal):
    """{"trainedAlike": n, "trainedRows": of how many} of the training rows whose place in the file is sure; None where none is.
    rows: the raw row of each test row."""
    fits = [fit for fit in attempt.trace.fits if is_of(fit, attempt.model)]
    if not fits or not attempt.wanted.is_test:
        return None
    X, places = fits[-1].X, {row: at for at, row in enumerate(known)}
    labels, tested = labels_of(X), labels_of(attempt.wanted.X)
    if not _name_rows(labels, tested, rows, len(attempt.raw)) or _r.fingerprint(X) != fits[-1].X_print:
        return None
    chosen = [at for at, label in enumerate(labels) if label in places]
    chosen = chosen[:: max(1, -(-len(chosen) // MAX_ROWS))]
    if len(chosen) < MIN_ROWS:
        return None
    say = _probabilities if _probabilities(attempt.model, take(X, chosen[:2])) is not None else ask
    ours, theirs = say(attempt.model, take(made, [places[labels[at]] for at in chosen])), say(attempt.model, take(X, chosen))
    alike = sum(1 for at in range(len(chosen)) if equal(ours[at : at + 1], theirs[at : at + 1]))
    return {"trainedAlike": alike, "trainedRows": len(chosen)}


def _probabilities(model, X):
    """Labels alone hide much."""
    try:
        return _numpy(model.predict_proba(X))
    except Exception:  # none, or SVC without probability=True
        return None


def _numpy(values):
    return values.to_numpy() if hasattr(values, "to_numpy") else values


def _name_rows(labels, tested, rows, count):
    """Labels of an index are positions in the file where those of all test rows are, and no training row is one of them."""
    if labels is None or tested is None or len(tested) != len(rows) or len(rows) < MIN_ROWS or list(tested) != list(rows):
        return False
    return len(set(labels)) == len(labels) and min(labels) >= 0 and max(labels) < count and not set(labels) & set(tested)


def trained_notes(found):
    if not found or found["trainedAlike"] == found["trainedRows"]:
        return []
    told = (found["trainedRows"] - found["trainedAlike"], found["trainedRows"])
    return ["%d of %d training rows get another answer than in the notebook, which prepares them otherwise than its test rows; served rows are prepared as the test rows are." % told]
