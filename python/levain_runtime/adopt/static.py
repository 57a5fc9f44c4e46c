"""What a notebook or script tells before it runs.

Usage: python -m levain_runtime.adopt.static FILE [--root DIR] [--cells NOTEBOOK]

With --cells the cells are those of that notebook: the form in which a script runs. All else is told of FILE.

Prints one JSON object: {schema, file, kind, ok, problem, language, python, kernel, cells, imports, packages, local, missing,
installs, runs, reads, writes, mentions, datasets, removed, below, day, order, lints}. Nothing of the notebook is run. A file that
cannot be read at all gives ok: false and a problem {code, message, hint, cell, line}; the exit code is 0 all the same.
"""

import argparse
import json
import os
import re
import sys

from . import day, imports, lint, literals, names, removed
from .notebook import NotReadable, read

SCHEMA = "static/1"
PYTHONS = ("python", "ipython", "python3", "python2", "pyspark", "pysparkkernel")
# What Python 3 says about a line of Python 2.
PYTHON2_ERRORS = re.compile(r"Missing parentheses in call to '(print|exec)'|multiple exception types must be parenthesized|leading zeros in decimal integer|invalid token|inconsistent use of tabs")
PYTHON2_LINES = [
    (re.compile(r"^\s*print\s+[^\s(=.,\[]", re.M), "print as a statement"), (re.compile(r"^\s*print\s*$", re.M), None), (re.compile(r"\bexcept\s+[\w.]+\s*,\s*\w+\s*:"), "except X, e"), (re.compile(r"\braise\s+\w+\s*,\s*['\"]"), "raise X, text"),
    (re.compile(r"\bexec\s+['\"]"), "exec as a statement"), (re.compile(r"[^'\"<>]<>[^'\"<>]"), "<>"), (re.compile(r"\b0[0-7]{3}\b(?!\.)"), "octal 0777"),
]


def analyse(path, root=None, cells=None):
    folder = os.path.dirname(os.path.abspath(path))
    base = {"schema": SCHEMA, "file": os.path.basename(path)}
    try:
        document = read(cells or path)
    except NotReadable as error:
        return {**base, "ok": False, "problem": _problem(error.code, str(error), error.hint)}
    language = _language(document)
    result = {**base, "kind": "script" if path.endswith(".py") else "notebook", "language": language, "kernel": _kernel(document["metadata"])}
    if language != "python":
        return {**result, "ok": False, "problem": _problem("other_language", "%s is written in %s; only Python notebooks can be adopted" % (base["file"], language))}
    if not any(_is_code(cell) for cell in document["cells"]):
        return {**result, "ok": False, "problem": _problem("no_code", "%s holds no code" % base["file"])}
    return _told(result, document, path, folder, root)


def _told(result, document, path, folder, root):
    cells = document["cells"]
    result["faults"] = []
    found = _part(result, lambda: imports.collect(cells, folder, root), NO_IMPORTS)
    evidence = [dict(entry, cell=cell["number"]) for cell in cells for entry in python2_of(cell)] + [entry for entry in found.pop("python2") if not entry["optional"]]
    result.update(found)
    result.update(_part(result, lambda: literals.collect(cells, folder), NO_PATHS))
    result["removed"] = _part(result, lambda: removed.collect(cells), [])
    result["below"] = removed.bounds(result["removed"])
    result["day"] = _part(result, lambda: day.collect(document, path), {"python": None, "dates": [], "versions": [], "widgets": [], "made": None, "suggestion": None})
    result["python"] = result["day"]["python"]
    result["cells"] = [_shown(cell) for cell in cells]
    result["order"] = order(cells)
    result["python2"] = evidence
    result["problem"] = _python2_problem(result, cells)
    result["ok"] = result["problem"] is None
    result["lints"] = _part(result, lambda: lint.collect(document, result), [])
    return result


NO_IMPORTS = {"imports": [], "local": [], "installs": [], "runs": [], "missing": [], "python2": [], "packages": []}
NO_PATHS = {"reads": [], "writes": [], "mentions": [], "datasets": [], "unknown": []}


def _part(result, tell, nothing):
    """What one part tells. A fault in it leaves the others standing: it is told under `faults`, and the run shows the rest."""
    try:
        return tell()
    except Exception as error:
        result["faults"].append("%s: %s" % (type(error).__name__, str(error)[:300]))
        return json.loads(json.dumps(nothing))


