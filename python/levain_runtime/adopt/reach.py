"""Fitted objects that a notebook leaves behind, each with the simplest expression that reaches it."""

import types

from . import records as _r

MAX_ITEMS = 200
MAX_DEPTH = 3
PARTS = ("steps", "transformers", "transformer_list", "estimators", "named_steps")
INNER = ("estimator", "base_estimator", "best_estimator_", "final_estimator", "regressor", "classifier", "estimator_", "regressor_")
INNER_LISTS = ("estimators_", "transformers_", "calibrated_classifiers_")

#: Libraries whose models do not answer rows.
OTHER_TASKS = (
    ("statsmodels.tsa", "forecast"),
    ("prophet", "forecast"),
    ("fbprophet", "forecast"),
    ("pmdarima", "forecast"),
    ("sktime.forecasting", "forecast"),
    ("darts", "forecast"),
    ("surprise", "recommendation"),
    ("implicit", "recommendation"),
    ("lightfm", "recommendation"),
)


class Reached:
    """expression: how the notebook's namespace reaches it; value: the object; aliases: other expressions for the same object."""

    def __init__(self, expression, value, plain):
        self.expression, self.value, self.plain, self.aliases = expression, value, plain, []


def reached(namespace, loop_names=()):
    """[Reached] of everything that can predict, one for each object. A plain variable is preferred to an item of a container, and
    that to the variable of a loop."""
    found = {}
    for name, value in list(namespace.items()):
        if name.startswith("_") or isinstance(value, (types.ModuleType, type, types.FunctionType)):
            continue
        for expression, item in _items(name, value, 0):
            plain = 0 if expression == name and name not in loop_names else 1 if expression != name else 2
            known = found.get(id(item))
            if known is None:
                found[id(item)] = Reached(expression, item, plain)
            elif plain < known.plain:
                known.aliases.append(known.expression)
                known.expression, known.plain = expression, plain
            else:
                known.aliases.append(expression)
    return list(found.values())


