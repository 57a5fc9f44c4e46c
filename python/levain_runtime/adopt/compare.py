"""Stored outputs of a notebook against those of a new run: which cells differ, in what, and by which package.

    python -m levain_runtime.adopt.compare STORED.ipynb EXECUTED.ipynb [--out differences.json]

Shapes and whole numbers are compared exactly, other numbers to four digits; times, addresses and what only names an object are left out.
"""

import argparse
import ast
import json
import re
import sys

from .notebook import NotReadable, read

MAX_DIFFERENCES = 200
MAX_TEXT = 20000
RELATIVE = 1e-4
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?(?![\w.]*[A-Za-z_])")
_SHAPE = re.compile(r"\(\d+,(?:\s*\d+,?)?\)|\b\d+ rows × \d+ columns|\[\d+ rows x \d+ columns\]|\bRangeIndex: \d+|total \d+ columns|\(total \d+ columns\)")
_NOISE = (
    re.compile(r"^.*(?:CPU times|Wall time|Elapsed|elapsed|time taken|Time taken|\bit/s\b|[µmn]s/step|\d+ ?ms\b|loops? each).*$", re.MULTILINE),
    re.compile(r"0x[0-9a-fA-F]{4,}"),
    re.compile(r"<[^<>\n]{0,300}>"),
    re.compile(r"^(?:Requirement already|Collecting|Downloading|Installing|Successfully).*$", re.MULTILINE),
    re.compile(r"memory usage: .*"),
    re.compile(r"\x1b\[[0-9;]*m"),
)
_REPR = re.compile(r"^\s*\[?\(?[A-Z]\w+\(")
_WORDS_OF_SCORES = re.compile(r"accuracy|score|auc|precision|recall|f1|r2|r\^2|mse|rmse|mae|error|loss|kappa", re.IGNORECASE)


def compare(stored_path, executed_path, versions=None):
    """{differences: [{cell, kind, stored, now, package, because}], ranOutOfOrder, neverRun: [cells], compared}."""
    stored = read(stored_path)
    now = read(executed_path)["cells"] if executed_path else []
    cells = stored["cells"]
    story = Story(cells, versions or loaded_versions())
    differences = []
    for before, after in zip(cells, now):
        found = _difference(before, after)
        if found is not None:
            found["package"], found["because"] = story.package_of(before, found)
            differences.append(found)
    order = order_of(cells)
    return dict(order, differences=differences[:MAX_DIFFERENCES], compared=sum(1 for cell in cells if text_of(cell)))


def order_of(cells):
    """Whether the saved counts run upwards, and which cells with code hold none."""
    counts = [cell["executionCount"] for cell in cells if cell["executionCount"] is not None]
    never = [cell["number"] for cell in cells if cell["executionCount"] is None and _has_code(cell)] if counts else []
    return {"ranOutOfOrder": any(b <= a for a, b in zip(counts, counts[1:])), "neverRun": never}


def _has_code(cell):
    return any(line.strip() and not line.strip().startswith("#") for line in cell["source"].splitlines())


def text_of(cell):
    """What a cell shows as text, without errors, warnings and noise."""
    parts = []
    for output in cell["outputs"]:
        if output.get("output_type") in ("stream", "pyout", "execute_result", "display_data") and output.get("name") != "stderr":
            data = output.get("data") if isinstance(output.get("data"), dict) else {}
            value = output.get("text", data.get("text/plain", ""))
            parts.append("".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else str(value))
    text = "\n".join(parts)[:MAX_TEXT]
    for noise in _NOISE:
        text = noise.sub(" ", text)
    return text.strip()


def _difference(before, after):
    one, other = text_of(before), text_of(after)
    if not one or not other or _REPR.match(one):
        return None
    shapes, now = _SHAPE.findall(one), _SHAPE.findall(other)
    for old, new in zip(shapes, now):
        if _digits(old) != _digits(new):
            return {"cell": before["number"], "kind": "shape", "stored": old, "now": new}
    return _numbers(before, one, other)


def _digits(text):
    return re.findall(r"\d+", text)


def _numbers(cell, one, other):
    olds, news = list(_NUMBER.finditer(one)), list(_NUMBER.finditer(other))
    if not olds or len(olds) != len(news):
        return None  # another layout or another text: nothing that can be set side by side
    for old, new in zip(olds, news):
        if not _is_close(old.group(), new.group()):
            scores = bool(_WORDS_OF_SCORES.search(one) or _WORDS_OF_SCORES.search(cell["source"]))
            kind = "score" if scores else "number"
            return {"cell": cell["number"], "kind": kind, "stored": _line(one, old), "now": _line(other, new)}
    return None


def _is_close(old, new):
    a, b = float(old), float(new)
    if a == b:
        return True
    decimals = min(len(text.partition(".")[2].split("e")[0]) for text in (old.lower(), new.lower()))
    step = 1.01 * 10.0 ** -decimals if "." in old and "." in new else 0.0
    return abs(a - b) <= max(step, RELATIVE * max(abs(a), abs(b))) if "." in old or "." in new else False


