"""Loads feature modules and model files, builds pandas frames from raw columns, and runs both, row by row where a row fails."""

import json
import os
import re
import sys
import types

from . import boosters, forms
from .frames import Words, to_cells, to_column

# How many times a failing batch is cut in two before what is left is given up as one.
MAX_ATTEMPTS = 256


class RowsFailed(Exception):
    """The user's code failed; `kind` is the exception's class."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind
        self.message = message


def describe(error):
    text = str(error).strip() or type(error).__name__
    return text if len(text) <= 2000 else text[:2000] + "…"


def load_features(path):
    """The function `features` of a file; the file need not end in .py."""
    module = types.ModuleType("levain_features")
    module.__file__ = path
    with open(path, "rb") as source:
        code = compile(source.read(), path, "exec")
    sys.modules[module.__name__] = module
    exec(code, module.__dict__)
    function = getattr(module, "features", None)
    if not callable(function):
        raise TypeError("features.py defines no function features(df)")
    return function


def load_model(path):
    """A model from an MLflow folder or one file: skops, pickle, joblib, or a booster in its library's own format."""
    if os.path.isfile(path):
        return load_file(path)
    with open(os.path.join(path, "MLmodel"), encoding="utf-8") as source:
        text = source.read()
    code = _value(text, "code")
    if code:
        sys.path.insert(0, os.path.join(path, code))
    pickled = _value(text, "pickled_model")
    if pickled:
        return load_file(os.path.join(path, pickled))
    booster = _value(text, "booster_file")
    if booster:
        return boosters.load(os.path.join(path, booster))
    network = _value(text, "keras_file")
    if network:
        return forms.load_keras(os.path.join(path, network))
    return _load_by_flavor(path, text)


def _value(text, key):
    match = re.search(r"^\s+%s:\s*(.+?)\s*$" % key, text, re.M)
    value = match.group(1).strip("'\"") if match else None
    return None if value in (None, "null", "~", "") else value


def _load_by_flavor(path, text):
    import importlib

    for flavor in ("xgboost", "lightgbm", "catboost"):
        if re.search(r"^  %s:" % flavor, text, re.M):
            return importlib.import_module("mlflow." + flavor).load_model(path)
    from mlflow import pyfunc

    return pyfunc.load_model(path)


def load_file(path):
    if boosters.is_booster(path):
        return boosters.load(path)
    with open(path, "rb") as source:
        head = source.read(2)
    if head == b"PK":
        import skops.io

        return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    try:
        import joblib
    except ImportError:
        import pickle

        with open(path, "rb") as source:
            return pickle.load(source)
    return joblib.load(path)


def make_frame(columns, column_types):
    """A pandas frame of raw columns, typed as the signature says: what reading the training file would have given."""
    import pandas

    series = {}
    for name, kind, values in columns:
        series[name] = _series(pandas, kind, values, column_types.get(name))
    return pandas.DataFrame(series)


def _series(pandas, kind, values, column_type):
    if kind == "f8":
        return _numbers(pandas, values, column_type)
    if isinstance(values, Words):
        if column_type != "category":
            return _words(pandas, values)
        values = values.tolist()
    if column_type == "category":
        return pandas.Series(values, dtype="category")
    if kind == "bool":
        return pandas.Series(values, dtype="bool" if all(v is not None for v in values) else "object")
    if kind == "text" or all(v is None or isinstance(v, str) for v in values):
        return _texts(pandas, values)
    return pandas.Series(values, dtype="object")


def _numbers(pandas, values, column_type):
    import numpy

    if column_type == "datetime":
        stamps = numpy.where(numpy.isnan(values), numpy.iinfo("int64").min, values).astype("int64").astype("datetime64[ms]")
        return pandas.Series(stamps).astype("datetime64[us]" if _pandas3(pandas) else "datetime64[ns]")
    if column_type == "float":
        return pandas.Series(values.astype("float32"))
    if column_type in ("long", "integer") and not numpy.isnan(values).any():
        return pandas.Series(values.astype("int64" if column_type == "long" else "int32"))
    if column_type == "category":
        return pandas.Series(values, dtype="category")
    return pandas.Series(values)


def _texts(pandas, values):
    """Missing text is NaN, as files read it: pandas 3 by its str dtype, pandas 2 in an object column, even where all is missing."""
    if _pandas3(pandas):
        return pandas.Series(values, dtype="str")
    nan = float("nan")
    return pandas.Series([nan if v is None else v for v in values], dtype="object")


def _words(pandas, values):
    """What _texts makes of the same text, made once a word."""
    if _pandas3(pandas):
        words = pandas.array(values.words, dtype="str")
        return pandas.Series(words.take(values.codes, allow_fill=True))
    import numpy

    words = numpy.array(values.words + [float("nan")], dtype="object")
    return pandas.Series(words[values.codes], dtype="object")


