"""What a call learned from the rows that went in, in the form in which features.py holds it.

Most calls learn their result (a mean, a list of columns) or the fitted object. Some give back rows, and what they learned is
hidden: the categories of ``get_dummies``, the edges of ``qcut``, the mean of each group of ``transform``. ``learn`` finds it from
what went in and what came out, both when a notebook is adopted and in every later run of it.
"""

from . import records as _r

#: Names of learned values that hold {name of the group or column: value}, one a call.
BY_GROUP = "_by_group"
MAX_CATEGORIES = 20000

FIT = frozenset("fit fit_transform fit_predict fit_resample fit_sample partial_fit".split())


class Learned:
    """form: 'dummies', 'category', 'factorize', 'edges', 'columns', 'groups', 'scaled', 'mapped'; value: plain."""

    __slots__ = ("form", "value")

    def __init__(self, form, value):
        self.form, self.value = form, value


def learn(attribute, receiver, args, result):
    """The Learned of a known form, else None. args: {position or keyword: value}, as the call had them."""
    finder = _FORMS.get(attribute)
    if finder is None or result is None:
        return None
    learned = finder(receiver, args, result)
    return learned if learned is None or learned.value is not None else None


def group_of(receiver, args):
    """The name that pandas gave the group or column which a callback was called with."""
    for value in (receiver, args.get(0)):
        if _r.is_series(value):
            return value.name
        if _r.is_frame(value):
            return getattr(value, "name", None)
    return None


def _argument(args, position, name, default=None):
    return args.get(name, args.get(position, default))


def _categories(column):
    """The values of a column in the order in which pandas makes categories of them; None at the end where some are missing."""
    import pandas

    known = getattr(column.dtype, "categories", None)
    values = known if known is not None else pandas.Categorical(column).categories
    if len(values) > MAX_CATEGORIES:
        return None
    found = [_plain(value) for value in values.tolist()]
    return found + [None] if bool(column.isna().any()) else found


def _plain(value):
    return value.item() if hasattr(value, "item") and not isinstance(value, (str, bytes)) else value


def _dummies(receiver, args, result):
    data = _argument(args, 0, "data")
    if _r.is_series(data):
        return Learned("dummies", _categories(data))
    if not _r.is_frame(data):
        import pandas

        return Learned("dummies", _categories(pandas.Series(data))) if _r.is_data(data) or isinstance(data, list) else None
    columns = _argument(args, 5, "columns")
    if columns is None:
        columns = [name for name in data.columns if _is_text(data[name])]
    found = {name: _categories(data[name]) for name in columns if data[name].ndim == 1}
    return Learned("dummies", None if any(value is None for value in found.values()) else found)


def _is_text(column):
    return column.ndim == 1 and (column.dtype == object or str(column.dtype) in ("category", "string", "str"))


def _astype(receiver, args, result):
    if _r.is_series(result) and str(result.dtype) == "category":
        wanted = _argument(args, 0, "dtype")
        return Learned("category", _categories(result)) if isinstance(wanted, str) else None
    if _r.is_frame(result) and _r.is_frame(receiver):
        made = [name for name in result.columns if result[name].ndim == 1 and str(result[name].dtype) == "category"]
        made = [name for name in made if str(receiver[name].dtype) != "category"]
        return Learned("category", {name: _categories(result[name]) for name in made}) if made else None
    return None


def _categorical(receiver, args, result):
    if _argument(args, 1, "categories") is not None or _argument(args, 3, "dtype") is not None:
        return None
    import pandas

    return Learned("category", _categories(pandas.Series(result)))


def _factorize(receiver, args, result):
    if not isinstance(result, tuple) or len(result) != 2:
        return None
    values = result[1].tolist() if hasattr(result[1], "tolist") else list(result[1])
    has_missing = bool((result[0] == -1).any())
    return Learned("factorize", values + [None] if has_missing else values)


