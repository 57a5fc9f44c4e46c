"""Golden predictions: raw rows through features.py and the real model, in the environment that trained it.

Usage: python -m levain_runtime.golden --model DIR [--features features.py] --rows rows.json|rows.parquet --out golden.json

rows.json is {"rowCount", "columns": [{"name", "type": "number" | "cells", "values"}]} or a list of records. What is written is
what src/engines/golden.ts reads: rows, labels, scores and probabilities, and the versions of the libraries.
"""

import argparse
import json
import math

from .frames import to_cells
from .models import Loaded, class_cells, describe, libraries

FORMAT = 1
MAX_ROWS = 200


def main(argv=None):
    parser = argparse.ArgumentParser(prog="levain_runtime.golden", description=__doc__.split("\n")[0])
    parser.add_argument("--model", required=True, help="an MLflow model folder, or a skops, pickle or joblib file")
    parser.add_argument("--features", help="the file that defines features(df)")
    parser.add_argument("--rows", required=True, help="raw rows: .json or .parquet")
    parser.add_argument("--out", required=True)
    parser.add_argument("--types", default="{}", help='types of raw columns as JSON, for example {"when": "datetime"}')
    parser.add_argument("--positive", type=int, default=1, help="index of the positive class")
    options = parser.parse_args(argv)
    golden = compute(options)
    with open(options.out, "w", encoding="utf-8") as out:
        json.dump(golden, out, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def compute(options):
    columns, row_count = read_rows(options.rows)
    if row_count > MAX_ROWS:
        raise SystemExit("%d golden rows; at most %d are kept" % (row_count, MAX_ROWS))
    loaded = Loaded(options.features, options.model)
    stage = "both" if options.features else "model"
    results, errors = loaded.run(stage, columns, row_count, json.loads(options.types))
    if len(errors) == row_count and row_count > 0:
        raise SystemExit("the model answers no golden row: %s: %s" % (errors[0][1], errors[0][2]))
    return {
        "format": FORMAT,
        "libraries": libraries(),
        "classes": class_cells(loaded.model),
        "rows": {
            "rowCount": row_count,
            "columns": [{"name": n, "type": "number" if k == "f8" else "cells", "values": _json(v)} for n, k, v in columns],
        },
        "outputs": outputs(results, row_count, errors, options.positive),
    }


def outputs(results, row_count, errors, positive):
    table = {name: _json(cells) for name, cells in results}
    labels = table["predict"]
    probabilities = [cells for name, cells in table.items() if name.startswith("predict_proba:")]
    if not probabilities:
        scores = [float(v) if isinstance(v, (int, float)) else None for v in labels]
    elif len(probabilities) == 2:
        scores = probabilities[positive]
    else:
        scores = [None if labels[i] is None else max(part[i] for part in probabilities) for i in range(row_count)]
    return {
        "labels": labels,
        "scores": scores,
        "probabilities": probabilities or None,
        "errors": [{"row": row, "message": message} for row, _, message in errors] or None,
    }


def read_rows(path):
    """Raw columns as [(name, kind, values)], as they would come over the worker's socket."""
    if path.endswith(".parquet"):
        import pandas

        frame = pandas.read_parquet(path)
        table = [(str(name), to_cells(frame[name])) for name in frame.columns]
        count = len(frame)
    else:
        with open(path, encoding="utf-8") as source:
            table, count = _from_json(json.load(source))
    return [(name, _kind(cells), _values(cells)) for name, cells in table], count


def _from_json(document):
    if isinstance(document, list):
        names = list(document[0]) if document else []
        return [(name, [record.get(name) for record in document]) for name in names], len(document)
    return [(column["name"], column["values"]) for column in document["columns"]], document["rowCount"]


def _kind(cells):
    if hasattr(cells, "dtype") or all(c is None or type(c) in (int, float) for c in cells):
        return "f8"
    if all(c is None or isinstance(c, bool) for c in cells):
        return "bool"
    return "text" if all(c is None or isinstance(c, str) for c in cells) else "json"


def _values(cells):
    if _kind(cells) != "f8" or hasattr(cells, "dtype"):
        return cells
    import numpy

    return numpy.array([math.nan if c is None else c for c in cells], dtype="float64")


def _json(cells):
    values = cells.tolist() if hasattr(cells, "tolist") else cells
    return [None if isinstance(v, float) and not math.isfinite(v) else v for v in values]


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        raise SystemExit("levain_runtime.golden: %s" % describe(error))
