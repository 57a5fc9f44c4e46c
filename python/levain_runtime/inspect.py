"""Looks at a finished kernel: saves one variable as an MLflow model folder and tells a few facts about it.

Runs inside the user's kernel, after the last cell. Standard library only; Python 3.7 and newer. It never trains, predicts or
changes anything of the user's.
"""

import ast
import json
import os
import platform
import sys

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
        if not name.startswith("_") and not isinstance(value, type) and _can_predict(value) and _is_fitted(value):
            found.append(name)
    return found[:MAX_NAMES]


def _save(namespace, name, folder):
    found, model = _reach(namespace, name)
    if not found:
        others = candidates(namespace)
        hint = " Fitted models there: %s." % ", ".join(others) if others else " No fitted model is left there."
        return _problem("missing", "The notebook leaves no variable named %s.%s" % (name, hint), candidates=others)
    if not _can_predict(model):
        message = "%s is a %s, which has no predict method." % (name, _type_name(model))
        return _problem("not_a_model", message, candidates=candidates(namespace))
    if not _is_fitted(model):
        return _problem("not_fitted", "%s (%s) was never fitted." % (name, _type_name(model)))
    os.makedirs(folder, exist_ok=True)
    serializer = _dump(model, os.path.join(folder, "model.pkl"))
    facts = _facts(model, serializer)
    facts["inputs"] = _inputs(namespace, facts["features"])
    _write(os.path.join(folder, "requirements.txt"), "\n".join(facts["requirements"]) + "\n")
    _write(os.path.join(folder, "MLmodel"), _mlmodel(facts))
    return facts


def _reach(namespace, name):
    """(True, the object) of a variable, or of what one holds: ``models['rf']``, ``found[0].model``. Nothing is called."""
    if name in namespace:
        return True, namespace[name]
    try:
        return True, _value(ast.parse(name, mode="eval").body, namespace)
    except Exception:  # no such name, key or attribute; a property may raise anything
        return False, None


def _value(node, namespace):
    if isinstance(node, ast.Name):
        return namespace[node.id]
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, namespace), node.attr)
    if isinstance(node, ast.Subscript):
        key = getattr(node.slice, "value", node.slice) if type(node.slice).__name__ == "Index" else node.slice
        return _value(node.value, namespace)[ast.literal_eval(key)]
    raise ValueError("not a name, attribute or item")


def _dump(model, path):
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


def _facts(model, serializer):
    last = _last_step(model)
    return {
        "ok": True,
        "type": _type_name(model),
        "estimator": _type_name(last),
        "hasProba": _has(model, "predict_proba"),
        "classes": _plain_list(getattr(model, "classes_", None), MAX_CLASSES),
        "features": _plain_list(getattr(model, "feature_names_in_", None), MAX_FEATURES),
        "featureCount": _plain_number(getattr(model, "n_features_in_", None)),
        "serializer": serializer,
        "python": platform.python_version(),
        "requirements": _requirements(model),
    }


def _mlmodel(facts):
    sklearn = [line[len("scikit-learn=="):] for line in facts["requirements"] if line.startswith("scikit-learn==")]
    lines = ["flavors:", "  python_function:", "    env:", "      virtualenv: python_env.yaml"]
    lines += ["    loader_module: mlflow.sklearn", "    model_path: model.pkl", "    predict_fn: predict"]
    lines += ["    python_version: %s" % facts["python"]]
    if sklearn:
        lines += ["  sklearn:", "    code: null", "    pickled_model: model.pkl"]
        lines += ["    serialization_format: %s" % facts["serializer"], "    sklearn_version: %s" % sklearn[0]]
    if facts["inputs"]:
        # A YAML text in single quotes: quotes inside are doubled.
        lines += ["signature:", "  inputs: '%s'" % json.dumps(facts["inputs"]).replace("'", "''")]
        lines += ["  outputs: null", "  params: null"]
    return "\n".join(lines) + "\n"


def _inputs(namespace, features):
    """Names and types of the columns that the model was fitted on, told by the newest frame that still holds them all."""
    if not features:
        return None
    frames = [value for value in list(namespace.values()) if hasattr(value, "dtypes") and hasattr(value, "columns")]
    kinds = {}
    for frame in reversed(frames):
        try:
            if set(features) <= set(frame.columns):
                kinds = {name: frame[name].dtype for name in features}
                break
        except Exception:  # a frame of another library, or with names that do not compare
            continue
    return [{"type": _column_type(kinds.get(name)), "name": str(name), "required": True} for name in features]


def _column_type(dtype):
    """Whole numbers count as double, so that a caller may send 12.5 where the notebook's file held 12."""
    kind = getattr(dtype, "kind", "f")
    if str(dtype) in ("category", "object", "string", "str") or kind in "OSUT":
        return "string"
    if kind == "b":
        return "boolean"
    return "datetime" if kind in "Mm" else "double"


def _requirements(model):
    """Pins of what the object is made of: the distributions of the modules of its parts."""
    modules = sorted({_top_module(part) for part in _parts(model)} - {"__main__", "builtins"})
    names = {"sklearn": "scikit-learn"}
    pins = []
    for module in modules + ["numpy", "pandas", "cloudpickle"]:
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


def _has(value, name):
    try:
        return callable(getattr(value, name, None))
    except Exception:  # properties of lazy objects may raise anything
        return False


def _is_fitted(value):
    """Attributes that end in one underscore are scikit-learn's sign of fitting; other libraries are believed."""
    if not type(value).__module__.startswith("sklearn."):
        return True
    last = _last_step(value)
    return any(name.endswith("_") and not name.startswith("_") for name in getattr(last, "__dict__", {}))


def _type_name(value):
    return "%s.%s" % (type(value).__module__, type(value).__qualname__)


def _top_module(value):
    return type(value).__module__.split(".")[0]


def _plain_list(value, limit):
    if value is None:
        return None
    items = value.tolist() if hasattr(value, "tolist") else list(value)
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
