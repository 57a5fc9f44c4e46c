"""Reads a notebook (nbformat 2 to 4) or a script as numbered code cells. Bounded, and wrong files are told in plain words."""

import ast
import json
import os
import re

from .plain import blank

# 300 MB notebooks exist (pictures in outputs); what is bigger is no notebook that anybody wrote.
MAX_BYTES = 600 * 1024 * 1024
MAX_CELLS = 5000
MAX_SOURCE = 2 * 1024 * 1024
MAX_OUTPUT_TEXT = 200000


class NotReadable(Exception):
    """`code` is one word for programs; the message is for people."""

    def __init__(self, code, message, hint=None):
        super().__init__(message)
        self.code = code
        self.hint = hint


def read(path):
    """{kind, metadata, cells}; a cell is {number, index, source, code, magics, executionCount, outputs, metadata, parseError, tree}."""
    name = os.path.basename(path)
    try:
        size = os.path.getsize(path)
    except OSError as error:
        raise NotReadable("not_found", "%s cannot be read: %s" % (name, error.strerror or error))
    if size > MAX_BYTES:
        raise NotReadable("too_large", "%s is %d MB; at most %d MB are read" % (name, size >> 20, MAX_BYTES >> 20), "Clear its outputs and save it again.")
    with open(path, "rb") as source:
        data = source.read(MAX_BYTES)
    if path.endswith(".py"):
        return {"kind": "script", "metadata": {}, "cells": [_cell(n, None, text, {}) for n, text in enumerate(split_script(_text(data, name)), 1)], "markdown": []}
    return _notebook(data, name)


def _text(data, name):
    for encoding in ("utf-8-sig", "latin-1"):
        try:
            return data.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise NotReadable("not_a_notebook", "%s is no text" % name)


def _notebook(data, name):
    try:
        document = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise NotReadable("not_a_notebook", "%s is no notebook: it is not JSON (%s)" % (name, str(error)[:200]), "Save it again from Jupyter.")
    cells = _cells_of(document)
    if cells is None:
        raise NotReadable("not_a_notebook", "%s is JSON, but no notebook: it has no list of cells" % name)
    metadata = document.get("metadata")
    found = {"kind": "notebook", "metadata": metadata if isinstance(metadata, dict) else {}, "cells": [], "markdown": []}
    for index, cell in enumerate(cells[:MAX_CELLS]):
        kind = cell.get("cell_type") if isinstance(cell, dict) else None
        text = _joined(cell.get("source", cell.get("input", ""))) if kind else ""
        if kind == "code":
            found["cells"].append(_cell(len(found["cells"]) + 1, index, text[:MAX_SOURCE], cell))
        elif kind == "markdown":
            found["markdown"].append({"index": index, "before": len(found["cells"]) + 1, "text": text[:20000]})
    return found


def _cells_of(document):
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("cells"), list):
        return document["cells"]
    sheets = document.get("worksheets")
    if isinstance(sheets, list) and all(isinstance(sheet, dict) for sheet in sheets):
        return [cell for sheet in sheets for cell in sheet.get("cells", [])]
    return None


def _joined(value):
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _cell(number, index, source, raw):
    code, magics = blank(source)
    tree, error = parse(code)
    count = raw.get("execution_count", raw.get("prompt_number"))
    outputs = raw.get("outputs")
    return {
        "number": number,
        "index": index,
        "id": raw.get("id") if isinstance(raw.get("id"), str) else None,
        "source": source,
        "code": code,
        "magics": magics,
        "executionCount": count if isinstance(count, int) else None,
        "outputs": [output for output in outputs if isinstance(output, dict)][:200] if isinstance(outputs, list) else [],
        "metadata": raw.get("metadata") if isinstance(raw.get("metadata"), dict) else {},
        "parseError": error,
        "tree": tree,
    }


def parse(code):
    """(tree, None) or (None, {line, column, message})."""
    import warnings

    try:
        with warnings.catch_warnings():
            # Invalid escapes in the user's strings are theirs.
            warnings.simplefilter("ignore")
            return ast.parse(code), None
    except SyntaxError as error:
        return None, {"line": error.lineno or 1, "column": error.offset or 0, "message": str(error.msg)}
    except (ValueError, RecursionError, MemoryError) as error:
        return None, {"line": 1, "column": 0, "message": str(error)[:200]}


def output_text(output):
    """What an output shows as text, without pictures; bounded."""
    parts = [_joined(output.get("text"))]
    data = output.get("data")
    if isinstance(data, dict):
        parts.extend(_joined(data.get(key)) for key in ("text/plain", "text/html"))
    if output.get("output_type") in ("error", "pyerr"):
        parts.append("%s: %s" % (output.get("ename"), output.get("evalue")))
        parts.append(_joined([line + "\n" for line in output.get("traceback", []) if isinstance(line, str)]))
    return "\n".join(part[:MAX_OUTPUT_TEXT] for part in parts if part)[:MAX_OUTPUT_TEXT]


CELL_MARK = re.compile(r"^#\s?%%.*$", re.M)


def split_script(text):
    """A script as cells: at its `# %%` marks, else one cell a paragraph of top-level statements."""
    if CELL_MARK.search(text):
        starts = [match.start() for match in CELL_MARK.finditer(text)]
        bounds = ([0] if text[: starts[0]].strip() else []) + starts + [len(text)]
        return [text[a:b].rstrip("\n") for a, b in zip(bounds, bounds[1:]) if _has_code(text[a:b])]
    tree, _ = parse(text)
    if tree is None or not tree.body:
        return [text] if text.strip() else []
    return _paragraphs(text, tree)


def _has_code(text):
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())


def _paragraphs(text, tree):
    """Statements stay together where no blank line parts them; imports stay in one cell; comments go with what follows."""
    lines = text.splitlines(True)
    starts = []
    last = None
    for node in tree.body:
        first = min([node.lineno] + [d.lineno for d in getattr(node, "decorator_list", [])]) - 1
        while first > 0 and lines[first - 1].lstrip().startswith("#"):
            first -= 1
        apart = last is None or any(not line.strip() for line in lines[last.end_lineno : first])
        both_import = isinstance(node, (ast.Import, ast.ImportFrom)) and isinstance(last, (ast.Import, ast.ImportFrom))
        if apart and not both_import:
            starts.append(first)
        last = node
    starts[0] = 0
    bounds = starts + [len(lines)]
    return ["".join(lines[a:b]).strip("\n") for a, b in zip(bounds, bounds[1:])]
