"""Writes what an attempt found: features.py, the model's folder, what the proof needs, and the facts."""

import json
import os
import pickle
import re
import time

from .. import forms as _forms
from .. import inspect as _inspect
from . import adopted_rows as _adopted_rows
from . import brought as _brought
from . import records as _records
from .coding import coding_rule, same_cell
from .compose import literal
from .match import labels_of, match
from .refusal import Refused
from .run import run_over, take
from .trained import trained_facts, trained_notes

MAX_CATEGORIES = 50
MAX_GOLDEN = 200
#: Parts of a size that are asked for anyway, and until when more are.
MIN_PARTS, MAX_PART_SECONDS = 10, 1.5
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$")
KEY_NAME = re.compile(r"(^|[^a-z])(id|key|no|nr|number|code|index)$|(Id|ID|Key|No)$|^id")


def write_out(ip, choice, attempt, out_dir):
    text = attempt.text()
    features = attempt.features()
    made, known, refused = run_over(features, attempt.raw)
    rows = match(made, known, attempt.wanted.X, labels_of(attempt.wanted.X))
    if sum(row is None for row in rows) != attempt.made_up:
        raise Refused("the test rows were lost when columns that are not needed were left out")
    answers = answers_of(attempt)
    if attempt.made_up:
        found = [at for at, row in enumerate(rows) if row is not None]
        rows, answers = [rows[at] for at in found], {name: values[found] for name, values in answers.items()}
    noise = noise_of(attempt.model, attempt.wanted.X, answers["predict"])
    check(attempt.model, made, known, rows, answers, noise)
    model_dir = os.path.join(out_dir, "model")
    model_facts = save_model(ip, choice, attempt.model, model_dir)
    os.makedirs(os.path.join(model_dir, "levain"), exist_ok=True)
    if attempt.learned:
        dump(attempt.learned, os.path.join(model_dir, "levain", "learned.pkl"))
    _adopted_rows.write(attempt, made, known, model_dir)
    columns = columns_as_they_are(attempt, rows, answers)
    if columns is None:
        with open(os.path.join(out_dir, "features.py"), "w", encoding="utf-8") as file:
            file.write(text)
    proof = {"columns": columns, "raw": attempt.raw, "rows": rows, "answers": answers, "unused": attempt.unused, "target": attempt._target(), "noise": noise}
    dump(proof, os.path.join(out_dir, "proof.pkl"))
    write_golden(attempt, rows, answers, os.path.join(out_dir, "golden.json"))
    facts = facts_of(attempt, rows, refused, model_facts)
    facts["brought"] = _brought.write(attempt, out_dir)
    trained = trained_facts(attempt, made, known, rows, ask, equal)
    facts.update(trained or {})
    facts["notes"] += trained_notes(trained)
    if columns is not None:
        facts.update(
            features=False, learned=[], statements=0, refusedRows=0, refusals=[],
            rawColumns=[column_facts(attempt.raw, name) for name in columns],
            droppedColumns=[str(name) for name in attempt.raw.columns if name not in columns],
        )  # fmt: skip
    return facts


def columns_as_they_are(attempt, rows, answers):
    """The file's columns that the model takes as they stand there, where it says the same without any features.py; else None."""
    X, raw = attempt.wanted.X, attempt.raw
    if attempt.learned or not hasattr(X, "columns") or not set(X.columns) <= set(raw.columns) or attempt.after_read:
        return None
    if not all(isinstance(name, str) for name in X.columns):
        return None
    from ..models import make_frame
    from .prove import columns_of

    part = raw[list(X.columns)].iloc[rows].reset_index(drop=True)
    frame = make_frame(columns_of(part), {})
    try:
        if not equal(ask(attempt.model, frame), answers["predict"]):
            return None
        alone = ask(attempt.model, frame.iloc[:1])
    except Exception:  # the model wants what only the notebook's statements give
        return None
    return list(X.columns) if equal(alone, answers["predict"][:1]) else None


def answers_of(attempt):
    """What the notebook's model says of its test rows: what it said in the notebook where that was kept, else what it says now."""
    model, X, event = attempt.model, attempt.wanted.X, attempt.wanted.event
    found = {"predict": ask(model, X)}
    method = getattr(event, "method", None)
    if method == "predict" and event.result is not None and not equal(_labels(model, event.result), found["predict"]):
        raise Refused(
            "the model no longer gives the answers that it gave in cell %d: it was changed afterwards" % event.cell, event.cell,
            hint="Keep it in a variable of its own, and fit nothing that it holds a second time.",
        )  # fmt: skip
    if hasattr(model, "predict_proba"):
        try:
            found["proba"] = _plain(model.predict_proba(X))
        except Exception:  # SVC without probability=True
            pass
    return found


