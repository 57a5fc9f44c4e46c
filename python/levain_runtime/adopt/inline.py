"""Rows that a function of the notebook gives to the model: its statements up to that call stand in features() themselves."""

import ast

from .effects import bound_names
from .refusal import Refused
from .rewrite import Writer
from .slice import Piece


def slice_within(attempt, node, site, slicer, plan):
    """(text of the rows, names that are needed at the top level, Piece of the function's lines). node: the rows in the call."""
    program, statement = attempt.program, attempt.wanted.statement
    chain = chain_of(program, statement, site.node)
    if chain is None:
        raise _hidden(attempt, site)
    plan.tops.add(statement.top)
    slicer.only = slicer.until
    lines, needed, text, call = [], set(), None, site.node
    for definition, outer in chain:
        slicer.statement = program.statement_with(definition)
        if text is None:
            writer = slicer._writer(True, False)
            text = writer.text(node)
            needed, lines = writer.names - writer.given, writer.prelude
        before, needed = slicer.block(_before(definition, call, needed), needed, True, False)
        given = _parameters(definition, outer, needed)
        source = program.statement_with(outer) if outer is not None else statement
        slicer.statement = source or statement
        lines = _given_lines(slicer, given, outer, definition) + before + lines
        needed = (needed - set(given)) | slicer.given_names
        call = outer
    slicer.only, slicer.statement = None, statement
    return text, needed, Piece(statement, lines)


def chain_of(program, statement, node):
    """[(function, the call of it)] from the function that holds the node outwards to the top-level statement, or None."""
    found = []
    for _ in range(5):
        if any(inner is node for inner in ast.walk(statement.node)) and _function_with(statement.node, node) is None:
            return found
        definition = next((d for d in (_function_with(tree, node) for tree in program.trees) if d is not None), None)
        if definition is None:
            return None
        call = _call_of(definition.name, statement.node) or next(
            (c for tree in program.trees for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for c in [_call_of(definition.name, f)] if c), None
        )
        if call is None:
            return None
        found.append((definition, call))
        node = call
    return None


def _function_with(tree, node):
    """The innermost function that holds a node; None where a class or a lambda does."""
    best = None
    for inner in ast.walk(tree):
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef, ast.Lambda)) and inner is not node:
            if any(child is node for child in ast.walk(inner)):
                best = inner
    return best if isinstance(best, ast.FunctionDef) else None


def _call_of(name, tree):
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name]
    return calls[-1] if calls else None


def _before(definition, node, needed):
    """Statements of a function before the one that holds a node; that one too where it binds what is needed (a loop over folds)."""
    for position, statement in enumerate(definition.body):
        if any(inner is node for inner in ast.walk(statement)):
            binds = isinstance(statement, (ast.For, ast.With, ast.If, ast.Try)) and any(
                needed & set().union(*[bound_names(t) for t in inner.targets]) for inner in ast.walk(statement) if isinstance(inner, ast.Assign)
            )
            return definition.body[: position + 1] if binds else definition.body[:position]
    return definition.body


def _parameters(definition, call, needed):
    """{parameter: expression given for it} of those that are needed."""
    arguments = definition.args
    names = [a.arg for a in getattr(arguments, "posonlyargs", []) + arguments.args]
    given = dict(zip(names, call.args))
    given.update({k.arg: k.value for k in call.keywords if k.arg})
    defaults = dict(zip(names[len(names) - len(arguments.defaults) :], arguments.defaults))
    defaults.update({a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults) if d is not None})
    every = names + [a.arg for a in arguments.kwonlyargs]
    found = {name: given.get(name, defaults.get(name)) for name in every if name in needed}
    return {name: value for name, value in found.items() if value is not None}


def _given_lines(slicer, given, call, definition):
    """The lines that bind a function's parameters to what the call gave; notes the names that these need."""
    slicer.given_names = set()
    names, texts = [], []
    for name, value in given.items():
        writer = Writer(slicer.plan, slicer.statement, in_function=False)
        writer.only = slicer.until
        text = writer.text(value)
        slicer.given_names |= writer.names - writer.given
        if text != name:
            names.append(name)
            texts.append(text)
    if not names:
        return []
    return ["%s = %s" % (", ".join(names), ", ".join(texts))]


def _hidden(attempt, site):
    return Refused(
        "the rows that the model is given in cell %d have no name of their own outside of %s" % (site.cell, site.function or "the statement"),
        site.cell, site.node.lineno, "Keep the test rows in a variable and call predict with it.", site.code,
    )  # fmt: skip
