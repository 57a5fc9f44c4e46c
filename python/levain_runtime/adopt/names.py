"""What each cell defines, uses and changes, by name: the data flow between cells as far as the text tells it."""

import ast
import builtins

# What a notebook's namespace holds from the start.
GIVEN = set(dir(builtins)) | {"__name__", "__file__", "__doc__", "get_ipython", "display", "In", "Out", "exit", "quit", "_", "__", "___", "_i", "_ih", "_oh", "_dh"}
# Methods that change what they are called on.
CHANGING = {"append", "extend", "insert", "remove", "pop", "clear", "update", "setdefault", "add", "discard", "sort", "reverse", "fit", "fit_transform", "partial_fit", "set_params", "insert", "compile", "add_trace", "fit_resample", "fit_sample", "fit_generator"}


def of_cell(tree):
    """{defs, sure, uses, later, changes}: uses are names needed before the cell surely defines them (`maybe`: one branch did);
    later are those that only its functions use, when they are called."""
    visitor = _Visitor()
    for statement in tree.body if tree else ():
        visitor.visit(statement)
    later = visitor.later - GIVEN
    return {
        "defs": sorted(visitor.defined | visitor.maybe),
        "sure": sorted(visitor.defined),
        "uses": [{"name": name, "line": line, "maybe": maybe} for name, (line, maybe) in visitor.uses.items() if name not in GIVEN],
        "later": sorted(later - set(visitor.uses)),
        "changes": sorted(visitor.changes),
    }


class _Visitor(ast.NodeVisitor):
    """Walks in order of execution. `maybe` holds what only one branch defines."""

    def __init__(self):
        self.defined = set()
        self.maybe = set()
        self.uses = {}
        self.later = set()
        self.changes = set()
        self.branch = 0

    def _define(self, name):
        (self.maybe if self.branch else self.defined).add(name)

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self._define(node.id)
        elif isinstance(node.ctx, ast.Del):
            self.changes.add(node.id)
        else:
            self._use(node.id, node.lineno)

    def _use(self, name, line):
        if name not in self.defined and name not in self.uses:
            self.uses[name] = (line, name in self.maybe)

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node):
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._use(node.target.id, node.lineno)
            self.changes.add(node.target.id)
            self._define(node.target.id)
        else:
            self._store(node.target)
            self.visit(node.target)

    def visit_Subscript(self, node):
        self._store(node)
        self.generic_visit(node)

    def visit_Attribute(self, node):
        self._store(node)
        self.generic_visit(node)

    def _store(self, node):
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            root = _root(node)
            if root:
                self.changes.add(root)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Attribute):
            root = _root(node.func.value)
            in_place = any(word.arg == "inplace" and not (isinstance(word.value, ast.Constant) and not word.value.value) for word in node.keywords)
            if root and (in_place or node.func.attr in CHANGING):
                self.changes.add(root)
        self.generic_visit(node)

    def visit_Import(self, node):
        for alias in node.names:
            self._define(alias.asname or alias.name.split(".")[0])

    def visit_ImportFrom(self, node):
        for alias in node.names:
            self._define(alias.asname or alias.name)

    def visit_For(self, node):
        self.visit(node.iter)
        self.branch += 1
        self.visit(node.target)
        for statement in node.body + node.orelse:
            self.visit(statement)
        self.branch -= 1

    visit_AsyncFor = visit_For

    def visit_While(self, node):
        self._branches(node.test, [node.body, node.orelse])

    def visit_If(self, node):
        self._branches(node.test, [node.body, node.orelse])

    def _branches(self, test, blocks):
        self.visit(test)
        if isinstance(test, ast.Constant) and test.value:
            for statement in blocks[0]:
                self.visit(statement)
            return
        self.branch += 1
        for statement in [one for block in blocks for one in block]:
            self.visit(statement)
        self.branch -= 1

    def visit_Try(self, node):
        for statement in node.body:
            self.visit(statement)
        self.branch += 1
        for handler in node.handlers:
            if handler.name:
                self._define(handler.name)
            self.generic_visit(handler)
        self.branch -= 1
        for statement in node.orelse + node.finalbody:
            self.visit(statement)

    def visit_FunctionDef(self, node):
        for part in node.decorator_list + node.args.defaults + [d for d in node.args.kw_defaults if d]:
            self.visit(part)
        self._inner(node)
        self._define(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self._inner(node)

    def visit_ClassDef(self, node):
        for part in node.decorator_list + node.bases + [word.value for word in node.keywords]:
            self.visit(part)
        self._inner(node)
        self._define(node.name)

    def _comprehension(self, node):
        inner = [part for part in ast.walk(node) if isinstance(part, (ast.comprehension, ast.Lambda))]
        own = {name.id for part in inner if isinstance(part, ast.comprehension) for name in ast.walk(part.target) if isinstance(name, ast.Name)}
        own |= {arg.arg for part in inner if isinstance(part, ast.Lambda) for arg in ast.walk(part.args) if isinstance(arg, ast.arg)}
        for name in ast.walk(node):
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load) and name.id not in own:
                self._use(name.id, name.lineno)
            elif isinstance(name, ast.Call):
                root = _root(name.func.value) if isinstance(name.func, ast.Attribute) and name.func.attr in CHANGING else None
                if root and root not in own:
                    self.changes.add(root)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension

    def _inner(self, node):
        """Names that a function takes from the notebook when it is called."""
        own = {arg.arg for part in ast.walk(node) if isinstance(part, ast.arguments) for arg in part.args + part.kwonlyargs + getattr(part, "posonlyargs", []) + [a for a in (part.vararg, part.kwarg) if a]}
        outside = {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}
        for part in ast.walk(node):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                own.add(part.id)
            elif isinstance(part, (ast.FunctionDef, ast.ClassDef)) and part is not node:
                own.add(part.name)
            elif isinstance(part, (ast.Import, ast.ImportFrom)):
                own.update((alias.asname or alias.name.split(".")[0]) for alias in part.names)
            elif isinstance(part, ast.ExceptHandler) and part.name:
                own.add(part.name)
        own -= outside
        used = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
        self.later |= used - own - {getattr(node, "name", None)}
        self.maybe |= outside


def _root(node):
    """The name at the bottom of `df.loc[0].x`."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None
