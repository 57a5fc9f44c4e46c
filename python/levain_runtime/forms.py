"""What differs between libraries: how a fitted object answers a frame, how it is kept on disk, and what it tells of itself.

Nothing here imports a library that the object does not come from.
"""

import os
import re
import sys

# Libraries whose objects answer `predict(frame)` and are kept as a pickle.
KERAS_FILE = "model.keras"
# Why an object that was trained all the same cannot be served as it is.
NO_PREDICT = {
    "torch": "a PyTorch module, whose forward pass is written in the notebook; give it a class with predict(df)",
    "spacy": "a spaCy pipeline, which reads one text at a time; give it a class with predict(df)",
    "transformers": "a Transformers model, which needs its tokenizer; give both a class with predict(df)",
    "pyspark": "a Spark model, which needs a Spark session",
    "h2o": "an H2O model, which lives in an H2O server",
    "fastai": "a fastai learner, which reads one item at a time; give it a class with predict(df)",
    "gensim": "a gensim model, which gives vectors; train something on them",
}


def library_of(model):
    """The library whose rules an object follows: of its class, else of the nearest class that it is made from."""
    for base in type(model).__mro__:
        top = base.__module__.split(".")[0]
        if top in ("sklearn", "imblearn", "xgboost", "lightgbm", "catboost", "statsmodels", "keras", "tensorflow", "tf_keras", "torch") or top in NO_PREDICT:
            return "keras" if top in ("tensorflow", "tf_keras") else top
    return type(model).__module__.split(".")[0]


def is_xgboost_booster(model):
    return type(model).__name__ == "Booster" and type(model).__module__.startswith("xgboost.")


def is_lightgbm_booster(model):
    return type(model).__name__ == "Booster" and type(model).__module__.startswith("lightgbm.")


def why_not(model):
    """Why an object that looks like a model is none that can be served; None where nothing stands against it."""
    module = library_of(model)
    if module in NO_PREDICT and not (callable(getattr(model, "predict", None)) and module == "torch"):
        return NO_PREDICT[module]
    return None


def is_fitted(model):
    """False only where the object itself shows that it never was: an estimator that says nothing is believed."""
    kind = library_of(model)
    try:
        return _FITTED.get(kind, _anything)(model)
    except Exception:
        return False


def _anything(model):
    return True


def _sklearn_fitted(model):
    steps = getattr(model, "steps", None)
    last = steps[-1][1] if isinstance(steps, list) and steps else model
    if last is not model:
        return is_fitted(last)
    return any(name.endswith("_") and not name.startswith("_") for name in getattr(last, "__dict__", {}))


def _xgboost_fitted(model):
    return is_xgboost_booster(model) or model.get_booster() is not None


def _lightgbm_fitted(model):
    return is_lightgbm_booster(model) or model.booster_ is not None


def _catboost_fitted(model):
    return bool(model.is_fitted())


def _statsmodels_fitted(model):
    """`sm.OLS(y, X)` has a predict method too, and knows nothing yet."""
    return hasattr(model, "params")


_FITTED = {
    "sklearn": _sklearn_fitted,
    "imblearn": _sklearn_fitted,
    "xgboost": _xgboost_fitted,
    "lightgbm": _lightgbm_fitted,
    "catboost": _catboost_fitted,
    "statsmodels": _statsmodels_fitted,
}


def feature_names(model):
    """Columns that the model was fitted on, by name; None where it was given arrays."""
    for read in _NAMES:
        try:
            names = read(model)
        except Exception:  # asked of an object that keeps no names, each library complains in its own way
            continue
        if names is not None and len(names) > 0:
            names = [str(name) for name in names]
            return None if _are_numbers(names) else names
    return None


def statsmodels_columns(model):
    """Columns of the training frame that the right side of a formula names, or those of the frame that was given as exog."""
    data = model.model.data
    if not hasattr(model.model, "formula"):
        return list(data.orig_exog.columns) if hasattr(data.orig_exog, "columns") else None
    right = str(model.model.formula).split("~", 1)[1]
    words = set(re.findall(r"[A-Za-z_]\w*", right)) | {match[1] for match in re.findall(r"""Q\(\s*(['"])(.+?)\1\s*\)""", right)}
    return [name for name in data.frame.columns if name in words]


_NAMES = (
    lambda model: statsmodels_columns(model) if library_of(model) == "statsmodels" else None,
    lambda model: model.feature_names_in_,
    lambda model: model.get_booster().feature_names,
    lambda model: model.feature_names if is_xgboost_booster(model) else None,
    lambda model: model.feature_name_,
    lambda model: model.feature_name() if is_lightgbm_booster(model) else None,
    lambda model: model.feature_names_,
)


