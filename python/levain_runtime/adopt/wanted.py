"""What features.py has to give: the rows that the chosen model answered in the notebook, as it was given them."""

import ast

from . import records as _r
from .refusal import Refused

ANSWERS = ("predict", "predict_proba", "decision_function", "score", "predict_log_proba")


class Wanted:
    """event: the Prediction or Fit. node: the expression of the rows in the call; statement: the one that holds it; X: the rows as they
    were; answers: what the model said of them; site: of the call; is_test: whether the model had not been fitted on them."""

    def __init__(self, **members):
        self.event = self.node = self.statement = self.X = self.site = None
        self.is_test, self.names, self.y = False, [], None
        self.__dict__.update(members)


def model_of(namespace, choice):
    """The chosen object: a variable, or an expression of the notebook's own names."""
    name = choice.get("variable") or choice.get("expression")
    if not name:
        raise Refused("no model was chosen")
    try:
        tree = ast.parse(name, mode="eval")
    except SyntaxError:
        raise Refused("%s is no variable of the notebook" % name)
    if any(isinstance(node, ast.Call) for node in ast.walk(tree)):
        raise Refused("%s is no variable of the notebook" % name)
    try:
        return eval(compile(tree, "<model>", "eval"), {"__builtins__": {}}, namespace)
    except Exception:
        raise Refused("the notebook leaves no variable named %s" % name)


def is_of(event, model):
    estimator = event.estimator
    return estimator is model or getattr(estimator, "best_estimator_", None) is model or getattr(model, "best_estimator_", None) is estimator


def wanted_of(trace, program, model, choice):
    """The newest rows that the model was tested on, else those that it was fitted on."""
    fits = [fit for fit in trace.fits if is_of(fit, model)]
    last_fit = fits[-1] if fits else None
    after = last_fit.order if last_fit is not None else 0
    tests = [p for p in trace.predictions if is_of(p, model) and p.method in ANSWERS and p.X is not None and p.order > after]
    trained = {fit.X_print for fit in fits}
    ranked = sorted(tests, key=lambda p: _rank(p, trained, choice, trace))
    for event in reversed(ranked):
        made = _wanted(trace, program, event, event.X, event.X_print not in trained)
        if made is not None:
            return made
    made = fitted_of(trace, program, model)
    if made is not None:
        return made
    raise Refused("no call was seen that gave rows to the model", hint="Call predict or score with the test rows in a cell of its own.")


def fitted_of(trace, program, model):
    """The rows that the model was fitted on last, where they are still as they were; else None."""
    for fit in reversed([fit for fit in trace.fits if is_of(fit, model)]):
        made = _wanted(trace, program, fit, fit.X, False)
        if made is not None and _r.fingerprint(fit.X) == fit.X_print:
            return made
    return None


def _rank(event, trained, choice, trace):
    rows = choice.get("testRows") or {}
    names = getattr(event, "names", None) or []
    is_chosen = bool(rows) and rows.get("variable") in names
    return (event.X_print not in trained, (event.rows or 0) > 1, is_chosen, _is_measured(event, trace), event.order)


def _is_measured(event, trace):
    if event.y_true is not None:
        return True
    mark = _r.fingerprint(event.result)
    return any(m.y_pred_print == mark and m.order > event.order for m in trace.metrics if m.y_pred_print is not None)


def _wanted(trace, program, event, X, is_test):
    site = trace.sites.get(event.site_id)
    top = getattr(event, "top", None)
    if site is None or top is None or X is None:
        return None
    statement = next((s for s in program.statements if s.top == top), None)
    if statement is None:
        return None
    arguments = [*site.node.args, *[k.value for k in site.node.keywords if k.arg in ("X", "x", "data")]]
    node = arguments[0] if arguments and not isinstance(arguments[0], ast.Starred) else None
    if type(event.estimator).__name__ == "Booster" and type(event.estimator).__module__.startswith("xgboost"):
        node = None  # the call holds a DMatrix; its rows have a name of their own
    names = [n for n in getattr(event, "names", None) or []]
    y = arguments[1] if len(arguments) > 1 and event.__class__.__name__ == "Fit" else None
    return Wanted(event=event, node=node, statement=statement, X=X, site=site, is_test=is_test, names=names, y=y)


def is_direct(wanted, program):
    """Whether the call stands in its top-level statement itself: not in a function and not in a loop."""
    if wanted.site.function is not None or wanted.site.cell != wanted.statement.cell:
        return False
    found = [n for n in ast.walk(wanted.statement.node) if n is wanted.site.node]
    loops = (ast.For, ast.While, ast.If, ast.With, ast.Try, ast.ListComp, ast.GeneratorExp, ast.DictComp)
    inside = any(isinstance(n, loops) and any(m is wanted.site.node for m in ast.walk(n)) for n in ast.walk(wanted.statement.node))
    return bool(found) and not inside
