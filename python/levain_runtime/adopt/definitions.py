"""Functions, classes and imports of the notebook, as far as features.py needs them."""

import ast

from .rewrite import BUILTINS

INDENT = "    "


class Definitions:
    """The part of a Slicer that writes definitions; it takes statements, writers and the live names from there."""

    def _local_import(self, node, live):
        return [self._raw(node)], live

    def _own_import(self, node, live):
        """An import of a module beside the notebook: what is used of it stands in this file."""
        lines = []
        for alias in node.names:
            name = alias.asname or alias.name.split(".")[0]
            if isinstance(node, ast.ImportFrom) and self.program.is_own(node.module) and alias.asname and alias.asname in live:
                lines.append("%s = %s" % (alias.asname, alias.name))
                live = (live - {alias.asname}) | {alias.name}
            elif isinstance(node, ast.Import) and self.program.is_own(alias.name) and name in live:
                used = sorted(attributes_of(name, self.program.trees))
                lines.append("%s = types.SimpleNamespace(%s)" % (name, ", ".join("%s=%s" % (u, u) for u in used)))
                self.imports["types"] = "import types"
                live = (live - {name}) | set(used)
        return (lines, live) if lines else None

    def _definition(self, node, live):
        if isinstance(node, ast.ClassDef):
            lines, names = self._class(node)
        else:
            lines, names = self._function(node)
        return lines, (live - {node.name}) | names

    def _function(self, node):
        parameters = {a.arg for a in node.args.args + node.args.kwonlyargs + getattr(node.args, "posonlyargs", [])}
        parameters |= {a.arg for a in (node.args.vararg, node.args.kwarg) if a is not None}
        declared = {n for inner in ast.walk(node) if isinstance(inner, (ast.Global, ast.Nonlocal)) for n in inner.names}
        lines, needed = self.block(node.body, set(parameters) | declared, True, False)
        local = {n for inner in ast.walk(node) for n in locally_bound(inner)} - declared
        start = self.statement.offsets.span(node)[0]
        body = self.statement.offsets.span(node.body[0])[0]
        head = self.statement.source[start:body]
        head = signature_of(head)
        writer = self._writer(True, False)
        for default in [*node.args.defaults, *[d for d in node.args.kw_defaults if d is not None]]:
            writer.text(default)
        names = (needed - parameters - local - {node.name}) | self._needs(writer)
        lines = [line for line in lines if not line.lstrip().startswith(("global ", "nonlocal "))]
        if declared:
            lines.insert(0, "nonlocal %s" % ", ".join(sorted(declared)))
        return head.split("\n") + indented(lines or ["pass"]), names | declared

    def _class(self, node):
        text, names = self._raw(node), set()
        local = {n for inner in ast.walk(node) for n in locally_bound(inner)} | {node.name}
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and inner.id not in BUILTINS and inner.id not in local:
                names.add(inner.id)
        lines = []
        for base in node.bases + [k.value for k in node.keywords]:
            names |= {n.id for n in ast.walk(base) if isinstance(n, ast.Name)} - BUILTINS
        body = []
        for inner in node.body:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)):
                made, needed = self._function(inner)
                body += made
                names |= needed
            elif not (isinstance(inner, ast.Expr) and isinstance(inner.value, ast.Constant)):
                body.append(self._raw(inner))
        head = text.split("\n", 1)[0]
        lines = [head] + indented(body or ["pass"])
        return lines, names - local


def signature_of(head):
    """``def f(a, b):`` without the comments and documentation that may stand between it and the body."""
    depth = 0
    for position, character in enumerate(head):
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == ":" and depth == 0:
            return head[: position + 1]
    return head.rstrip()


def locally_bound(node):
    if isinstance(node, ast.arg):
        return {node.arg}
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return {node.id}
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return {(a.asname or a.name).split(".")[0] for a in node.names}
    if isinstance(node, ast.ExceptHandler) and node.name:
        return {node.name}
    return set()


def indented(lines):
    return [INDENT + line if line else line for line in lines]


def attributes_of(name, trees):
    return {n.attr for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name) and n.value.id == name}


def imports_of(program):
    """{name: the import that binds it}, of every import at any depth but of modules beside the notebook."""
    found = {}
    for tree in program.trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in [a for a in node.names if not program.is_own(a.name)]:
                    name = alias.asname or alias.name.split(".")[0]
                    found[name] = "import %s%s" % (alias.name, " as " + alias.asname if alias.asname else "")
            elif isinstance(node, ast.ImportFrom) and node.module != "__future__" and not program.is_own(node.module):
                for alias in node.names:
                    name = alias.asname or alias.name
                    source = "." * node.level + (node.module or "")
                    found[name] = "from %s import %s%s" % (source, alias.name, " as " + alias.asname if alias.asname else "")
    return found
