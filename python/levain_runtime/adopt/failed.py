"""Which failed cells a fitted object depends on: what they would have bound or changed is followed through the cells that ran.

Names flow from statement to statement of the top level; a plain assignment cleanses. What a failed cell does with code whose effect
is not known counts as a change. A failed statement that only draws, prints or describes binds and changes nothing that flows on.
"""

import ast
import re
import sys
import sysconfig
import types

from .effects import Aliases, Functions, bound_names, changes_within, root
from .observe import FIT_METHODS

EVERYTHING = "*"
_PREDICTS_NOTHING = re.compile(
    r"Scaler|Encoder|Vectorizer|Imputer|Normalizer|Binarizer|Discretizer|Transformer|PCA|TSNE|UMAP|SVD|KMeans|DBSCAN|Agglomerative|SelectKBest"
    r"|Visualizer|Elbow|Plot|Curve|SMOTE|Sampler|Tokenizer|scaler|encoder|vectorizer|imputer|tokenizer|pca|tsne|visualizer"
)
SHUFFLES = frozenset(["shuffle"])
_PRINT = re.compile(r"^(\s*)print\s+[^(=].*$", re.MULTILINE)


class FailedCells:
    """failed: numbers of cells that failed. unrun_fits: [(cell, name, line)] of fits in statements that never completed."""

    def __init__(self, trace):
        self.trace = trace
        self.runs = _last_runs(trace)
        self.failed = [run.number for run in self.runs if run.status != "ok"]
        trees = [_tree(run) for run in self.runs]
        self.functions = Functions([tree for tree in trees if tree is not None])
        self.aliases = Aliases([tree for tree in trees if tree is not None])
        self.taint, self.at, self.unrun_fits = {}, {}, []
        self.uses_of_functions = {name: _free_names(node) for name, node in self.functions.found.items()}
        self.bound_before = {}
        for run, tree in zip(self.runs, trees):
            self._follow(run, tree)

    def behind(self, record, name=None):
        """Failed cells that the statement of a record depends on (sorted)."""
        cells = set(self.at.get(tuple(record.top), ())) if record is not None and getattr(record, "top", None) else set()
        if name is not None and not cells:
            cells |= self.taint.get(name, set()) | self.taint.get(EVERYTHING, set())
        return sorted(cells)

    def behind_name(self, name):
        return sorted(self.taint.get(name, set()) | self.taint.get(EVERYTHING, set()))

    def _follow(self, run, tree):
        if tree is None:
            self._add([EVERYTHING], {run.number})
            return
        line = run.error["line"] if run.error else None
        for number, statement in enumerate(tree.body):
            if run.status == "ok" or (line is not None and statement.end_lineno < line):
                self._completed(run, number, statement)
            else:
                self._never_completed(run, statement)

    def _completed(self, run, number, statement):
        source = set(self.taint.get(EVERYTHING, ()))
        for name in self._uses(statement):
            source |= self.taint.get(name, set())
        self.at[(run.number, number)] = source
        changed = changes_within(statement, self.functions)
        self._add(changed, source)
        for name in _bound(statement):
            if isinstance(statement, (ast.Assign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.With)):
                self.taint[name] = set(source)
            else:
                self._add([name], source)

    def _never_completed(self, run, statement):
        cell = {run.number}
        if _is_unknown(statement):
            self._add([EVERYTHING], cell)
        changed = changes_within(statement, self.functions) | self._unknown_changes(statement)
        self._add(_bound(statement) | changed | {mate for name in changed for mate in self._mates(name)}, cell)
        if not isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in FIT_METHODS - {"fit_transform"}:
                    name = root(node.func.value)
                    if self._may_be_model(name):
                        self.unrun_fits.append((run.number, name, node.lineno))

    def _may_be_model(self, name):
        """Not where the class that the name was made of is known to predict nothing, or draws."""
        namespace = self.trace.shell.user_ns
        if name in namespace and hasattr(namespace[name], "fit"):
            return hasattr(namespace[name], "predict")
        for run in self.runs:
            for node in ast.walk(_tree(run) or ast.Module(body=[], type_ignores=[])):
                if isinstance(node, ast.Assign) and name in _bound(node) and isinstance(node.value, ast.Call):
                    function = node.value.func
                    kind = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                    known = namespace.get(kind)
                    if (isinstance(known, type) and not hasattr(known, "predict")) or _PREDICTS_NOTHING.search(kind):
                        return False
        return not (isinstance(name, str) and _PREDICTS_NOTHING.search(name))

    def _mates(self, name):
        group = self.aliases._find(name)
        return [other for other in list(self.aliases._parent) if self.aliases._find(other) == group]

    def _add(self, names, cells):
        if cells:
            for name in names:
                self.taint.setdefault(name, set()).update(cells)

    def _uses(self, statement):
        names, queue = set(), [statement]
        seen = set()
        while queue:
            node = queue.pop()
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load):
                    names.add(inner.id)
                called = inner.func if isinstance(inner, ast.Call) else None
                name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else None
                if name in self.functions.found and name not in seen:
                    seen.add(name)
                    names |= self.uses_of_functions[name]
                    queue.append(self.functions.found[name])
                elif name in self.functions.classes and name not in seen:
                    seen.add(name)
                    queue.append(self.functions.classes[name])
        return names

    def _unknown_changes(self, statement):
        """What calls of unknown code may change: arguments of functions that are not of a library, receivers of unknown type."""
        changed = set()
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call):
                continue
            owner = root(node.func)
            arguments = {root(a) for a in list(node.args) + [k.value for k in node.keywords]} - {None}
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            if name in SHUFFLES:
                changed |= arguments
            elif owner is None or self._is_harmless(owner, node, name):
                continue
            else:
                changed |= arguments | ({owner} if name is not None else set())
        return changed - {None}

    def _is_harmless(self, owner, node, name):
        if owner in self.functions.found:
            return True  # its body is known to effects.py
        namespace = self.trace.shell.user_ns
        builtin = vars(sys.modules["builtins"]).get(owner)
        if owner not in namespace:
            return builtin is not None or self._is_library_name(owner)
        value = namespace[owner]
        if isinstance(value, types.ModuleType):
            return _is_library(value)
        module = sys.modules.get(getattr(value if isinstance(value, (type, types.FunctionType)) else type(value), "__module__", None) or "")
        return module is not None and module.__name__ != "__main__" and _is_library(module)

    def _is_library_name(self, name):
        """A name that an import of the notebook would have bound, from a library that is not a file beside the notebook."""
        for run in self.runs:
            for node in ast.walk(_tree(run) or ast.Module(body=[], type_ignores=[])):
                if isinstance(node, (ast.Import, ast.ImportFrom)) and name in _bound(node):
                    module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                    return module is not None and (module.split(".")[0] + ".py") not in self.trace.paths.files() and not getattr(node, "level", 0)
        return False


