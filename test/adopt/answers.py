"""
Runs one test notebook plainly and writes what its model answers on its own test rows: the answers that adopt must repeat.

    python answers.py CASE_FOLDER DATA_FOLDER

Independent of Levain: the notebook's cells run in an ordinary kernel (nbclient), top to bottom, seeded as adopt seeds. Paths that
lead nowhere are corrected by hand (`paths` of case.json), cells that cannot run and do not matter are named there (`fails`). One
more cell then evaluates the expressions of case.json. Prints expected.json.
"""
import hashlib
import json
import os
import shutil
import sys
import tempfile

import nbformat
from nbclient import NotebookClient

CASE, DATA = sys.argv[1:3]
KEPT_ROWS = 60

SEEDS = "import random as _r, numpy as _n; _r.seed(0); _n.random.seed(0)"

COLLECT = """
import json as _json, numpy as _np
{setup}
def _plain(v):
    v = v.item() if hasattr(v, 'item') else v
    return v if isinstance(v, (int, float, str, bool)) or v is None else str(v)
_rows = [int(_i) for _i in ({rows})]
_pred = _np.asarray({predict}).reshape(-1)
_proba = {proba}
_model = {model}
assert len(_rows) == len(_pred), (len(_rows), len(_pred))
_step = max(1, len(_rows) // {kept})
_frame = {frame}
_answers = []
for _i in range(0, len(_rows), _step):
    _a = {{'row': _rows[_i], 'predict': _plain(_pred[_i])}}
    if _proba is not None:
        _a['proba'] = [float(_p) for _p in _proba[_i]]
    if _frame is not None:
        _a['values'] = {{str(_k): _plain(_v) for _k, _v in _frame.iloc[_rows[_i]].items()}}
    _answers.append(_a)
_classes = getattr(_model, 'classes_', None)
with open('__answers.json', 'w') as _f:
    _json.dump({{'type': type(_model).__name__, 'classes': None if _classes is None else [_plain(_c) for _c in _classes],
                 'testRows': len(_rows), 'answers': _answers[:{kept}]}}, _f)
"""


def main():
    with open(os.path.join(CASE, "case.json"), encoding="utf-8") as file:
        case = json.load(file)
    notebook = nbformat.read(os.path.join(CASE, case["notebook"]), 4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        for written, path in case.get("paths", {}).items():
            cell.source = cell.source.replace(written, path)
    wanted = case["answers"]
    with tempfile.TemporaryDirectory() as folder:
        for name in os.listdir(CASE):
            if name.endswith(".py"):
                shutil.copy(os.path.join(CASE, name), folder)
        for path, name in case["data"].items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            shutil.copy(os.path.join(DATA, name), os.path.join(folder, path))
        notebook.cells.insert(0, nbformat.v4.new_code_cell(SEEDS))
        notebook.cells.append(
            nbformat.v4.new_code_cell(
                COLLECT.format(
                    setup=wanted.get("setup", ""),
                    rows=wanted["rows"],
                    predict=wanted["predict"],
                    proba=wanted.get("proba"),
                    frame=wanted.get("frame"),
                    model=case["model"],
                    kept=KEPT_ROWS,
                )
            )
        )
        client = NotebookClient(notebook, timeout=600, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": folder}})
        client.execute()
        check(code, set(case.get("fails", [])), notebook.cells[-1])
        with open(os.path.join(folder, "__answers.json"), encoding="utf-8") as file:
            answers = json.load(file)
    dataset = wanted.get("dataset")
    answers["dataset"] = dataset
    answers["sha256"] = None if dataset is None else sha256(os.path.join(DATA, case["data"][dataset]))
    json.dump(answers, sys.stdout, indent=None)


def check(code, allowed, last):
    failed = {i + 1: errors(cell) for i, cell in enumerate(code) if errors(cell)}
    if set(failed) != allowed or errors(last):
        sys.exit(f"{CASE}: cells failed that should not, or the other way round: {failed} {errors(last)}")


def errors(cell):
    return [f"{o.ename}: {o.evalue}" for o in cell.get("outputs", []) if o.output_type == "error"]


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


main()
