"""What the recorder keeps of calls: rows as they were given, who was asked, and which of them are one model."""

import ast
import pickle

from .records import copy_of, is_array, is_data, is_frame, is_series, is_sparse
from .rowkeys import row_count

MAX_KEPT_BYTES = 256 << 20


class Call:
    """One running call of an instrumented site."""

    __slots__ = ("site", "receiver", "args")

    def __init__(self, site):
        self.site, self.receiver, self.args = site, None, {}


class Prediction:
    def __init__(self, receiver, site, X, y, text):
        self.receiver, self.site, self.X, self.y, self.text = receiver, site, X, y, text


def rows_of(args, names):
    for name in names + (0, 1):
        value = args.get(name)
        if value is not None and not isinstance(value, (str, bytes, dict)) and row_count(value) > 0:
            return value
    return None


def truth_of(args):
    return args["y"] if args.get("y") is not None else args.get(1)


def keep(value):
    if value is None:
        return None
    if is_data(value):
        return copy_of(value) if _bytes(value) <= MAX_KEPT_BYTES else None
    if callable(getattr(value, "num_row", None)):
        return value  # a DMatrix: not changed in place
    return list(value) if isinstance(value, (list, tuple)) else None


def _bytes(value):
    if is_frame(value):
        return int(value.memory_usage(deep=False).sum())
    return int(getattr(value, "nbytes", 0) or 0) if not is_sparse(value) else int(value.nnz) * 16


def equal(a, b):
    if a is b:
        return True
    if type(a) is not type(b) or row_count(a) != row_count(b):
        return False
    try:
        if is_frame(a) or is_series(a):
            return bool(a.equals(b))
        if is_array(a):
            return a.shape == b.shape and bool((a == b).all())
        return a == b if isinstance(a, list) else False
    except Exception:
        return False


def is_column(value, total):
    shape = getattr(value, "shape", None)
    return row_count(value) == total and (shape is None or len(shape) == 1 or shape[1] == 1)


def of_model(model, pairs):
    """What belongs to the object itself or to what a search found in it; else to copies that were saved and loaded again."""
    own = [value for one, value in pairs if _is_same(one, model)]
    if own:
        return own
    alike = [(one, value) for one, value in pairs if type(one) is type(model)]
    text = _bytes_of(model) if alike else None
    return [value for one, value in alike if text is not None and _bytes_of(one) == text]


def _is_same(a, b):
    found = [getattr(one, "best_estimator_", None) for one in (a, b)]
    return a is b or (a is not None and found[1] is a) or (b is not None and found[0] is b)


def _bytes_of(model):
    try:
        return pickle.dumps(model, 4)
    except Exception:
        return None


def argument_text(site):
    """The first argument as it is written: the name of the test rows."""
    node = site.node
    first = node.args[0] if node.args else None
    while isinstance(first, ast.Call) and len(first.args) == 3:  # the hook around it
        first = first.args[2]
    return first.id if isinstance(first, ast.Name) else None
