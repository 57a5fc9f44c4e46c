"""What went into a call and what came out: rows, indexes, kinds, bounded copies and fingerprints.

Nothing here imports a library of the user's: what is not loaded cannot be in a value.
"""

import copy
import hashlib
import pickle
import sys

MAX_COPY_BYTES = 8 << 20
MAX_FITTED_BYTES = 64 << 20
MAX_INDEX_ROWS = 2000000
SCALARS = (str, bytes, int, float, complex, bool, type(None))


def module(name):
    return sys.modules.get(name)


def is_frame(value):
    pandas = module("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, "DataFrame", ()))


def is_series(value):
    pandas = module("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, "Series", ()))


def is_index(value):
    pandas = module("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, "Index", ()))


def is_array(value):
    numpy = module("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, "ndarray", ())) and value.ndim > 0


def is_sparse(value):
    return type(value).__module__.startswith("scipy.sparse") and hasattr(value, "shape")


def is_extension(value):
    """pandas.Categorical and other extension arrays."""
    pandas = module("pandas")
    extensions = getattr(getattr(pandas, "api", None), "extensions", None)
    return extensions is not None and isinstance(value, getattr(extensions, "ExtensionArray", ()))


def is_data(value):
    return is_frame(value) or is_series(value) or is_array(value) or is_index(value) or is_sparse(value) or is_extension(value)


def data_behind(value):
    """The rows that a value is or looks at: data itself, or what .str, .dt, groupby, rolling and the like were made from."""
    if isinstance(value, SCALARS):
        return None
    if is_data(value):
        return value
    if type(value).__module__.startswith("pandas."):
        # Looked up in the instance alone: properties of a groupby compute.
        members = getattr(value, "__dict__", None) or {}
        for name in ("_parent", "_orig", "obj", "_data"):
            inner = members.get(name)
            if inner is not None and is_data(inner):
                return inner
    return None


def rows_in(value):
    """The first data in a value: itself, or one level inside a list, tuple or dict (``pd.concat([a, b])``)."""
    found = data_behind(value)
    if found is None and isinstance(value, (list, tuple)):
        for item in value[:16]:
            found = data_behind(item)
            if found is not None:
                return found
    if found is None and isinstance(value, dict):
        for item in list(value.values())[:16]:
            found = data_behind(item)
            if found is not None:
                return found
    return found


def count_rows(value):
    if value is None:
        return None
    try:
        return int(value.shape[0])
    except Exception:
        return len(value)


def index_of(value):
    """The pandas index of a value, or None (an Index is data of its own without one)."""
    return value.index if is_frame(value) or is_series(value) else None


class Input:
    """Rows and index of a value at one moment, without holding the value."""

    __slots__ = ("rows", "index")

    def __init__(self, value):
        self.rows, self.index = count_rows(value), index_of(value)


def kind_of(source, result):
    """'aligned', 'filter' or None for rows that came out, seen from the rows that went in."""
    rows = count_rows(result)
    index = index_of(result)
    if index is None or source.index is None:
        return "aligned" if rows == source.rows else None
    if index is source.index:
        return "aligned"
    if rows > MAX_INDEX_ROWS or source.rows > MAX_INDEX_ROWS or rows > source.rows:
        return None
    try:
        if rows == source.rows and index.equals(source.index):
            return "aligned"
        if rows and bool(index.isin(source.index).all()):
            return "filter" if index.is_unique or not source.index.is_unique else None
        if rows == source.rows and _is_range(index):
            return "filter"  # reset_index and the like: as many rows, numbered anew
    except Exception:  # indexes that do not compare
        return None
    return None


def _is_range(index):
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1


def size_of(value, budget=MAX_COPY_BYTES, depth=0):
    """Bytes, roughly; a number beyond the budget as soon as that is certain."""
    if value is None or isinstance(value, (int, float, complex, bool)):
        return 32
    if isinstance(value, (str, bytes)):
        return 49 + len(value)
    if is_frame(value) or is_series(value) or is_index(value):
        try:
            # Objects are counted by their pointers first: a deep count walks every cell.
            shallow = value.memory_usage(deep=False)
            shallow = int(shallow.sum()) if is_frame(value) else int(shallow)
        except Exception:
            return budget + 1
        return shallow * 4 if shallow <= budget else shallow
    if is_array(value):
        return int(value.nbytes) * (4 if value.dtype.hasobject else 1)
    if is_sparse(value):
        return int(getattr(value, "nnz", 0)) * 16
    if isinstance(value, dict):
        return _size_of_items([item for pair in list(value.items())[:100000] for item in pair], len(value) * 2, budget, depth)
    if isinstance(value, (list, tuple, set, frozenset)):
        return _size_of_items(list(value)[:200000], len(value), budget, depth)
    return 256


def _size_of_items(items, length, budget, depth):
    if depth > 4 or length > 200000:
        return budget + 1
    total = 64
    for item in items:
        total += 16 + size_of(item, budget, depth + 1)
        if total > budget:
            return total
    return total


def is_plain(value, depth=0):
    """Whether a value is made of scalars, containers and data alone, so that its copy stands for itself."""
    if isinstance(value, SCALARS) or is_data(value) or is_scalar(value):
        return True
    if depth > 4:
        return False
    if isinstance(value, dict):
        return all(is_plain(v, depth + 1) and is_plain(k, depth + 1) for k, v in list(value.items())[:1000])
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(is_plain(v, depth + 1) for v in list(value)[:1000])
    return False


def is_scalar(value):
    numpy = module("numpy")
    if numpy is not None and (isinstance(value, numpy.generic) or (isinstance(value, numpy.ndarray) and value.ndim == 0)):
        return True
    kind = type(value)
    if kind.__module__.split(".")[0] == "pandas":
        return kind.__name__ in ("Timestamp", "Timedelta", "Period", "Interval", "NaTType", "NAType", "CategoricalDtype", "DateOffset")
    return kind.__module__ in ("datetime", "decimal", "fractions", "uuid")


def copy_of(value):
    """A deep copy that later changes do not reach; frames by their own copy, which also copies their index."""
    if isinstance(value, SCALARS):
        return value
    if is_frame(value) or is_series(value):
        taken = value.copy(deep=True)
        if any(dtype == object for dtype in ([value.dtype] if is_series(value) else list(value.dtypes))):
            return _with_own_objects(taken)
        return taken
    if is_array(value) or is_sparse(value):
        return copy.deepcopy(value) if is_array(value) and value.dtype.hasobject else value.copy()
    return copy.deepcopy(value)


def _with_own_objects(frame):
    """pandas copies object cells by reference; cells that can change (lists, dicts) are copied, which is rare."""
    columns = [frame] if is_series(frame) else [frame.iloc[:, i] for i in range(frame.shape[1])]
    for column in columns:
        if column.dtype == object and any(isinstance(cell, (list, dict, set)) for cell in column.values[:50]):
            return copy.deepcopy(frame)
    return frame


def fitted_copy(estimator):
    """(bytes of a pickle or None, copy or None) of a fitted object; None where it is too large or cannot be copied."""
    if type(estimator).__module__.split(".")[0] in ("keras", "tensorflow", "torch", "tf_keras", "transformers"):
        return None, None
    try:
        blob = pickle.dumps(estimator, protocol=4)
        return (blob, None) if len(blob) <= MAX_FITTED_BYTES else (None, None)
    except Exception:  # a lambda inside, a class of the notebook's that was defined again
        pass
    try:
        return None, copy.deepcopy(estimator)
    except Exception:
        return None, None


def fingerprint(value):
    """A short digest of the content of data, or None. Equal content gives an equal digest whatever holds it; order counts."""
    try:
        digest = hashlib.blake2b(digest_size=12)
        _feed(digest, value)
        return digest.hexdigest()
    except Exception:
        return None


def _feed(digest, value):
    if is_frame(value):
        for position in range(value.shape[1]):
            _feed_column(digest, value.iloc[:, position].values)
    elif is_series(value) or is_index(value):
        _feed_column(digest, value.values)
    elif is_array(value):
        if value.ndim == 2:
            for position in range(value.shape[1]):
                _feed_column(digest, value[:, position])
        else:
            _feed_column(digest, value)
    elif is_sparse(value):
        csr = value.tocsr()
        for part in (csr.data, csr.indices, csr.indptr):
            _feed_column(digest, part)
    elif isinstance(value, (list, tuple)):
        _feed_column(digest, module("numpy").asarray(value)) if module("numpy") else digest.update(repr(value).encode())
    else:
        raise TypeError("no data")


def _feed_column(digest, values):
    numpy = module("numpy")
    if getattr(values, "ndim", 1) == 1 and getattr(values, "dtype", None) is not None and getattr(values.dtype, "kind", "O") in "biuf":
        # Whole numbers and their floats count as equal: a frame of mixed types turns integers into floats on its way.
        digest.update(numpy.ascontiguousarray(values, dtype="float64").tobytes())
    else:
        digest.update("\x1f".join(map(str, list(values))).encode("utf-8", "surrogatepass"))
    digest.update(b"|")


def type_name(value):
    kind = value if isinstance(value, type) else type(value)
    return "%s.%s" % (kind.__module__, kind.__qualname__)


def digest(blob):
    return None if blob is None else hashlib.blake2b(blob, digest_size=12).hexdigest()
