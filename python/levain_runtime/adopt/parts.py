"""The small functions that a features.py may hold. Their source is written into it, each only where it is used.

They are real functions here, so that they can be tested; LEARNED, RAW, UNUSED and ORDER are names of the file that holds them.
"""

import numpy as np
import pandas as pd

LEARNED, RAW, UNUSED, ORDER, MISSING, MAY_BE_MISSING = {}, {}, {}, {}, frozenset(), ()


class RowsRefused(ValueError):
    """Rows that cannot be answered as the notebook would, each with its reason: `rows` is {position: reason}."""

    def __init__(self, rows):
        super().__init__("; ".join("row %d: %s" % row for row in sorted(rows.items())[:5]))
        self.rows = rows


def refuse(bad, values, reason):
    """Refuses the rows where `bad` is true; %r of the reason is the row's value."""
    bad = np.asarray(bad, dtype=bool)
    if bad.any():
        cells = np.asarray(values, dtype=object)
        raise RowsRefused({int(at): reason % (cells[at],) if "%r" in reason else reason for at in np.flatnonzero(bad)})


def as_read(rows):
    """Raw rows as the notebook's file was read: each column in its place, of its type."""
    count, columns = len(rows), {}
    for name, kind in RAW.items():
        if name in UNUSED:
            columns[name] = pd.Series([UNUSED[name]] * count, dtype=kind.rstrip("?"))
            continue
        column = name if name in rows else str(name)
        if column not in rows:
            raise KeyError("the rows have no column %r" % (column,))
        columns[name] = typed(column, rows[column].reset_index(drop=True), kind)
    return pd.DataFrame(columns)


def typed(name, values, kind):
    """One column of its type; a "?" at the end of the type means that the file had gaps there."""
    wanted = kind.rstrip("?")
    if str(values.dtype) != wanted or wanted in ("object", "str"):
        if wanted.startswith(("int", "uint", "float", "Int", "Float")):
            values = numbers(name, values, wanted)
        elif wanted.startswith("datetime"):
            made = pd.to_datetime(values, errors="coerce")
            refuse(made.isna() & values.notna(), values, name + " is %r, not a date")
            values = made.astype(wanted) if str(made.dtype) != wanted else made
        elif wanted == "bool":
            made = values.map({True: True, False: False, "True": True, "False": False, "true": True, "false": False})
            refuse(made.isna() & values.notna(), values, name + " is %r, not true or false")
            values = made if made.isna().any() else made.astype(bool)
        else:
            values = words(values, wanted)
    if not kind.endswith("?"):
        missing = values.isna()
        if missing.any():
            refuse(missing, values, name + " is missing")
    return values


def numbers(name, values, kind):
    if values.dtype.kind not in "iufb":
        made = pd.to_numeric(values, errors="coerce")
        refuse(made.isna() & values.notna() & ~values.isin(MISSING), values, name + " is %r, not a number")
        values = made
    if kind.startswith(("int", "uint")):
        whole = values.notna().all() and (values % 1 == 0).all()
        return values.astype(kind) if whole else values.astype("float64")
    return values.astype(kind)


def words(values, kind):
    if values.dtype.kind in "iuf":
        values = values.map(lambda cell: np.nan if cell != cell else str(int(cell)) if cell == int(cell) else str(cell)).astype("object")
    gaps = values.isna() | values.isin(MISSING)
    if gaps.any():
        values = values.astype("object").mask(gaps, np.nan)
    return values.astype(kind) if str(values.dtype) != kind else values


def loaded(rows, shape, target_names=()):
    """Rows as a loader of scikit-learn gives them; what stands for the target is the same for all."""
    target = pd.Series(0, index=rows.index, name="target")
    data = rows if "frame" in shape else rows.to_numpy()
    if "pair" in shape:
        return data, target if "frame" in shape else target.to_numpy()
    from sklearn.utils import Bunch

    given = {"data": data, "target": target if "frame" in shape else target.to_numpy(), "frame": rows.assign(target=0)}
    return Bunch(feature_names=np.array(rows.columns), target_names=np.array(target_names), **given)


def learned(name):
    """What the call learned that comes next: calls in loops and functions come in the order of the notebook."""
    taken = PLAYED.get(name, 0)
    PLAYED[name] = taken + 1
    order = ORDER.get(name)
    values = LEARNED[name]
    return values[order[taken % len(order)] if order else taken % len(values)]


def learned_for(name, group):
    """What was learned of one group or column, by its name."""
    group = group[0] if isinstance(group, tuple) and len(group) == 1 else group
    for values in reversed(LEARNED[name]):
        if group in values:
            return values[group]
    raise ValueError("%r was not seen in training" % (group,))


def complete(frame, subset=None):
    """Rows that the notebook left out for a missing value are refused."""
    looked = frame if subset is None else frame[[subset] if isinstance(subset, str) else list(subset)]
    missing = looked.isna()
    gaps = np.asarray(missing.any(axis=1) if missing.ndim == 2 else missing)
    if gaps.any():
        names = [" and ".join(str(c) for c in looked.columns[row]) if missing.ndim == 2 else "a value" for row in np.asarray(missing)[gaps]]
        raise RowsRefused({int(at): name + " is missing" for at, name in zip(np.flatnonzero(gaps), names)})
    return frame


def category(known, data):
    """Text as categories that training had, in its order; others are refused. None among them: some were missing there."""
    if isinstance(known, dict):
        data = data.copy()
        for name, words in known.items():
            data[name] = category(words, data[name])
        return data
    data = data if isinstance(data, pd.Series) else pd.Series(data)
    words = [word for word in known if word is not None]
    refuse(data.notna() & ~data.isin(words), data, "%s is %%r, which training did not have" % (data.name,))
    if None not in known:
        refuse(data.isna(), data, "%s is missing" % (data.name,))
    return pd.Series(pd.Categorical(data, categories=words), index=data.index, name=data.name)


