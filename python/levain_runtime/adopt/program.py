"""The notebook's top-level statements in the order in which they ran."""

import ast

from .refusal import Refused
from .sites import Offsets


class Statement:
    """One top-level statement that ran. top: (cell, its number in the cell), as in Record.top."""

    def __init__(self, run, number, node, offsets):
        self.cell, self.number, self.node, self.source, self.offsets = run.number, number, node, run.source, offsets
        self.top = (run.number, number)

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


class Program:
    def __init__(self, trace):
        self.trace = trace
        self.statements = statements_of(trace)
        self.trees = [run.tree for run in trace.cells if run.tree is not None]

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