def ask(model, X):
    """The label of each row; where the model answers one score a class and no label, the number of the highest."""
    return _labels(model, _forms.answer(model, X))


def _labels(model, values):
    said = _plain(values)
    return said.argmax(axis=1) if said.ndim == 2 and not hasattr(model, "predict_proba") else said


def _plain(values):
    import numpy

    values = values.to_numpy() if hasattr(values, "to_numpy") else numpy.asarray(values)
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def equal(a, b, noise=0.0):
    import numpy

    if a.shape != b.shape:
        return False
    if a.dtype.kind in "fiub" and b.dtype.kind in "fiub":
        return bool(numpy.allclose(a.astype("float64"), b.astype("float64"), rtol=1e-6, atol=1e-9 + 2 * noise, equal_nan=True))
    return bool((a == b).all())


def noise_of(model, X, said):
    """How far the model's own answers to the same rows lie apart, given at once, in parts and alone: collinear columns make sums
    of huge numbers. 0 for what is not a number."""
    import numpy

    if said.dtype.kind != "f" or len(said) < 2:
        return 0.0
    spread, worst = float(numpy.nanstd(said)), 0.0
    for size, limit in ((1, 40), (7, 20)):
        started = time.perf_counter()
        for start in range(0, min(len(said), size * limit), size):
            if start >= size * MIN_PARTS and time.perf_counter() - started > MAX_PART_SECONDS:
                break
            part = list(range(start, min(start + size, len(said))))
            answers = ask(model, take(X, part))
            worst = max(worst, float(numpy.nanmax(numpy.abs(answers - said[part]))))
    if worst > 0.01 * spread:
        raise Refused(
            "the model gives other answers to a row alone than among others (by %.3g): its columns depend on each other" % worst,
            hint="Leave out one column of each group of dummies (drop_first=True).",
        )  # fmt: skip
    return worst


def check(model, made, known, rows, answers, noise):
    """The model on what features.py makes of the test rows says what it said in the notebook."""
    place = {row: at for at, row in enumerate(known)}
    said = ask(model, take(made, [place[row] for row in rows]))
    if not equal(said, answers["predict"], noise):
        bad = sum(1 for a, b in zip(said.tolist(), answers["predict"].tolist()) if a != b)
        raise Refused("%d of %d answers differ from the notebook's own" % (bad, len(rows)))


def save_model(ip, choice, model, folder):
    path = folder + ".facts.json"
    _inspect.save_variable({**ip.user_ns, "levain_model": model}, "levain_model", folder, path)
    with open(path) as file:
        facts = json.load(file)
    os.remove(path)
    if not facts.get("ok"):
        raise Refused(facts.get("message", "the model could not be saved").replace("levain_model", choice.get("variable") or "the model"))
    return facts


def dump(value, path):
    for module in ("cloudpickle", "joblib.externals.cloudpickle", "pickle"):
        try:
            pickler = __import__(module, fromlist=["dumps"])
        except ImportError:
            continue
        with open(path, "wb") as file:
            file.write(pickler.dumps(value, protocol=4))
        return
    raise RuntimeError("no pickler")


def write_golden(attempt, rows, answers, path):
    from .. import golden as _golden
    from ..frames import to_cells

    chosen = list(range(len(rows)))[:MAX_GOLDEN]
    part = _brought.whole_of(attempt)[0].iloc[[rows[at] for at in chosen]].reset_index(drop=True)
    columns = []
    for name in part.columns:
        cells = to_cells(part[name])
        kind = "number" if hasattr(cells, "dtype") else "cells"
        columns.append({"name": str(name), "type": kind, "values": _golden._json(cells)})
    document = {
        "rows": {"rowCount": len(chosen), "columns": columns},
        "positions": [int(rows[at]) for at in chosen],
        "predict": _golden._json(to_cells(answers["predict"][chosen])),
    }
    if "proba" in answers and getattr(answers["proba"], "ndim", 0) == 2:
        document["probabilities"] = [_golden._json(answers["proba"][chosen, k]) for k in range(answers["proba"].shape[1])]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file, ensure_ascii=False, default=str)