def _items(expression, value, depth):
    if can_predict(value):
        yield expression, value
        return
    if depth >= MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, item in list(value.items())[:MAX_ITEMS]:
            if isinstance(key, (str, int, bool, float)):
                yield from _items("%s[%r]" % (expression, key), item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for position, item in enumerate(value[:MAX_ITEMS]):
            yield from _items("%s[%d]" % (expression, position), item, depth + 1)
    elif type(value).__module__ == "__main__" and hasattr(value, "__dict__"):
        for name, item in list(vars(value).items())[:MAX_ITEMS]:
            yield from _items("%s.%s" % (expression, name), item, depth + 1)


def can_predict(value):
    if isinstance(value, (type, types.ModuleType)):
        return False
    try:
        return callable(getattr(type(value), "predict", None)) or (callable(getattr(value, "predict", None)) and not _r.is_data(value))
    except Exception:  # properties of lazy objects may raise anything
        return False


def is_fitted(value):
    """scikit-learn's sign of fitting; other libraries are asked in their own ways, else believed."""
    module = type(value).__module__.split(".")[0]
    try:
        if module == "catboost":
            return bool(value.is_fitted())
        if module == "xgboost" and hasattr(value, "get_booster"):
            value.get_booster()
            return True
        if module == "lightgbm" and hasattr(value, "fitted_"):
            return bool(value.fitted_)
        if type(value).__name__ == "Booster":
            return True
    except Exception:
        return False
    if hasattr(value, "steps") and isinstance(value.steps, list) and value.steps:
        return is_fitted(value.steps[-1][1]) if hasattr(value.steps[-1][1], "fit") else True
    if module in ("sklearn", "imblearn", "lightgbm") or hasattr(type(value), "get_params"):
        return any(name.endswith("_") and not name.startswith("_") for name in getattr(value, "__dict__", {}))
    if module == "statsmodels":
        return hasattr(value, "params")
    return True


def parts_of(value, depth=0):
    """Objects inside a fitted one: steps, branches, inner estimators, members of an object of the notebook's own classes."""
    if depth > 4:
        return
    for part in _direct_parts(value):
        yield part
        yield from parts_of(part, depth + 1)


def _direct_parts(value):
    for name in PARTS + INNER_LISTS:
        for item in _listed(getattr_quietly(value, name)):
            for part in item if isinstance(item, (tuple, list)) else [item]:
                if hasattr(part, "fit") and not isinstance(part, type):
                    yield part
    for name in INNER:
        part = getattr_quietly(value, name)
        if hasattr(part, "fit") and not isinstance(part, type):
            yield part
    if type(value).__module__ == "__main__":
        for part in list(getattr(value, "__dict__", {}).values())[:MAX_ITEMS]:
            if hasattr(part, "fit") and not isinstance(part, type):
                yield part


def _listed(value):
    if isinstance(value, dict):
        return list(value.values())[:MAX_ITEMS]
    return value[:MAX_ITEMS] if isinstance(value, (list, tuple)) else []


def getattr_quietly(value, name):
    try:
        return getattr(value, name, None)
    except Exception:  # best_estimator_ before the fit, and properties that depend on parameters
        return None


def last_step(value):
    """What answers in the end: the last step of a pipeline, the best estimator of a search, the regressor inside a wrapper."""
    for _ in range(6):
        steps = getattr_quietly(value, "steps")
        if isinstance(steps, list) and steps:
            value = steps[-1][1]
            continue
        best = getattr_quietly(value, "best_estimator_")
        if best is not None and best is not value:
            value = best
            continue
        return value
    return value


def task_of(value):
    """'classification', 'regression', 'clustering', 'outliers', 'forecast', 'recommendation'; None where it takes data to tell."""
    for prefix, other in OTHER_TASKS:
        if type(value).__module__.startswith(prefix):
            return other
    kind = _estimator_type(value)
    last = last_step(value)
    if kind is None and last is not value:
        kind = _estimator_type(last)
    known = {"classifier": "classification", "regressor": "regression", "clusterer": "clustering", "outlier_detector": "outliers", "DensityEstimator": "clustering", "density_estimator": "clustering"}
    if kind in known:
        return known[kind]
    name, module = type(last).__name__, type(last).__module__.split(".")[0]
    if module == "statsmodels":
        return _statsmodels_task(last)
    if module in ("xgboost", "lightgbm", "catboost"):
        return _booster_task(last, name)
    if getattr_quietly(last, "classes_") is not None or hasattr(type(last), "predict_proba"):
        return "classification"
    return None


def _estimator_type(value):
    tags = getattr(type(value), "__sklearn_tags__", None)
    if tags is not None:
        try:
            kind = value.__sklearn_tags__().estimator_type
            if kind is not None:
                return kind
        except Exception:  # classes of other libraries that mix old and new ways
            pass
    kind = getattr_quietly(value, "_estimator_type")
    return kind if isinstance(kind, str) else None


def _statsmodels_task(results):
    model = getattr_quietly(results, "model")
    name = type(model).__name__
    if name in ("Logit", "Probit", "MNLogit", "ConditionalLogit"):
        return "classification"
    family = type(getattr_quietly(model, "family")).__name__
    if name == "GLM":
        return "classification" if family == "Binomial" else "regression"
    return "regression" if name in ("OLS", "WLS", "GLS", "GLSAR", "RLM", "QuantReg", "Poisson", "NegativeBinomial") else None


def _booster_task(booster, name):
    if "Classifier" in name or "Regressor" in name:
        return "classification" if "Classifier" in name else "regression"
    objective = ""
    try:
        if hasattr(booster, "save_config"):
            import json

            objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
        elif hasattr(booster, "params"):
            objective = str(booster.params.get("objective") or booster.params.get("application") or "regression")
    except Exception:
        return None
    if any(word in objective for word in ("binary", "multi", "logistic")):
        return "classification"
    return "regression" if objective else None