def _last_runs(trace):
    last = {}
    for run in trace.cells:
        last[run.number] = run
    return [run for run in trace.cells if last[run.number] is run]


def _tree(run):
    if run.tree is not None:
        return run.tree
    for text in (run.source, _PRINT.sub(r"\1pass", run.source)):
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError):
            continue
    return None


def _bound(statement):
    """Names that a statement may bind at the top level, nested blocks included; not those inside functions."""
    names = set()
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {(alias.asname or alias.name.split(".")[0]) for alias in statement.names}
    for node in ast.walk(statement):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names |= bound_names(target)
        elif isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For, ast.NamedExpr)):
            names |= bound_names(node.target)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            names |= bound_names(node.optional_vars)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= _bound(node)
        elif isinstance(node, ast.Global):
            names |= set(node.names)
    return names


def _free_names(function):
    local = {a.arg for a in function.args.args + function.args.kwonlyargs}
    local |= {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)} - local


def _is_unknown(statement):
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name) and node.func.id in ("exec", "execfile"):
                return True
            if isinstance(node.func, ast.Attribute) and node.func.attr == "run_line_magic" and node.args:
                if getattr(node.args[0], "value", None) in ("run", "load", "store", "rehashx", "reset"):
                    return True
        elif isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
    return False


def _is_library(module):
    path = getattr(module, "__file__", None)
    if path is None:
        return True  # built in
    stdlib = sysconfig.get_paths()["stdlib"]
    return "site-packages" in path or "dist-packages" in path or path.startswith(stdlib)
