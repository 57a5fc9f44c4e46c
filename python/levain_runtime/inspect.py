"""Looks at a finished kernel: saves one variable as an MLflow model folder and tells a few facts about it.

Runs inside the user's kernel, after the last cell. Standard library only; Python 3.7 and newer. It never trains, predicts or
changes anything of the user's.
"""

import json
import os
import platform
import sys

from . import code_paths as _code_paths
from . import forms as _forms
from . import reaching as _reaching

MAX_NAMES = 20
MAX_FEATURES = 2000
MAX_CLASSES = 1000


def save_variable(namespace, name, folder, facts_path):
    """Writes ``folder`` (MLmodel, model.pkl, requirements.txt) and the facts as JSON to ``facts_path``.

    What cannot be saved is told in the facts (``ok: false`` with ``kind`` and ``message``); nothing is raised for it.
    """
    try:
        facts = _save(namespace, name, folder)
    except Exception as error:  # the user's object decides what pickling it may raise
        facts = _problem("not_saved", "%s could not be saved: %s: %s" % (name, type(error).__name__, error))
    temporary = facts_path + ".tmp"
    with open(temporary, "w") as file:
        json.dump(facts, file)
    os.replace(temporary, facts_path)


def candidates(namespace):
    """Names of variables that can predict and were fitted, in the order in which they were made."""
    found = []
    for name, value in list(namespace.items()):
        if not name.startswith("_") and not isinstance(value, type) and _can_predict(value) and _forms.is_fitted(value):
            found.append(name)
    return found[:MAX_NAMES]


def _save(namespace, name, folder):
    found, model = _reaching.reach(namespace, name)
    if not found:
        others = candidates(namespace)
        hint = " Fitted models there: %s." % ", ".join(others) if others else " No fitted model is left there."
        return _problem("missing", "The notebook leaves no variable named %s.%s" % (name, hint), candidates=others)
    why_not = _forms.why_not(model)
    if why_not:
        return _problem("not_served", "%s is %s." % (name, why_not), candidates=candidates(namespace))
    if not _can_predict(model):
        message = "%s is a %s, which has no predict method." % (name, _type_name(model))
        return _problem("not_a_model", message, candidates=candidates(namespace))
    if not _forms.is_fitted(model):
        return _problem("not_fitted", "%s (%s) was never fitted." % (name, _type_name(model)))
    os.makedirs(folder, exist_ok=True)
    kept = _forms.dump(model, folder)
    if kept["serializer"] == "pickle" and any(_top_module(part) == "__main__" for part in _parts(model)):
        return _problem("not_saved", "%s is made of classes of the notebook, which only cloudpickle can save; add cloudpickle to the environment." % name)
    facts = _facts(model, kept["serializer"])
    frame = _training_frame(namespace, facts["features"])
    facts["inputs"] = _inputs(model, frame, facts["features"])
    facts["flavor"] = kept["flavor"]
    facts["code"] = _code_paths.copy_modules(os.path.join(folder, kept["file"]), folder) if kept["file"].endswith(".pkl") else []
    _write_categories(model, frame, folder)
    _write(os.path.join(folder, "requirements.txt"), "\n".join(facts["requirements"]) + "\n")
    _write(os.path.join(folder, "MLmodel"), mlmodel(facts, kept))
    return facts


def _write_categories(model, frame, folder):
    known = _forms.categories(model, frame)
    if known:
        os.makedirs(os.path.join(folder, "levain"), exist_ok=True)
        _write(os.path.join(folder, "levain", "categories.json"), json.dumps(known))


def _facts(model, serializer):
    last = _last_step(model)
    return {
        "ok": True,
        "type": _type_name(model),
        "estimator": _type_name(last),
        "hasProba": _has(model, "predict_proba"),
        "classes": _plain_list(_get(model, "classes_"), MAX_CLASSES),
        "features": _plain_list(_forms.feature_names(model), MAX_FEATURES),
        "featureCount": _plain_number(_get(model, "n_features_in_")),
        "serializer": serializer,
        "python": platform.python_version(),
        "requirements": requirements(model),
    }


def mlmodel(facts, kept):
    """The text of an MLmodel file; `key` of what was kept says how its file is loaded."""
    flavor, code = kept["flavor"], _code_paths.FOLDER if facts["code"] else "null"
    package = "scikit-learn" if flavor == "sklearn" else flavor
    versions = [line[len(package) + 2 :] for line in facts["requirements"] if line.startswith(package + "==")]
    lines = ["flavors:", "  python_function:", "    code: %s" % code, "    env:", "      virtualenv: python_env.yaml"]
    # MLflow's loader of scikit-learn's flavor loads any pickle; its loaders of other flavors want files of their own.
    lines += ["    loader_module: mlflow.sklearn", "    model_path: %s" % kept["file"], "    predict_fn: predict"]
    lines += ["    python_version: %s" % facts["python"]]
    lines += ["  %s:" % flavor, "    code: %s" % code]
    lines += ["    %s: %s" % (kept.get("key", "pickled_model"), kept["file"])]
    lines += ["    serialization_format: %s" % facts["serializer"]]
    lines += ["    %s_version: %s" % (flavor, versions[0])] if versions else []
    if facts["inputs"]:
        # A YAML text in single quotes: quotes inside are doubled.
        lines += ["signature:", "  inputs: '%s'" % json.dumps(facts["inputs"]).replace("'", "''")]
        lines += ["  outputs: null", "  params: null"]
    return "\n".join(lines) + "\n"