def _pandas3(pandas):
    return int(pandas.__version__.split(".")[0]) >= 3


class Loaded:
    """A feature function, a model, or both."""

    def __init__(self, features_path=None, model_path=None):
        # The model first: features.py may import modules that its folder brings.
        self.model = load_model(model_path) if model_path else None
        self.categories = load_categories(model_path) if model_path else {}
        self.features = load_features(features_path) if features_path else None

    def run(self, stage, columns, row_count, column_types=None):
        """(columns, errors): result columns as [(name, cells)] over all rows, errors as [(row, kind, message)]. The types are of raw columns.

        Code that raises an exception with an attribute `rows`, {position: message}, takes those rows out and is asked again for
        the others, at once; any other exception is hunted down by halves.
        """
        is_raw = stage != "model" or self.features is None
        frame = make_frame(columns, (column_types or {}) if is_raw else {})
        parts = []
        errors = []
        pending = [range(row_count)]
        attempts = 0
        while pending:
            rows = pending.pop()
            attempts += 1
            try:
                parts.append((rows, self._stage(stage, _take(frame, rows))))
            except (Exception, SystemExit) as error:
                refused = _refused_rows(error, len(rows)) if attempts < MAX_ATTEMPTS else None
                if refused:
                    errors.extend((rows[at], "RowsRefused", _message(text)) for at, text in refused.items())
                    pending.extend([[row for at, row in enumerate(rows) if at not in refused]] if len(refused) < len(rows) else [])
                elif len(rows) <= 1 or attempts >= MAX_ATTEMPTS:
                    kind = error.kind if isinstance(error, RowsFailed) else type(error).__name__
                    errors.extend((row, kind, describe(error)) for row in rows)
                else:
                    middle = len(rows) // 2
                    pending.extend([rows[middle:], rows[:middle]])
        return _join(parts, row_count), sorted(errors, key=lambda entry: entry[0])

    def _stage(self, stage, frame):
        rows = len(frame)
        if stage != "model":
            if self.features is None:
                raise RowsFailed("NoFeatures", "no features.py was loaded")
            frame = _aligned(self.features(frame), rows)
            if stage == "features":
                return _table(frame)
        if self.model is None:
            raise RowsFailed("NoModel", "no model was loaded")
        return predict(self.model, forms.with_categories(frame, self.categories), rows)


def load_categories(path):
    """What a library that takes categories by position has to be told with every row; {} for all others."""
    kept = os.path.join(path, "levain", "categories.json")
    if not os.path.isfile(kept):
        return {}
    with open(kept, encoding="utf-8") as source:
        return json.load(source)


def _take(frame, rows):
    part = frame.iloc[rows.start : rows.stop] if isinstance(rows, range) else frame.iloc[rows]
    return part.reset_index(drop=True)


def _refused_rows(error, count):
    """{position: message} where an exception names rows of this call; None where it names none, or others."""
    rows = getattr(error, "rows", None)
    if not isinstance(rows, dict) or not rows:
        return None
    try:
        found = {int(at): text for at, text in rows.items()}
    except (TypeError, ValueError):
        return None
    return found if all(0 <= at < count for at in found) else None


def _message(text):
    text = str(text).strip() or "the row is refused"
    return text if len(text) <= 500 else text[:500] + "…"


def _aligned(result, rows):
    if result is None:
        raise RowsFailed("Shape", "features(df) returned None; return the frame")
    got = _row_count(result)
    if got != rows:
        raise _left_out(result, rows) or RowsFailed("Shape", "features(df) returned %s rows for %d; keep every row" % (got, rows))
    index = getattr(result, "index", None)
    if index is not None and callable(getattr(result, "reindex", None)) and list(index) != list(range(rows)):
        if sorted(index) != list(range(rows)):
            raise RowsFailed("Shape", "features(df) changed the index; keep the rows' own")
        return result.sort_index()
    return result


def _left_out(result, rows):
    """Where the index still tells which rows features.py filtered out, a failure that names them; else None."""
    index = getattr(result, "index", None)
    kept = list(index) if index is not None and hasattr(index, "is_unique") else None
    if kept is None or len(kept) >= rows or len(set(kept)) < len(kept) or not set(kept) <= set(range(rows)):
        return None
    error = RowsFailed("Shape", "features(df) left rows out")
    error.rows = {row: "features.py leaves this row out" for row in sorted(set(range(rows)) - set(kept))}
    return error


