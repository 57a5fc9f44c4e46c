"""Rows as numbers: 64 bits that are equal where all cells of two rows are, whatever holds them."""

EXACT, ROUGH = 0, 7


def row_count(X):
    shape = getattr(X, "shape", None)
    if shape is not None and len(shape) > 0:
        return int(shape[0])
    if callable(getattr(X, "num_row", None)):
        return int(X.num_row())
    try:
        return len(X)
    except TypeError:
        return 0


class Rows:
    """A table of any kind: frames, series, arrays, lists, sparse matrices, a DMatrix. names: of its columns, numbers where it has none."""

    def __init__(self, table):
        table = plain(table)
        self.sparse = table.tocsr() if hasattr(table, "tocsr") else None
        self.columns = [] if self.sparse is not None else _columns(table)
        self.names = list(range(self.sparse.shape[1])) if self.sparse is not None else [name for name, _ in self.columns]

    def keys(self, digits, places=None):
        """uint64 of each row, over the columns at these places."""
        if self.sparse is not None:
            return _sparse_keys(self.sparse, digits)
        return keys_of([self.columns[at][1] for at in (range(len(self.columns)) if places is None else places)], digits)


def plain(table):
    if callable(getattr(table, "get_data", None)) and callable(getattr(table, "num_row", None)):
        return table.get_data()  # xgboost.DMatrix keeps its rows
    return table


def _columns(table):
    """[(name, values)]; columns without names are counted from 0."""
    if hasattr(table, "columns"):
        return [(name, table.iloc[:, at]) for at, name in enumerate(table.columns)]
    if hasattr(table, "index") and hasattr(table, "to_numpy"):
        return [(table.name if table.name is not None else 0, table)]
    import numpy

    matrix = numpy.asarray(table)
    matrix = matrix.reshape(len(matrix), -1) if matrix.ndim != 2 else matrix
    return [(at, matrix[:, at]) for at in range(matrix.shape[1])]


def keys_of(columns, digits):
    import numpy

    total = None
    for column in columns:
        cells = hashes_of(column, digits)
        total = cells if total is None else (total ^ (total >> numpy.uint64(29))) * numpy.uint64(0xBF58476D1CE4E5B9) + cells
    return total if total is not None else numpy.zeros(0, dtype="uint64")


def _sparse_keys(matrix, digits):
    """The cells that are not zero, in any order: one that is stored as zero counts for nothing."""
    import numpy

    cells = _bits(_rounded(matrix.data.astype("float64"), digits)) ^ _mixed(matrix.indices.astype("uint64") + numpy.uint64(1))
    cells = numpy.where(matrix.data == 0, numpy.uint64(0), _mixed(cells))
    sums = numpy.concatenate([numpy.zeros(1, dtype="uint64"), numpy.cumsum(cells, dtype="uint64")])
    return sums[matrix.indptr[1:]] - sums[matrix.indptr[:-1]]


def hashes_of(column, digits):
    """A uint64 a cell; whole numbers and their floats are alike, as are all that is missing."""
    import numpy

    values = column.to_numpy() if hasattr(column, "to_numpy") else numpy.asarray(column)
    kind = values.dtype.kind
    if kind in "iub":
        return _bits(values.astype("float64"))
    if kind == "f":
        return _bits(_rounded(values.astype("float64"), digits))
    if kind in "mM":
        return _mixed(values.astype("int64").view("uint64"))
    return _hashes_of_objects(values, digits)


def _hashes_of_objects(values, digits):
    """By each different cell once, where they can be told apart quickly."""
    import numpy

    try:
        import pandas

        codes, cells = pandas.factorize(values)
        cells = list(cells) + [None]
    except (ImportError, TypeError):
        codes, cells = numpy.arange(len(values)), values.tolist()
    hashes = numpy.empty(len(cells), dtype="uint64")
    for at, value in enumerate(cells):
        cell = _cell(value, digits)
        hashes[at] = _bits(numpy.array([numpy.nan if cell is None else cell]))[0] if not isinstance(cell, str) else hash(cell) & 0xFFFFFFFFFFFFFFFF
    return hashes[codes]


def _bits(values):
    import numpy

    values = values + 0.0  # one zero
    values[numpy.isnan(values)] = numpy.nan  # one kind of missing
    return _mixed(values.view("uint64"))


def _mixed(bits):
    """splitmix64: neighbouring numbers become far ones."""
    import numpy

    bits = (bits ^ (bits >> numpy.uint64(30))) * numpy.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> numpy.uint64(27))) * numpy.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> numpy.uint64(31))


def _rounded(values, digits):
    import numpy

    if not digits:
        return values
    with numpy.errstate(all="ignore"):
        scale = 10.0 ** (digits - 1 - numpy.floor(numpy.log10(numpy.abs(values))))
        return numpy.where(numpy.isfinite(scale), numpy.round(values * scale) / scale, values)


def _cell(value, digits):
    if value is None:
        return None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, (int, float)):
        if value != value:
            return None
        return float("%.*g" % (digits, value)) if digits else float(value)
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if hasattr(value, "item") and not isinstance(value, str):
        return _cell(value.item(), digits)
    return str(value)
