"""What ``levain adopt`` did for a notebook while it left it as it is, done again in every later run of it.

Paths of another machine lead to the project's files, installers do not touch the locked environment, windows are drawn nowhere.
Nothing is recorded, and a failure in here never fails a cell.
"""

import ast
import sys

from .magics import Magics
from .paths import WINDOW_BACKENDS, Redirects, kind_of_paths

HOOK = "__levain_path__"
_TO_READ, _TO_WRITE, _TO_DRAW = 1, 2, 3


class Front:
    """reads: {path as the notebook writes it: path relative to root}."""

    def __init__(self, root, reads):
        self.paths, self.refused_network = Redirects(root, reads), []

    def note(self, text):
        sys.stderr.write("[levain] %s\n" % text)

    def led(self, kind, value):
        if isinstance(value, (bytes, int)) or not (isinstance(value, str) or hasattr(value, "__fspath__")):
            return value
        try:
            if kind == _TO_DRAW:
                return "agg" if isinstance(value, str) and value.lower() in WINDOW_BACKENDS else value
            return self.paths.to_write(value) if kind == _TO_WRITE else self.paths.to_read(value)
        except Exception:  # the call then says itself what is wrong with its path
            return value


def install(shell, config):
    """config: {"root": folder of the copy, "reads": {...}}. Downloads are left out where the notebook's paths lead elsewhere."""
    import builtins

    reads = config.get("reads") or {}
    front = Front(config["root"], reads)
    # In builtins too, for a notebook that empties its namespace.
    for namespace in (builtins.__dict__, shell.user_ns):
        namespace[HOOK] = front.led
    shell.user_ns_hidden[HOOK] = front.led
    shell.ast_transformers.append(_Paths())
    shell.input_transformer_manager.cleanup_transforms.append(Magics(shell, front, not reads))
    return front


class _Paths(ast.NodeTransformer):
    """``pd.read_csv(p)`` becomes ``pd.read_csv(__levain_path__(1, p))``; so does every call by whose name paths are read or written."""

    def visit_Call(self, node):
        self.generic_visit(node)
        callee = node.func
        name = callee.attr if isinstance(callee, ast.Attribute) else callee.id if isinstance(callee, ast.Name) else None
        kind = kind_of_paths(name) if name is not None else 0
        if not kind:
            return node
        if name == "open" and _opens_to_write(node):
            kind = _TO_WRITE
        node.args = [each if isinstance(each, ast.Starred) else _wrapped(kind, each) for each in node.args]
        for keyword in node.keywords:
            if keyword.arg is not None:
                keyword.value = _wrapped(kind, keyword.value)
        return node


def _wrapped(kind, node):
    if isinstance(node, (ast.Dict, ast.List, ast.Tuple, ast.Set, ast.Lambda, ast.Compare)):
        return node
    if isinstance(node, ast.Constant) and not isinstance(node.value, str):
        return node
    call = ast.Call(ast.Name(HOOK, ast.Load()), [ast.Constant(kind), node], [])
    return ast.fix_missing_locations(ast.copy_location(call, node))


def _opens_to_write(node):
    modes = [each.value for each in node.keywords if each.arg == "mode"] + node.args[1:2]
    return any(isinstance(getattr(mode, "value", None), str) and set(mode.value) & set("wax+") for mode in modes)