def _row_count(result):
    """Rows of a frame, an array, a list or a sparse matrix (which has no length); the type's name of anything else."""
    shape = getattr(result, "shape", None)
    if isinstance(shape, tuple) and shape:
        return int(shape[0])
    return len(result) if hasattr(result, "__len__") else type(result).__name__


def _table(result):
    if hasattr(result, "columns"):
        return [(str(name), to_column(result[name])) for name in result.columns]
    if hasattr(result, "name") and hasattr(result, "index"):
        return [(str(result.name), to_column(result))]
    import numpy

    matrix = result.toarray() if hasattr(result, "toarray") else numpy.asarray(result)
    matrix = matrix.reshape(len(matrix), -1)
    return [("x%d" % i, to_cells(matrix[:, i])) for i in range(matrix.shape[1])]


def predict(model, frame, rows):
    """`predict` and, where the model has it, `predict_proba:<class>` in the order of classes_."""
    answers = forms.answer(model, frame)
    shape = getattr(answers, "shape", None)
    if shape is not None and len(shape) == 2 and shape[1] > 1 and not hasattr(model, "predict_proba"):
        return _scores(answers, rows)
    columns = [("predict", to_cells(_flat(answers, rows)))]
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(frame)
        if isinstance(probabilities, list):
            raise RowsFailed("Shape", "the model has several outputs")
        if getattr(probabilities, "ndim", 2) == 1:
            return columns
        probabilities = _array(probabilities)
        classes = getattr(model, "classes_", range(probabilities.shape[1]))
        for k, name in enumerate(classes):
            columns.append(("predict_proba:%s" % (name,), to_cells(probabilities[:, k])))
    return columns


def _array(values):
    return values.to_numpy() if hasattr(values, "to_numpy") else values


def _scores(answers, rows):
    """A booster or network that answers one score a class, and no label: the label is the number of the highest."""
    import numpy

    matrix = numpy.asarray(_array(answers), dtype="float64")
    if len(matrix) != rows:
        raise RowsFailed("Shape", "the model answered %d rows for %d" % (len(matrix), rows))
    columns = [("predict", to_cells(matrix.argmax(axis=1)))]
    return columns + [("predict_proba:%d" % k, matrix[:, k].copy()) for k in range(matrix.shape[1])]


def _flat(answers, rows):
    if hasattr(answers, "iloc") and hasattr(answers, "columns"):
        answers = answers.iloc[:, 0]
    shape = getattr(answers, "shape", None)
    if shape is not None and len(shape) == 2 and shape[1] == 1:
        answers = answers[:, 0]
    if len(answers) != rows:
        raise RowsFailed("Shape", "the model answered %d rows for %d" % (len(answers), rows))
    return answers


def _join(parts, row_count):
    """Parts of rows as whole columns; rows of no part are missing."""
    if not parts:
        return []
    if len(parts) == 1 and len(parts[0][0]) == row_count:
        return parts[0][1]
    columns = []
    for name in [name for name, _ in parts[0][1]]:
        cells = [None] * row_count
        for rows, table in parts:
            values = dict(table).get(name)
            if values is None:
                continue
            for row, value in zip(rows, values.tolist() if hasattr(values, "tolist") else values):
                cells[row] = value
        columns.append((name, to_cells(cells)))
    return columns


def class_cells(model):
    """The classes of a classifier as plain cells, or None."""
    try:
        classes = getattr(model, "classes_", None)
    except Exception:  # libraries that answer with an error of their own
        classes = None
    if classes is None or isinstance(classes, str) or not hasattr(classes, "__iter__"):
        return None
    cells = classes.tolist() if hasattr(classes, "tolist") else list(classes)
    # An array of objects keeps numpy's numbers.
    cells = [cell.item() if hasattr(cell, "item") else cell for cell in cells]
    # Regressors of some libraries keep an empty list of classes.
    return cells if cells and all(isinstance(c, (bool, int, float, str)) for c in cells) else None


def libraries():
    """Versions of what is loaded and matters for answers."""
    found = {"python": "%d.%d.%d" % sys.version_info[:3]}
    for module, name in (
        ("numpy", "numpy"),
        ("pandas", "pandas"),
        ("scipy", "scipy"),
        ("sklearn", "scikit-learn"),
        ("xgboost", "xgboost"),
        ("lightgbm", "lightgbm"),
        ("catboost", "catboost"),
        ("statsmodels", "statsmodels"),
        ("imblearn", "imbalanced-learn"),
        ("category_encoders", "category-encoders"),
        ("keras", "keras"),
        ("skops", "skops"),
        ("mlflow", "mlflow"),
    ):
        version = getattr(sys.modules.get(module), "__version__", None)
        if isinstance(version, str):
            found[name] = version
    return found
