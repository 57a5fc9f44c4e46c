"""Loads feature modules and model files, builds pandas frames from raw columns, and runs both, row by row where a row fails."""

import os
import re
import sys
import types

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
    """A model from an MLflow folder or one skops, pickle or joblib file."""
    if os.path.isfile(path):
        return load_file(path)
    with open(os.path.join(path, "MLmodel"), encoding="utf-8") as source:
        text = source.read()
    code = _value(text, "code")
    if code:
        sys.path.insert(0, os.path.join(path, code))
    pickled = _value(text, "pickled_model")
    if pickled and re.search(r"^  sklearn:", text, re.M):
        return load_file(os.path.join(path, pickled))
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
        self.features = load_features(features_path) if features_path else None
        self.model = load_model(model_path) if model_path else None

    def run(self, stage, columns, row_count, column_types=None):
        """(columns, errors): result columns as [(name, cells)] over all rows, errors as [(row, kind, message)]. The types are of raw columns."""
        is_raw = stage != "model" or self.features is None
        frame = make_frame(columns, (column_types or {}) if is_raw else {})
        parts = []
        errors = []
        pending = [(0, row_count)]
        attempts = 0
        while pending:
            low, high = pending.pop()
            attempts += 1
            try:
                parts.append((low, high, self._stage(stage, frame.iloc[low:high].reset_index(drop=True))))
            except (Exception, SystemExit) as error:
                kind = error.kind if isinstance(error, RowsFailed) else type(error).__name__
                if high - low == 1 or attempts >= MAX_ATTEMPTS:
                    errors.extend((row, kind, describe(error)) for row in range(low, high))
                else:
                    middle = (low + high) // 2
                    pending.extend([(middle, high), (low, middle)])
        return _join(parts, row_count), errors

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
        return predict(self.model, frame, rows)


def _aligned(result, rows):
    if result is None:
        raise RowsFailed("Shape", "features(df) returned None; return the frame")
    if not hasattr(result, "__len__") or len(result) != rows:
        got = len(result) if hasattr(result, "__len__") else type(result).__name__
        raise RowsFailed("Shape", "features(df) returned %s rows for %d; keep every row" % (got, rows))
    index = getattr(result, "index", None)
    if index is not None and callable(getattr(result, "reindex", None)) and list(index) != list(range(rows)):
        if sorted(index) != list(range(rows)):
            raise RowsFailed("Shape", "features(df) changed the index; keep the rows' own")
        return result.sort_index()
    return result


def _table(result):
    if hasattr(result, "columns"):
        return [(str(name), to_column(result[name])) for name in result.columns]
    if hasattr(result, "name") and hasattr(result, "index"):
        return [(str(result.name), to_column(result))]
    import numpy

    matrix = numpy.asarray(result)
    matrix = matrix.reshape(len(matrix), -1)
    return [("x%d" % i, to_cells(matrix[:, i])) for i in range(matrix.shape[1])]


def predict(model, frame, rows):
    """`predict` and, where the model has it, `predict_proba:<class>` in the order of classes_."""
    answers = model.predict(frame)
    columns = [("predict", to_cells(_flat(answers, rows)))]
    if hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(frame)
        if isinstance(probabilities, list):
            raise RowsFailed("Shape", "the model has several outputs")
        classes = getattr(model, "classes_", range(probabilities.shape[1]))
        for k, name in enumerate(classes):
            columns.append(("predict_proba:%s" % (name,), to_cells(probabilities[:, k])))
    return columns


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
    if len(parts) == 1 and parts[0][:2] == (0, row_count):
        return parts[0][2]
    names = [name for name, _ in parts[0][2]]
    columns = []
    for name in names:
        cells = [None] * row_count
        for low, high, table in parts:
            values = dict(table).get(name)
            if values is not None:
                cells[low:high] = values.tolist() if hasattr(values, "tolist") else values
        columns.append((name, to_cells(cells)))
    return columns


def class_cells(model):
    """The classes of a classifier as plain cells, or None."""
    classes = getattr(model, "classes_", None)
    if classes is None:
        return None
    cells = classes.tolist() if hasattr(classes, "tolist") else list(classes)
    return cells if all(isinstance(c, (bool, int, float, str)) for c in cells) else None


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
        ("skops", "skops"),
        ("mlflow", "mlflow"),
    ):
        version = getattr(sys.modules.get(module), "__version__", None)
        if isinstance(version, str):
            found[name] = version
    return found