def _are_numbers(names):
    """`Column_0`, `f0` and `0` are what libraries call columns without a name."""
    return all(name in ("Column_%d" % i, "f%d" % i, str(i)) for i, name in enumerate(names))


def answer(model, frame):
    """What `model.predict` says of a frame, in the library's own form."""
    if is_xgboost_booster(model):
        return model.predict(_dmatrix(model, frame))
    if library_of(model) == "keras":
        return model.predict(_matrix(model, frame), verbose=0)
    return model.predict(frame)


def _dmatrix(model, frame):
    import xgboost

    has_categories = any(str(kind) == "category" for kind in getattr(frame, "dtypes", ()))
    if model.feature_names is None or _are_numbers([str(name) for name in model.feature_names]):
        # Trained on an array: names in the frame would be other names.
        return xgboost.DMatrix(frame.to_numpy() if hasattr(frame, "to_numpy") else frame)
    return xgboost.DMatrix(frame, enable_categorical=True) if has_categories else xgboost.DMatrix(frame)


def _matrix(model, frame):
    """Networks take arrays; a frame of one kind of number is one."""
    return frame.to_numpy(dtype="float32") if hasattr(frame, "to_numpy") else frame


def dump(model, folder):
    """Writes the object into ``folder``; gives {serializer, flavor, file}. Raises what the object's own pickling raises."""
    kind = library_of(model)
    if kind == "keras":
        return _dump_keras(model, folder)
    serializer = _pickle(model, os.path.join(folder, "model.pkl"))
    return {"serializer": serializer, "flavor": kind if kind in ("xgboost", "lightgbm", "catboost", "statsmodels") else "sklearn", "file": "model.pkl"}


def _pickle(model, path):
    """By value where the class stands in the notebook itself: cloudpickle, joblib's copy of it, then plain pickle."""
    for module, label in (("cloudpickle", "cloudpickle"), ("joblib.externals.cloudpickle", "cloudpickle"), ("pickle", "pickle")):
        try:
            pickler = __import__(module, fromlist=["dump"])
        except ImportError:
            continue
        with open(path, "wb") as file:
            pickler.dump(model, file, protocol=4)
        return label
    raise RuntimeError("no pickler")


def _dump_keras(model, folder):
    try:
        model.save(os.path.join(folder, KERAS_FILE))
        return {"serializer": "keras", "flavor": "keras", "file": KERAS_FILE, "key": "keras_file"}
    except (ValueError, TypeError, ImportError, NotImplementedError):
        # Before Keras 2.12 the older format is the one that fits into a file.
        model.save(os.path.join(folder, "model.h5"))
        return {"serializer": "keras", "flavor": "keras", "file": "model.h5", "key": "keras_file"}


def load_keras(path):
    for name in ("keras", "tf_keras"):
        try:
            library = __import__(name)
            return library.models.load_model(path, compile=False)
        except ImportError:
            continue
    from tensorflow import keras

    return keras.models.load_model(path, compile=False)


# Libraries that take a column's categories by their position, which a frame of other rows has in another order.
BY_POSITION = ("xgboost", "lightgbm")


def categories(model, frame):
    """{column: categories} of the frame that the model was fitted on, where it takes categories by position."""
    if library_of(model) not in BY_POSITION or frame is None:
        return {}
    found = {}
    for name in frame.columns:
        if str(frame[name].dtype) == "category":
            found[str(name)] = [value.item() if hasattr(value, "item") else value for value in frame[name].cat.categories]
    return found


def with_categories(frame, known):
    """The frame with the training rows' categories. A category that was never seen takes its row out of the answer."""
    import pandas

    if not known or not hasattr(frame, "columns"):
        return frame
    refused = {}
    frame = frame.copy(deep=False)
    for name, values in known.items():
        if name not in frame.columns:
            continue
        column = frame[name]
        unseen = column.notna() & ~column.astype("object").isin(values)
        for at in [i for i, is_unseen in enumerate(unseen.tolist()) if is_unseen]:
            refused.setdefault(at, "%s is %r, which was not there in training" % (name, column.iloc[at]))
        frame[name] = pandas.Categorical(column.astype("object"), categories=values)
    if refused:
        raise RowsRefused(refused)
    return frame


class RowsRefused(ValueError):
    """Rows that cannot be answered, each with its reason; the others can."""

    def __init__(self, rows):
        super().__init__("%d rows are refused, the first: %s" % (len(rows), next(iter(rows.values()), "")))
        self.rows = rows


