"""Which raw row each of the notebook's test rows is, by what features.py makes of the raw rows."""

import numpy

from .refusal import Refused

DIGITS = (None, 10, 7)


def matrix_of(made):
    """Rows as something that can be indexed by position: a 2-D array of float64, or of objects where there is text."""
    if hasattr(made, "toarray"):
        made = made.toarray() if made.shape[0] * made.shape[1] <= 50000000 else made.tocsr()
        if hasattr(made, "toarray"):
            return made
    values = made.to_numpy() if hasattr(made, "to_numpy") else numpy.asarray(made, dtype=None if not isinstance(made, list) else object)
    values = values.reshape(len(values), -1)
    if values.dtype == object:
        try:
            return values.astype("float64")
        except (TypeError, ValueError):
            return values
    return values.astype("float64") if values.dtype.kind in "biuf" else values.astype(object)


def keys_of(matrix, digits):
    if hasattr(matrix, "tocsr"):
        return [(row.indices.tobytes(), numpy.round(row.data, digits or 15).tobytes()) for row in matrix]
    if matrix.dtype == object:
        return [tuple(_cell(cell, digits) for cell in row) for row in matrix.tolist()]
    values = matrix + 0.0
    if digits is not None:
        with numpy.errstate(all="ignore"):
            scale = 10.0 ** (digits - 1 - numpy.floor(numpy.log10(numpy.abs(values))))
            rounded = numpy.round(values * scale) / scale
        values = numpy.where(numpy.isfinite(rounded), rounded, values) + 0.0
    values[numpy.isnan(values)] = numpy.nan  # one kind of NaN
    return [row.tobytes() for row in numpy.ascontiguousarray(values)]


def _cell(value, digits):
    if isinstance(value, float):
        return None if value != value else float("%.*g" % (digits or 17, value))
    return str(value)


def match(made, known, test, labels):
    """Positions of the raw rows. made: features of the raw rows `known` (their positions); test: what the model was given."""
    ours, theirs = matrix_of(made), matrix_of(test)
    if ours.shape[1] != theirs.shape[1]:
        raise Refused("features.py makes %d columns where the model was given %d" % (ours.shape[1], theirs.shape[1]))
    found = [None] * theirs.shape[0]
    place = {position: at for at, position in enumerate(known)}
    for digits in DIGITS:
        left = [at for at in range(len(found)) if found[at] is None]
        if not left:
            break
        mine = keys_of(ours, digits)
        wanted = keys_of(theirs, digits)
        places = {}
        for at, key in enumerate(mine):
            places.setdefault(key, []).append(at)
        taken = set(found)
        for at in left:
            options = places.get(wanted[at])
            if not options:
                continue
            label = place.get(labels[at]) if labels is not None else None
            chosen = label if label is not None and mine[label] == wanted[at] else None
            if chosen is None:
                chosen = next((o for o in options if known[o] not in taken), options[0])
            found[at] = known[chosen]
            taken.add(found[at])
    return found


def labels_of(test):
    index = getattr(test, "index", None)
    if index is None or callable(index) or str(getattr(index, "dtype", "")) not in ("int64", "int32"):
        return None
    return index.tolist()
