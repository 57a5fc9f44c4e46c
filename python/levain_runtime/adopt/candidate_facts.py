"""A candidate as candidates.json has it: plain values only."""

import ast
import math

from . import records as _r
from .reach import getattr_quietly, last_step
from .target import plain

MAX_FEATURES = 5000
MAX_CLASSES = 1000
ASKED_WITH_X_FIRST = frozenset("predict predict_proba decision_function score evaluate predict_classes predict_log_proba".split())


def facts_of(finder, candidate):
    fit, test = candidate.fit, candidate.test
    return {
        "expression": candidate.expression,
        "variable": candidate.expression if candidate.expression.isidentifier() else None,
        "aliases": candidate.aliases[:10],
        "type": _r.type_name(candidate.value),
        "estimator": _r.type_name(last_step(candidate.value)),
        "cell": fit.cell if fit is not None else None,
        "fit": _fit(fit),
        "score": _score(candidate),
        "evidence": candidate.evidence,
        "confidence": candidate.confidence,
        "testRows": _test_rows(finder.trace, test),
        "trainRows": fit.rows if fit is not None else None,
        "task": candidate.task,
        "classes": classes_of(candidate.value),
        "target": _target(candidate),
        "targetWhy": candidate.target_why,
        "features": features_of(candidate),
        "dependsOnFailed": candidate.failed,
        "printedAnswersHold": candidate.holds,
        "why_not": candidate.why_not,
    }


def _fit(fit):
    return None if fit is None else {"order": fit.order, "site": fit.site_id, "cell": fit.cell, "rows": fit.rows}


def _score(candidate):
    """The number that the notebook computed on the test rows; else accuracy or r2, computed here (``by``: 'adopt')."""
    test = candidate.test
    if test is None:
        return None
    score, by = test.score, "notebook"
    if score is None:
        score, by = _own_score(candidate), "adopt"
    if score is None or not math.isfinite(score[1]):
        return None
    name = score[0]
    if name == "score":
        name = "r2" if candidate.task == "regression" else "accuracy"
    return {"name": name, "value": score[1], "rows": test.prediction.rows, "heldOut": bool(test.held_out), "by": by}


def _own_score(candidate):
    test, numpy = candidate.test, _r.module("numpy")
    if test.y_true is None or test.prediction.method not in ("predict", "predict_classes") or test.prediction.result is None:
        return None
    try:
        truth, answers = numpy.asarray(test.y_true).ravel(), numpy.asarray(test.prediction.result).ravel()
        if truth.shape != answers.shape:
            return None
        if candidate.task == "regression":
            rest = ((truth - answers) ** 2).sum()
            return "r2", float(1 - rest / ((truth - truth.mean()) ** 2).sum())
        return "accuracy", float((truth.astype(str) == answers.astype(str)).mean())
    except Exception:
        return None


def _test_rows(trace, test):
    if test is None:
        return None
    p = test.prediction
    return {
        "variable": argument_text(trace, p),
        "cell": p.cell,
        "rows": p.rows,
        "site": p.site_id,
        "order": p.order,
        "method": p.method,
        "heldOut": bool(test.held_out),
        "labelled": bool(test.labelled),
    }


def argument_text(trace, prediction):
    """The text of the X that the call was given, as the notebook writes it."""
    site = trace.sites.get(prediction.site_id)
    run = trace.cell(site.cell) if site is not None else None
    if run is None or site.embedded:
        return None
    position = 0 if prediction.method in ASKED_WITH_X_FIRST else 1
    nodes = list(site.node.args[position : position + 1]) + [k.value for k in site.node.keywords if k.arg in ("X", "x", "data")]
    return ast.get_source_segment(run.source, nodes[0]) if nodes else None


def classes_of(value):
    classes = getattr_quietly(value, "classes_")
    if classes is None:
        classes = getattr_quietly(last_step(value), "classes_")
    try:
        return None if classes is None else [plain(item) for item in list(classes)[:MAX_CLASSES]]
    except TypeError:
        return None


def features_of(candidate):
    names = getattr_quietly(candidate.value, "feature_names_in_")
    if names is None and candidate.fit is not None:
        names = candidate.fit.X_columns
    if names is None:
        names = getattr_quietly(candidate.value, "feature_names_")
    try:
        return [str(name) for name in list(names)[:MAX_FEATURES]] if names is not None else []
    except TypeError:
        return []


def _target(candidate):
    target = candidate.target
    if target is None:
        return None
    classes = classes_of(candidate.value)
    if classes is None and candidate.task == "classification" and target.codes is not None and {str(plain(code)) for code in target.codes} == {"0", "1"}:
        classes = [0, 1]  # boosters and results of other libraries name none
    binary = candidate.task == "classification" and classes is not None and len(classes) == 2
    codes = None
    if target.codes is not None and candidate.task != "regression":
        codes = [{"code": plain(code), "words": [plain(word) for word in words[:50]]} for code, words in list(target.codes.items())[:200]]
    return {
        "column": str(target.column),
        "positive": target.word_of(classes[1]) if binary else None,
        "positiveCode": classes[1] if binary else None,
        "path": target.read.path,
        "equal": target.equal,
        "codes": codes,
        "certain": target.certain,
        "how": target.how,
    }
