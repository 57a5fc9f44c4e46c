"""What a call was: its name, its arguments, the path it was given, and what it measures."""

import ast
import types

from . import records as _r
from .sites import attribute_of


def argument(entry, position, *names):
    for name in names:
        if name in entry.arguments:
            return entry.arguments[name]
    if position in entry.arguments:
        return entry.arguments[position]
    star = entry.arguments.get("*")
    return star[position] if isinstance(star, (list, tuple)) and len(star) > position else None


def callable_of(site, entry):
    """What was called: the callee, or the attribute of the receiver, looked up on its type so that no property runs."""
    if entry.callee is None or site.node is None or not _is_method(site):
        return entry.callee
    if isinstance(entry.callee, types.ModuleType) or isinstance(entry.callee, type):
        return getattr(entry.callee, site.attribute, None)
    return getattr(type(entry.callee), site.attribute, None)


def callee_name(site, entry, called):
    if _is_method(site) and isinstance(entry.owner, type):
        owner = entry.owner
        return "%s.%s.%s" % (_public(owner.__module__), owner.__qualname__, site.attribute)
    if called is None:
        return site.attribute or ""
    module = getattr(called, "__module__", None)
    name = getattr(called, "__qualname__", None) or getattr(called, "__name__", None) or site.attribute or ""
    if "<locals>" in name:  # pandas 1.0 made its readers in a function
        name = getattr(called, "__name__", None) or name
    if module is None and isinstance(entry.callee, types.ModuleType):
        module = entry.callee.__name__
    return "%s.%s" % (_public(module), name) if isinstance(module, str) else str(name)


def _public(module):
    """pandas moved its classes between versions; all of its own are named pandas.X here."""
    return "pandas" if module.startswith("pandas.") else module


def _is_method(site):
    return type(site.node.func).__name__ == "Attribute"


def name_by_hand(call):
    """What a mean is of, told from its text: 'accuracy', 'mean_squared_error', 'mean_absolute_error' or None."""
    module_like = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
    inner = call.args[0] if module_like and call.args else getattr(call.func, "value", None)
    if isinstance(inner, ast.Compare) and len(inner.ops) == 1 and isinstance(inner.ops[0], ast.Eq):
        return "accuracy"
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Pow) and _is_difference(inner.left) and getattr(inner.right, "value", None) == 2:
        return "mean_squared_error"
    if isinstance(inner, ast.Call) and len(inner.args) == 1 and attribute_of(inner) in ("abs", "absolute") and _is_difference(inner.args[0]):
        return "mean_absolute_error"
    return None


def _is_difference(node):
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)


def columns_of(value):
    return [str(name) for name in value.columns] if _r.is_frame(value) else None


def path_text(path):
    if isinstance(path, str):
        return path
    name = getattr(path, "name", None)
    return name if isinstance(name, str) else str(path) if hasattr(path, "__fspath__") else None


def is_loader(name, last):
    """Data sets that come with a library: sklearn.datasets.load_iris, seaborn.load_dataset."""
    return name.startswith(("sklearn.datasets.", "seaborn.")) and last.startswith(("load_", "fetch_")) and last != "load_svmlight_file"


def kind_of_read(name, text):
    for word, kind in (("csv", "csv"), ("table", "csv"), ("fwf", "csv"), ("excel", "excel"), ("parquet", "parquet"), ("json", "json")):
        if word in name.rsplit(".", 1)[-1]:
            return kind
    return "csv" if isinstance(text, str) and text.lower().endswith((".csv", ".tsv", ".txt")) else "other"


def opens_to_write(site):
    """The mode stands after the path: a literal in the text of the call is looked at."""
    modes = [k.value for k in site.node.keywords if k.arg == "mode"] + list(site.node.args[1:2])
    return any(isinstance(m, ast.Constant) and isinstance(m.value, str) and set(m.value) & set("wax+") for m in modes)