def _qcut(receiver, args, result):
    import pandas

    if isinstance(result, tuple):
        return Learned("edges", [float(edge) for edge in result[1]])
    made = pandas.qcut(_argument(args, 0, "x"), _argument(args, 1, "q"), retbins=True, duplicates=args.get("duplicates", "raise"))
    return Learned("edges", [float(edge) for edge in made[1]])


def _cut(receiver, args, result):
    import pandas

    bins = _argument(args, 1, "bins")
    if not isinstance(bins, int) or isinstance(bins, bool):
        return None
    if isinstance(result, tuple):
        return Learned("edges", [float(edge) for edge in result[1]])
    keywords = {key: args[key] for key in ("right", "include_lowest", "duplicates") if key in args}
    made = pandas.cut(_argument(args, 0, "x"), bins, retbins=True, **keywords)
    return Learned("edges", [float(edge) for edge in made[1]])


def _kept_columns(receiver, args, result):
    return Learned("columns", list(result.columns)) if _r.is_frame(result) else None


def _dropna(receiver, args, result):
    axis = _argument(args, 0, "axis", 0)
    return _kept_columns(receiver, args, result) if axis in (1, "columns") else None


def _groups(receiver, args, result):
    """{group: value} where all rows of a group got one value."""
    indices = getattr(receiver, "indices", None)
    if not isinstance(indices, dict) or not _r.is_series(result):
        return None
    values = result.to_numpy()
    found = {}
    for key, places in indices.items():
        part = values[places]
        if len(part) == 0:
            continue
        if not all(value == part[0] or (value != value and part[0] != part[0]) for value in part.tolist()):
            return None
        found[tuple(map(_plain, key)) if isinstance(key, tuple) else _plain(key)] = _plain(part[0])
    return Learned("groups", found)


def _scale(receiver, args, result):
    import numpy

    X = args.get(0, args.get("X", args.get("a")))
    matrix = numpy.asarray(X, dtype="float64")
    made = numpy.asarray(result, dtype="float64")
    if matrix.shape != made.shape or _argument(args, 1, "axis", 0) != 0:
        return None
    matrix, made = (m.reshape(len(m), -1) for m in (matrix, made))
    low, high = matrix.argmin(axis=0), matrix.argmax(axis=0)
    every = numpy.arange(matrix.shape[1])
    spread = matrix[high, every] - matrix[low, every]
    factor = numpy.divide(made[high, every] - made[low, every], spread, out=numpy.zeros_like(spread), where=spread != 0)
    offset = made[low, every] - factor * matrix[low, every]
    if not numpy.allclose(matrix * factor + offset, made, rtol=1e-9, atol=1e-9):
        return None
    return Learned("scaled", {"factor": factor.tolist(), "offset": offset.tolist()})


def _apply(receiver, args, result):
    """``df.apply(encoder.fit_transform)``: the mapping of each column, seen from before and after."""
    function = args.get(0, args.get("func"))
    if getattr(function, "__name__", "") not in ("fit_transform", "factorize") or not _r.is_frame(receiver):
        return None
    if not _r.is_frame(result) or list(result.columns) != list(receiver.columns):
        return None
    found = {name: _mapping(receiver[name], result[name]) for name in result.columns}
    return Learned("mapped", None if any(value is None for value in found.values()) else found)


def _mapping(before, after):
    pairs = {}
    for raw, made in zip(before.tolist(), after.tolist()):
        raw = None if raw != raw else raw
        if pairs.setdefault(raw, made) != made or len(pairs) > MAX_CATEGORIES:
            return None
    return pairs


_FORMS = {
    "get_dummies": _dummies,
    "astype": _astype,
    "Categorical": _categorical,
    "factorize": _factorize,
    "cut": _cut,
    "qcut": _qcut,
    "dropna": _dropna,
    "select_dtypes": _kept_columns,
    "transform": _groups,
    "scale": _scale,
    "minmax_scale": _scale,
    "maxabs_scale": _scale,
    "robust_scale": _scale,
    "zscore": _scale,
    "apply": _apply,
}