def _problem(code, message, hint=None, cell=None, line=None):
    return {"code": code, "message": message, "hint": hint, "cell": cell, "line": line}


def _is_code(cell):
    return any(line.strip() and not line.strip().startswith("#") for line in cell["source"].splitlines())


def _language(document):
    """The kernel's word; without one, what parses as Python is Python."""
    metadata = document["metadata"]
    for key, names_ in (("language_info", ("name",)), ("kernelspec", ("language", "name"))):
        part = metadata.get(key)
        for name in names_ if isinstance(part, dict) else ():
            value = part.get(name)
            if isinstance(value, str) and value:
                if value.lower() in PYTHONS or "python" in value.lower() or "conda" in value.lower():
                    return "python"
                if name != "name" or value.lower() in ("r", "ir", "julia", "scala", "sql", "javascript", "java", "octave", "matlab", "bash", "sas", "stata", "rust", "go", "ruby", "perl", "c++11", "c++14", "c++17", "wolfram", "spark", "sparkr") or key == "language_info":
                    return {"ir": "R", "r": "R"}.get(value.lower(), value)
    return "python"


def _kernel(metadata):
    kernel = metadata.get("kernelspec")
    if not isinstance(kernel, dict):
        return None
    return {key: kernel[key] for key in ("name", "display_name", "language") if isinstance(kernel.get(key), str)}


def python2_of(cell):
    """[{line, what}] where a cell does not parse and shows why; names alone count only beside such a line."""
    if cell["parseError"] is None:
        return []
    found = []
    for pattern, what in PYTHON2_LINES:
        match = pattern.search(cell["code"]) if what else None
        if match:
            found.append({"line": cell["code"].count("\n", 0, match.start() + 1) + 1, "what": what})
    if not found and PYTHON2_ERRORS.search(cell["parseError"]["message"]):
        found.append({"line": cell["parseError"]["line"], "what": cell["parseError"]["message"]})
    return found


def _python2_problem(result, cells):
    """Certain where the notebook says so itself and a line shows it, or where lines show it and nothing says Python 3."""
    evidence = result["python2"]
    if not evidence:
        return None
    version = (result["python"] or {}).get("version", "")
    broken = {entry["cell"] for entry in evidence}
    if version.startswith("3") and len(broken) * 2 < len(cells):
        return None
    first = evidence[0]
    message = "%s is written for Python 2: cell %d, line %d (%s)" % (result["file"], first["cell"], first["line"], first["what"])
    return _problem("python2", message, "Convert it with `2to3` (or `jupyter nbconvert` and 2to3) and adopt the result.", first["cell"], first["line"])


def _shown(cell):
    flow = names.of_cell(cell["tree"])
    shown = {key: cell[key] for key in ("number", "index", "id", "source", "code", "magics", "executionCount", "parseError")}
    shown["python2"] = python2_of(cell)
    shown["hasCode"] = _is_code(cell)
    shown["stoppedWith"] = next(("%s: %s" % (o.get("ename"), str(o.get("evalue"))[:300]) for o in cell["outputs"] if o.get("output_type") in ("error", "pyerr")), None)
    shown.update(flow)
    return shown


def order(cells):
    """{ranOutOfOrder, neverRun, gaps}: what execution counts tell about how it was saved."""
    counts = [(cell["number"], cell["executionCount"]) for cell in cells if _is_code(cell)]
    ran = [count for _, count in counts if count]
    never = [number for number, count in counts if not count]
    wrong = [b for (_, a), (b, n) in zip(counts, counts[1:]) if a and n and n < a]
    return {"ranOutOfOrder": bool(wrong), "cells": wrong[:50], "neverRun": never if ran else [], "cleared": not ran, "gaps": sum(1 for a, b in zip(sorted(ran), sorted(ran)[1:]) if b - a > 1)}


def main(argv=None):
    parser = argparse.ArgumentParser(prog="levain_runtime.adopt.static", description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--root", help="the project's folder; default: the file's")
    parser.add_argument("--cells", help="a notebook that holds the cells of a script")
    options = parser.parse_args(argv)
    sys.setrecursionlimit(5000)
    text = json.dumps(analyse(options.file, options.root, options.cells), ensure_ascii=True, default=str)
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