def dummies(known, data, *args, **options):
    """pd.get_dummies with the columns that training gave."""
    made = pd.get_dummies(category(known, data), *args, **options)
    made.columns = pd.Index(list(made.columns))
    return made


def factorized(known, values):
    """pd.factorize with the codes of training."""
    values = pd.Series(values)
    words = [word for word in known if word is not None]
    codes = pd.Index(words).get_indexer(values)
    refuse((codes < 0) & values.notna(), values, "%s is %%r, which training did not have" % (values.name,))
    if None not in known:
        refuse(codes < 0, values, "%s is missing" % (values.name,))
    return codes, pd.Index(words)


def cut(edges, values, **options):
    """pd.cut at the edges that training found."""
    made = pd.cut(values, edges, **options)
    outside = pd.isna(np.asarray(made, dtype=object)) & pd.notna(np.asarray(values, dtype=object))
    refuse(outside, values, "%%r is outside of %g to %g, which training had" % (edges[0], edges[-1]))
    return made


def joined(main, left, right, *args, **options):
    """A merge with one row for each row of its main side ("left" or "right"), in their order; those that training left out for
    want of a partner are refused."""
    sides = {"left": left, "right": right}
    rows = sides[main]
    sides[main] = rows.assign(__row__=np.arange(len(rows)))
    how = args[0] if args else options.get("how", "inner")
    options.update({"how": main, "indicator": "__found__"})
    made = pd.merge(sides["left"], sides["right"], *[main, *args[1:]][: len(args)], **{k: v for k, v in options.items() if not (args and k == "how")})
    if len(made) != len(rows):
        raise ValueError("a merge finds several partners for a row")
    made = made.sort_values("__row__").reset_index(drop=True)
    if how in ("inner", {"left": "right", "right": "left"}[main]):
        refuse(made["__found__"] == main + "_only", [None] * len(made), "it has no partner in the table that is merged")
    return made.drop(columns=["__row__", "__found__"])


def scaled(known, values):
    made = np.asarray(values, dtype="float64") * known["factor"] + known["offset"]
    return made if made.ndim == np.ndim(values) else made.reshape(np.shape(values))


def mapped(known, frame):
    """Each column by the mapping that training had."""
    made = frame.copy()
    for name, words in known.items():
        column = frame[name].map({key: value for key, value in words.items() if key is not None})
        if None in words:
            column = column.where(frame[name].notna(), words[None])
        refuse(column.isna(), frame[name], "%s is %%r, which training did not have" % (name,))
        made[name] = column.astype(type(next(iter(words.values()))))
    return made


def of_group(known, groups):
    """What training had for the group of each row; groups is what df.groupby(...) gave."""
    rows, refused = groups.obj, {}
    made = pd.Series(np.nan, index=rows.index, dtype="object")
    for key, places in groups.indices.items():
        key = key[0] if isinstance(key, tuple) and len(key) == 1 else key
        if key in known:
            made.iloc[places] = known[key]
        else:
            refused.update({int(place): "%r was not seen in training" % (key,) for place in places})
    if refused:
        raise RowsRefused(refused)
    return made.infer_objects()


def checked(made, index):
    """The rows that the model gets; one with a gap that training never had is refused."""
    if hasattr(made, "columns"):
        looked = made[[name for name in made.columns if name not in MAY_BE_MISSING]]
        gaps = looked.isna().to_numpy()
        names = list(looked.columns)
    elif hasattr(made, "isna"):
        gaps, names = made.isna().to_numpy(), None
    elif hasattr(made, "dtype") and made.dtype.kind in "fO" and not hasattr(made, "toarray"):
        gaps, names = pd.isna(made), None
        if gaps.ndim == 2:
            gaps = gaps[:, [at for at in range(gaps.shape[1]) if at not in MAY_BE_MISSING]]
    else:
        gaps, names = np.zeros(0, dtype=bool), None
    if gaps.any():
        rows = gaps.reshape(len(gaps), -1)
        named = {int(at): [str(names[i]) for i in np.flatnonzero(rows[at])] if names else [] for at in np.flatnonzero(rows.any(axis=1))}
        raise RowsRefused({at: (" and ".join(found[:3]) or "a value") + " is missing" for at, found in named.items()})
    if hasattr(made, "index") and hasattr(made, "iloc"):
        if len(made) != len(index):
            raise ValueError("the notebook's statements made %d rows of %d" % (len(made), len(index)))
        made.index = index
    return made


PLAYED = {}

#: What each part needs of the others.
NEEDS = {
    "as_read": ["typed", "numbers", "words", "refuse", "RowsRefused"],
    "learned": [],
    "loaded": [],
    "learned_for": [],
    "complete": ["RowsRefused"],
    "category": ["refuse", "RowsRefused"],
    "dummies": ["category", "refuse", "RowsRefused"],
    "factorized": ["refuse", "RowsRefused"],
    "cut": ["refuse", "RowsRefused"],
    "joined": ["refuse", "RowsRefused"],
    "scaled": [],
    "mapped": ["refuse", "RowsRefused"],
    "of_group": ["RowsRefused"],
    "checked": ["RowsRefused"],
}
#: Their order in a file.
PARTS = ("RowsRefused", "refuse", "as_read", "typed", "numbers", "words", "loaded", "learned", "learned_for", "complete", "category", "dummies", "factorized", "cut", "joined", "scaled", "mapped", "of_group", "checked")
