"""Loads one model file in its environment and tells what it is; with data files, what it says of their rows.

Usage: python -m levain_runtime.adopt.look MODEL OUT.json [DATA …]

Loading a pickle runs code, so this is started only after somebody agreed, or for files that were seen to hold none.
"""

import json
import os
import sys

MAX_ROWS = 5000
MAX_CLASSES = 100


def look(path, data=()):
    from ..models import class_cells, describe, libraries, load_model

    try:
        model = load_model(path)
    except (Exception, SystemExit) as error:
        return {"ok": False, "kind": type(error).__name__, "message": describe(error)}
    from .. import forms

    told = {
        "ok": True,
        "type": "%s.%s" % (type(model).__module__, type(model).__qualname__),
        "canPredict": callable(getattr(model, "predict", None)),
        "whyNot": forms.why_not(model),
        "features": forms.feature_names(model),
        "featureCount": _count(model),
        "classes": class_cells(model),
        "hasProba": hasattr(model, "predict_proba"),
        "libraries": libraries(),
        "data": [],
    }
    if told["canPredict"]:
        told["data"] = [{"path": each, **_on_data(model, told, each, path)} for each in data]
    return told


def _count(model):
    try:
        return int(model.n_features_in_)
    except Exception:  # not every library counts
        return None


def read_table(path):
    import pandas

    name = path.lower()
    if name.endswith((".parquet", ".pq")):
        return pandas.read_parquet(path)
    if name.endswith((".xls", ".xlsx")):
        return pandas.read_excel(path)
    if name.endswith((".json", ".jsonl", ".ndjson")):
        return pandas.read_json(path, lines=not name.endswith(".json"))
    return pandas.read_csv(path, sep=None, engine="python")


def _on_data(model, told, path, model_path):
    """{rows, columns, missing, target, agree, message, mlmodel}: the target is the column beside the features that the answers agree with."""
    from ..inspect import column_type
    from ..models import describe, predict

    try:
        frame = read_table(path)
    except Exception as error:
        return {"message": "%s cannot be read: %s" % (os.path.basename(path), describe(error))}
    columns = [{"name": str(name), "type": column_type(frame[name].dtype), "nullable": bool(frame[name].isna().any())} for name in frame.columns]
    found = {"rows": len(frame), "columns": columns, "missing": [], "target": None, "agree": None, "message": None}
    wanted = told["features"]
    if wanted is None:
        count = told["featureCount"]
        rest = [str(name) for name in frame.columns]
        if count is None or len(rest) not in (count, count + 1):
            found["message"] = "the model knows its columns by place only, so which of %d columns are its %s features cannot be told" % (len(rest), count or "unknown")
            return found
        wanted = rest[:count]
    found["missing"] = [name for name in wanted if name not in frame.columns]
    if found["missing"]:
        found["message"] = "the file has no column %s" % ", ".join(found["missing"][:5])
        return found
    part = frame.head(MAX_ROWS)
    try:
        answers = dict(predict(model, part[wanted], len(part)))["predict"]
    except Exception as error:
        found["message"] = "the model does not answer the file's rows as they are: %s" % describe(error)
        return found
    found.update(_target(part, wanted, answers, told["classes"]))
    found["mlmodel"] = _mlmodel(model, model_path, [column for name in wanted for column in columns if column["name"] == name])
    return found


def _mlmodel(model, path, columns):
    """What a folder that holds the file needs besides, so that its columns are known: nothing in the file itself says their types."""
    from ..boosters import format_of
    from ..inspect import mlmodel, requirements

    booster = format_of(path)
    inputs = [{"type": column["type"], "name": column["name"], "required": True} for column in columns]
    facts = {"code": [], "requirements": requirements(model), "python": "%d.%d.%d" % sys.version_info[:3], "inputs": inputs}
    facts["serializer"] = booster or os.path.splitext(path)[1].lstrip(".")
    key = {None: "pickled_model", "keras": "keras_file"}.get(booster, "booster_file")
    return mlmodel(facts, {"flavor": booster or "sklearn", "file": os.path.basename(path), "key": key})


def _target(frame, wanted, answers, classes):
    import numpy
    import pandas

    answers = pandas.Series(answers.tolist() if hasattr(answers, "tolist") else answers)
    best = {"target": None, "agree": None}
    for name in [name for name in frame.columns if name not in wanted]:
        column = frame[name].reset_index(drop=True)
        if classes:
            if not set(column.dropna().unique()) <= set(classes):
                continue
            agree = float((column == answers).mean())
        elif column.dtype.kind in "iuf" and column.nunique() > 2:
            agree = float(numpy.nan_to_num(numpy.corrcoef(column.astype(float).fillna(column.mean()), answers.astype(float))[0, 1]))
        else:
            continue
        if best["agree"] is None or agree > best["agree"]:
            best = {"target": str(name), "agree": agree}
    return best


def main(argv):
    told = look(argv[1], argv[3:])
    with open(argv[2] + ".part", "w", encoding="utf-8") as out:
        json.dump(told, out, default=str)
    os.replace(argv[2] + ".part", argv[2])


if __name__ == "__main__":
    main(sys.argv)