def _training_frame(namespace, features):
    """The newest frame that still holds all columns that the model was fitted on."""
    if not features:
        return None
    frames = [value for value in list(namespace.values()) if hasattr(value, "dtypes") and hasattr(value, "columns")]
    for frame in reversed(frames):
        try:
            if set(features) <= {str(name) for name in frame.columns}:
                return frame[[name for name in frame.columns if str(name) in set(features)]]
        except Exception:  # a frame of another library, or with names that do not compare
            continue
    return None


def _inputs(model, frame, features):
    """Names and types of the columns that the model was fitted on."""
    if not features:
        return None
    kinds = {} if frame is None else {str(name): frame[name].dtype for name in frame.columns if frame[name].ndim == 1}
    coded = set(_category_columns(model))
    return [{"type": column_type(kinds.get(name), name in coded), "name": name, "required": True} for name in features]


def _category_columns(model):
    """CatBoost's columns of categories: there 1 and 1.0 are different words."""
    if not _has(model, "get_cat_feature_indices"):
        return []
    return [str(model.feature_names_[i]) for i in model.get_cat_feature_indices()]


def column_type(dtype, is_category=False):
    """Whole numbers count as double, so that a caller may send 12.5 where the notebook's file held 12."""
    kind = getattr(dtype, "kind", "f")
    if str(dtype) in ("category", "object", "string", "str") or kind in "OSUT":
        return "string"
    if kind == "b":
        return "boolean"
    if is_category and kind in "iu":
        return "long"
    return "datetime" if kind in "Mm" else "double"


def requirements(model):
    """Pins of what the object is made of: the distributions of the modules of its parts."""
    modules = sorted({_top_module(part) for part in _parts(model)} - {"__main__", "builtins"})
    names = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn", "category_encoders": "category-encoders"}
    based = ["sklearn"] if any(base.__module__.split(".")[0] == "sklearn" for part in _parts(model) for base in type(part).__mro__) else []
    pins = []
    for module in modules + based + ["numpy", "pandas", "cloudpickle"]:
        loaded = sys.modules.get(module)
        version = getattr(loaded, "__version__", None)
        if isinstance(version, str):
            pin = "%s==%s" % (names.get(module, module), version)
            if pin not in pins:
                pins.append(pin)
    return pins


def _parts(model):
    """The object and the estimators inside pipelines and column transformers, a few levels deep."""
    found, queue = [], [(model, 0)]
    while queue and len(found) < 200:
        value, depth = queue.pop()
        found.append(value)
        if depth >= 4:
            continue
        for attribute in ("steps", "transformers", "estimators"):
            for item in _as_list(getattr(value, attribute, None)):
                parts = item if isinstance(item, (tuple, list)) else [item]
                queue.extend((part, depth + 1) for part in parts if hasattr(part, "fit"))
        for attribute in ("estimator", "base_estimator", "best_estimator_"):
            part = getattr(value, attribute, None)
            if hasattr(part, "fit"):
                queue.append((part, depth + 1))
    return found


def _as_list(value):
    return value if isinstance(value, (list, tuple)) else []


def _last_step(model):
    steps = getattr(model, "steps", None)
    return steps[-1][1] if isinstance(steps, list) and steps else model


def _can_predict(value):
    return _has(value, "predict")


def _get(value, name):
    try:
        return getattr(value, name, None)
    except Exception:  # as below
        return None


def _has(value, name):
    try:
        return callable(getattr(value, name, None))
    except Exception:  # properties of lazy objects may raise anything
        return False


def _type_name(value):
    return "%s.%s" % (type(value).__module__, type(value).__qualname__)


def _top_module(value):
    return type(value).__module__.split(".")[0]


def _plain_list(value, limit):
    if value is None or isinstance(value, str) or not hasattr(value, "__iter__"):
        return None
    items = value.tolist() if hasattr(value, "tolist") else list(value)
    if not items:
        return None
    return [item if isinstance(item, (str, int, float, bool)) else str(item) for item in items[:limit]]


def _plain_number(value):
    return int(value) if value is not None else None


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)


def _problem(kind, message, **more):
    facts = {"ok": False, "kind": kind, "message": message}
    facts.update(more)
    return facts