def _line(text, match):
    start = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.end())
    line = text[start : end if end >= 0 else len(text)].strip()
    return line if len(line) <= 160 else match.group()


class Story:
    """What the stored outputs tell of the packages of their day, and what the cells leave to chance."""

    def __init__(self, cells, versions):
        self.cells, self.versions = cells, versions
        self.old = self._old_packages()
        self.unseeded = self._unseeded()
        self.modules = self._modules()

    def package_of(self, cell, difference):
        """(package or None, sentence) for a difference."""
        if difference["kind"] == "shape" and "pandas" in self.modules:
            return self._named("pandas", "rows and columns come from the preparation of the frame")
        first = next((number for number in self.unseeded if number <= cell["number"]), None)
        if first is not None:
            return None, "cell %d draws random numbers without a seed of its own" % first
        if "pandas" in self.old and difference["kind"] == "number":
            return self._named("pandas", "its values come out differently")
        for module, package in (("xgboost", "xgboost"), ("lightgbm", "lightgbm"), ("catboost", "catboost"), ("sklearn", "scikit-learn"), ("pandas", "pandas")):
            if module in self.modules and (difference["kind"] == "score" or module == "pandas"):
                return self._named(package, "seeds are set, so the data are the same and the library is another")
        return None, "no package is known to change it"

    def _named(self, package, why):
        now = self.versions.get(package)
        then = self.old.get(package)
        text = "%s%s%s: %s" % (package, " " + now if now else "", ", saved with %s" % then if then else "", why)
        return package, text

    def _old_packages(self):
        """{package: what is known of its version when the notebook was saved}."""
        text = "\n".join(_all_text(cell) for cell in self.cells)[: 4 << 20]
        found = {}
        if re.search(r"Int64Index|Float64Index", text):
            found["pandas"] = "a version before 2.0"
        elif re.search(r"\bobject\b", text) and self.versions.get("pandas", "0").split(".")[0] >= "3":
            found["pandas"] = "a version before 3.0"
        if re.search(r"\w+\(.*(?:random_state=None|n_jobs=None|verbose=0).*\)", text):
            found["scikit-learn"] = "a version before 0.23"
        for package, pattern in (("scikit-learn", r"(?:in|since|version) (?:version )?(0\.\d\d)\b"), ("pandas", r"pandas (\d+\.\d+)")):
            match = re.search(pattern, text)
            if match and package not in found:
                found[package] = "a version near %s" % match.group(1)
        for cell in self.cells:
            match = re.search(r"\b(\w+)\.__version__", cell["source"])
            version = re.search(r"\b\d+\.\d+(?:\.\w+)?\b", _all_text(cell)) if match else None
            if version:
                found[{"pd": "pandas", "np": "numpy", "sklearn": "scikit-learn", "xgb": "xgboost", "lgb": "lightgbm"}.get(match.group(1), match.group(1))] = version.group()
        return found

    def _unseeded(self):
        """Cells with splits, shuffles or random models that get no seed, while none is set before."""
        found = []
        for cell in self.cells:
            source = cell["source"]
            if re.search(r"random\.seed\(|set_random_seed|set_seed", source):
                return found
            tree = cell.get("tree")
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, ast.Call) and not any(k.arg in ("random_state", "seed") for k in node.keywords):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    if name == "train_test_split" or re.match(r"RandomForest|ExtraTrees|Bagging|MLP|StratifiedShuffleSplit", name) or name in ("sample", "shuffle"):
                        found.append(cell["number"])
                        break
        return found

    def _modules(self):
        text = "\n".join(cell["source"] for cell in self.cells)
        return set(re.findall(r"^\s*(?:import|from)\s+(\w+)", text, re.MULTILINE))


def _all_text(cell):
    parts = []
    for output in cell["outputs"]:
        data = output.get("data") if isinstance(output.get("data"), dict) else {}
        value = output.get("text", data.get("text/plain", ""))
        parts.append("".join(part for part in value if isinstance(part, str)) if isinstance(value, list) else str(value))
    return "\n".join(parts)[:MAX_TEXT]


def loaded_versions():
    names = {"pandas": "pandas", "numpy": "numpy", "sklearn": "scikit-learn", "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost"}
    found = {}
    for module, package in names.items():
        version = getattr(sys.modules.get(module), "__version__", None)
        if isinstance(version, str):
            found[package] = version
    return found


def main(argv=None):
    parser = argparse.ArgumentParser(prog="levain_runtime.adopt.compare", description=__doc__.split("\n")[0])
    parser.add_argument("stored")
    parser.add_argument("executed")
    parser.add_argument("--out")
    options = parser.parse_args(argv)
    result = compare(options.stored, options.executed)
    text = json.dumps(result, ensure_ascii=False)
    if options.out:
        with open(options.out, "w", encoding="utf-8") as out:
            out.write(text)
    else:
        print(text)


if __name__ == "__main__":
    try:
        main()
    except NotReadable as error:
        raise SystemExit("levain_runtime.adopt.compare: %s" % error)
