"""Raw rows of a file as the notebook read it: what as_read has to give back."""

import ast


def raw_of(read):
    """(rows of the file with its index as a column again, the text behind as_read that makes it the index, what a loader gave)."""
    import pandas

    if read.frame is None:
        return loaded_of(read.value)
    frame = read.frame
    if isinstance(frame.index, pandas.RangeIndex):
        return frame, "", None
    names = list(frame.index.names)
    given = [name if name is not None else "Unnamed: %d" % at for at, name in enumerate(names)]
    taken = frame.copy()
    taken.index.names = given
    text = ".set_index(%r)" % (given[0] if len(given) == 1 else given)
    return taken.reset_index(), text + (".rename_axis(%r)" % (names[0],) if names[0] is None and len(names) == 1 else ""), None


def is_loaded(value):
    """Rows and a target, as sklearn.datasets gives them: a Bunch, or a pair."""
    data = value.get("data") if isinstance(value, dict) else value[0] if isinstance(value, tuple) and len(value) == 2 else None
    return getattr(data, "ndim", 0) == 2 and len(data) > 0


def loaded_of(value):
    import pandas

    data = value["data"] if isinstance(value, dict) else value[0]
    names = list(value.get("feature_names", ())) if isinstance(value, dict) else []
    if hasattr(data, "columns"):
        raw = data.reset_index(drop=True)
    else:
        raw = pandas.DataFrame(data, columns=[str(n) for n in names] if len(names) == data.shape[1] else ["x%d" % at for at in range(data.shape[1])])
    shape = " ".join(word for word, holds in (("frame", hasattr(data, "columns")), ("pair", isinstance(value, tuple))) if holds)
    words = value.get("target_names") if isinstance(value, dict) else None
    words = [str(word) for word in list(words)] if words is not None and len(words) <= 200 else None
    return raw, "", ", %r%s" % (shape, ", %r" % (words,) if words else "")


def raw_types(raw):
    return {name: str(raw[name].dtype) + ("?" if bool(raw[name].isna().any()) else "") for name in raw.columns}


def placeholder(column):
    value = next((v for v in column.tolist() if v == v and v is not None), 0)
    return value.item() if hasattr(value, "item") else value


def missing_words(read, trace):
    """Words that count as missing where the notebook read the file: pandas' own and na_values."""
    site = trace.sites.get(read.site_id)
    given = {keyword.arg: keyword.value for keyword in (site.node.keywords if site is not None else ())}
    own = set() if is_off(given, "keep_default_na") or is_off(given, "na_filter") or read.kind in ("parquet", "json") else words_of_pandas()
    try:
        value = ast.literal_eval(given["na_values"]) if "na_values" in given else []
    except ValueError:
        value = []
    if isinstance(value, dict):
        value = [v for item in value.values() for v in (item if isinstance(item, (list, tuple, set)) else [item])]
    values = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple, set)) else []
    return sorted(own | {v for v in values if isinstance(v, str)})


def is_off(given, name):
    return name in given and getattr(given[name], "value", True) is False


def words_of_pandas():
    try:
        from pandas._libs.parsers import STR_NA_VALUES
    except ImportError:
        return {"", "NA", "NaN", "nan", "NULL", "null", "N/A", "n/a", "#N/A", "<NA>"}
    return set(STR_NA_VALUES)


def gaps_of(rows):
    if hasattr(rows, "columns") and hasattr(rows, "isna"):
        return {name for name in rows.columns if bool(rows[name].isna().to_numpy().any())}
    if hasattr(rows, "dtype") and rows.dtype.kind in "fO" and getattr(rows, "ndim", 0) == 2 and not hasattr(rows, "toarray"):
        import pandas

        return {int(at) for at in pandas.isna(rows).any(axis=0).nonzero()[0]}
    return set()
