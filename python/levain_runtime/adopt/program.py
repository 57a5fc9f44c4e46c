"""The notebook's top-level statements in the order in which they ran."""

import ast
import importlib.util
import os

from .refusal import Refused
from .sites import Offsets


class Statement:
    """One top-level statement that ran. top: (cell, its number in the cell), as in Record.top."""

    def __init__(self, run, number, node, offsets):
        self.cell, self.number, self.node, self.source, self.offsets = run.number, number, node, run.source, offsets
        self.top, self.path = (run.number, number), getattr(run, "path", None)

    def source_text(self):
        return self.source[slice(*self.offsets.span(self.node))]

    def comments_above(self):
        """The lines of comment that stand directly above it."""
        lines = self.source[: self.offsets.span(self.node)[0]].split("\n")[:-1]
        found = []
        while lines and lines[-1].startswith("#"):
            found.insert(0, lines.pop().rstrip())
        return found

    def comment_behind(self):
        """The comment at the end of its last line, or an empty text."""
        rest = self.source[self.offsets.span(self.node)[1] :].split("\n", 1)[0]
        return "  " + rest.strip() if rest.strip().startswith("#") else ""


def statements_of(trace):
    """[Statement] of every cell that ran, up to the line at which it failed."""
    found = []
    for run in trace.cells:
        if run.tree is None:
            continue
        stop = None
        if run.status != "ok":
            stop = (run.error or {}).get("line") or 0
        offsets = Offsets(run.source)
        for number, node in enumerate(run.tree.body):
            if stop is not None and node.end_lineno >= stop:
                break
            found.append(Statement(run, number, node, offsets))
    return found


class Module:
    """A module beside the notebook: like a cell, with the number 0."""

    def __init__(self, path, source, tree):
        self.number, self.source, self.tree, self.path = 0, source, tree, path
        self.name = os.path.splitext(os.path.basename(path))[0]


def modules_of(trace):
    """[Module] of those that ran, with their sites in the tree as cells have them."""
    found = []
    for path in sorted({site.module for site in trace.sites.values() if getattr(site, "module", None)}):
        try:
            with open(path, "rb") as file:
                source = importlib.util.decode_source(file.read())
            tree = ast.parse(source)
        except (OSError, SyntaxError, ValueError):
            continue
        offsets = Offsets(source)
        places = {(site.start, site.end): site.id for site in trace.sites.values() if site.module == path}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and offsets.span(node) in places:
                node.levain_site = places[offsets.span(node)]
        found.append(Module(path, source, tree))
    return found


class Program:
    """statements: of the modules beside the notebook, then of its cells."""

    def __init__(self, trace):
        self.trace, self.modules = trace, modules_of(trace)
        self.statements = []
        for module in self.modules:
            offsets = Offsets(module.source)
            self.statements += [Statement(module, -1 - number, node, offsets) for number, node in enumerate(module.tree.body)]
        self.statements += statements_of(trace)
        self.trees = [module.tree for module in self.modules] + [run.tree for run in trace.cells if run.tree is not None]

    def is_own(self, module_name):
        """Whether an import names a module beside the notebook."""
        return (module_name or "").split(".")[-1] in {module.name for module in self.modules}

    def position_of(self, top):
        for position, statement in enumerate(self.statements):
            if statement.top == top:
                return position
        raise Refused("cell %d did not run to its end" % top[0], cell=top[0])

    def statement_with(self, node):
        for statement in self.statements:
            if any(inner is node for inner in ast.walk(statement.node)):
                return statement
        return None