def facts_of(attempt, rows, refused, model_facts):
    choice, read, raw = attempt.choice, attempt.read, attempt.raw
    target = choice.get("target") or {}
    columns = [column_facts(raw, name) for name in raw.columns if name not in attempt.unused]
    fits = [fit for fit in attempt.trace.fits if fit.estimator is attempt.wanted.event.estimator]
    coding = coding_of(attempt, rows)
    return {
        "ok": True,
        "features": True,
        "target": target.get("column"),
        "positive": target.get("positive"),
        "task": choice.get("task"),
        "classes": choice.get("classes") or model_facts.get("classes"),
        "rawColumns": columns,
        "droppedColumns": [str(name) for name in attempt.unused],
        "key": key_of(attempt),
        "coding": coding,
        "notes": notes_of(coding, target.get("column")),
        "dataset": {"path": read.path, "written": read.written, "rows": len(raw)},
        "others": sorted({other.path for other in attempt.trace.reads if other.path and other.path != read.path}),
        "testRows": len(rows) if attempt.wanted.is_test else 0,
        "provenRows": len(rows),
        "trainRows": fits[-1].rows if fits else None,
        "score": choice.get("score"),
        "refusedRows": len(refused),
        "refusals": sorted(set(refused.values()))[:5],
        "leaks": [],
        "statements": len(attempt.pieces),
        "learned": [learned_facts(name, held, attempt.learned[name]) for name, held in attempt.plan.learned.items()],
        "model": model_facts,
    }


def key_of(attempt):
    """A column that numbers or names the rows and does not reach the model."""
    for name in attempt.unused:
        if KEY_NAME.search(str(name)) and name != attempt._target():
            column = attempt.raw[name]
            if bool(column.notna().all()) and bool(column.is_unique) and getattr(column.dtype, "kind", "O") != "f":
                return str(name)
    return None


def coding_of(attempt, rows):
    """How the answers are written, seen from the target in the file: a rule of testrows.coding_rule, or None."""
    (raw, target), truth = _brought.whole_of(attempt), truth_of(attempt)
    if target is None or truth is None or len(truth) != len(attempt.rows):
        return None
    cells = raw[target].tolist()
    pairs = [(same_cell(cells[row]), same_cell(value)) for row, value in zip(attempt.rows, truth) if row is not None]
    try:
        return coding_rule([pair for pair in pairs if pair[0] is not None and pair[1] is not None])
    except Exception:  # values that do not compare
        return None


def truth_of(attempt):
    """What the notebook held against the answers, or what the model was fitted to."""
    event = attempt.wanted.event
    found = getattr(event, "y_true", None)
    if found is None and getattr(event, "result", None) is not None:
        mark = _records.fingerprint(event.result)
        found = next((m.y_true for m in attempt.trace.metrics if m.y_pred_print == mark and m.y_true is not None), None)
    if found is None and not hasattr(event, "method"):
        found = event.y
    if found is None:
        return None
    return _plain(found).tolist() if getattr(_plain(found), "ndim", 0) == 1 else None


def notes_of(coding, target):
    kind = (coding or {}).get("kind")
    if kind in ("log", "log1p", "log10", "log2", "sqrt"):
        return ["The model answers %s of %s, as the notebook does, not %s itself." % (kind, target, target)]
    if kind == "linear":
        return ["The model answers %g times %s plus %g, as the notebook does." % (coding["a"], target, coding["b"])]
    return []


def column_facts(raw, name):
    column = raw[name]
    kind = column.dtype.kind if hasattr(column.dtype, "kind") else "O"
    made = {"name": str(name), "type": {"b": "boolean", "M": "datetime"}.get(kind, "number" if kind in "iufc" else "text")}
    made["nullable"] = bool(column.isna().any())
    if made["type"] == "text":
        words = column.dropna().unique().tolist()
        if len(words) <= MAX_CATEGORIES and len(words) * 2 <= len(column):
            made["categories"] = sorted(str(word) for word in words)
        if words and all(isinstance(word, str) and NUMBER.match(word) for word in words):
            made["looksLikeNumbers"] = True
    return made


def learned_facts(name, held, values):
    last = values[-1] if values else None
    summary = literal(last) or type(last).__name__
    return {"name": name, "cell": held.site.cell, "code": held.site.code, "kind": held.form, "summary": summary[:200]}


__all__ = ["write_out", "pickle"]
