"""What a statement binds and changes, told from its text: names, in-place methods, the notebook's own functions."""

import ast

#: Methods that change what they are called on.
CHANGING = frozenset(
    "append extend insert remove pop clear update setdefault add discard sort reverse fit fit_transform fit_predict fit_resample "
    "fit_sample partial_fit set_params popitem eval rename_axis setflags itemset appendleft".split()
)
#: Methods of frames that are in CHANGING by name only where `inplace` is asked for.
ONLY_INPLACE = frozenset(["eval", "rename_axis"])


def bound_names(target):
    """Names that an assignment target binds (not what it changes)."""
    if isinstance(target, ast.Name):
        return {target.id}
    if isinstance(target, (ast.Tuple, ast.List)):
        return set().union(set(), *[bound_names(item) for item in target.elts])
    if isinstance(target, ast.Starred):
        return bound_names(target.value)
    return set()


def root(node):
    """The name at the bottom of ``df['a'].str.lower()``, or None."""
    while True:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, (ast.Attribute, ast.Subscript, ast.Starred)):
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        else:
            return None


def changed_targets(target):
    """Names whose objects an assignment target changes: ``df`` of ``df['a'] = 1``."""
    if isinstance(target, (ast.Subscript, ast.Attribute)):
        return {root(target)} - {None}
    if isinstance(target, (ast.Tuple, ast.List)):
        return set().union(set(), *[changed_targets(item) for item in target.elts])
    return set()


class Functions:
    """The notebook's functions and what they do to their arguments and to globals."""

    def __init__(self, trees):
        self.found, self._memo = {}, {}
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    self.found[node.name] = node
        self.classes = {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}

    def changes_of_call(self, call):
        """Names of the caller whose objects the call may change."""
        function = call.func
        changed = set()
        if isinstance(function, ast.Attribute):
            if _asks_inplace(call) or (function.attr in CHANGING and function.attr not in ONLY_INPLACE):
                changed.add(root(function.value))
            if function.attr in self.found:
                changed |= self._by_definition(function.attr, call, 1)
                if 0 in self.effects(function.attr)[0]:
                    changed.add(root(function.value))
            for position, argument in enumerate(call.args):  # df.pipe(clean), map(clean, frames)
                if isinstance(argument, ast.Name) and argument.id in self.found and function.attr == "pipe":
                    changed.add(root(function.value))
        elif isinstance(function, ast.Name):
            if function.id in self.found:
                changed |= self._by_definition(function.id, call, 0)
            elif function.id in ("setattr", "delattr") and call.args:
                changed.add(root(call.args[0]))
        return changed - {None}

    def _by_definition(self, name, call, skip):
        positions, names, globals_ = self.effects(name)
        definition = self.found[name]
        parameters = [argument.arg for argument in definition.args.args]
        offset = skip if parameters[:1] in (["self"], ["cls"]) else 0
        changed = set(globals_)
        for position, argument in enumerate(call.args):
            if position + offset in positions:
                changed |= _roots_in(argument)
        for keyword in call.keywords:
            if keyword.arg in names:
                changed |= _roots_in(keyword.value)
        return changed

    def effects(self, name):
        """(positions of changed parameters, their names, globals that are changed or bound)."""
        if name not in self._memo:
            self._memo[name] = (set(), set(), set())  # for functions that call themselves
            node = self.found[name]
            changed, declared = set(), set()
            for inner in ast.walk(node):
                changed |= changes_of(inner, self)
                if isinstance(inner, ast.Global):
                    declared |= set(inner.names)
            parameters = [argument.arg for argument in node.args.args + node.args.kwonlyargs]
            aliases = _local_aliases(node)
            changed |= {source for name_, source in aliases if name_ in changed}
            local = {n for inner in ast.walk(node) for n in _binds(inner)} | set(parameters)
            self._memo[name] = (
                {i for i, parameter in enumerate(parameters) if parameter in changed},
                {parameter for parameter in parameters if parameter in changed},
                {n for n in changed if n not in local} | declared,
            )
        return self._memo[name]


def _local_aliases(node):
    """(name, name it stands for) inside a function: ``data = df``, ``for d in frames``."""
    found = []
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Name):
            found += [(name, inner.value.id) for target in inner.targets for name in bound_names(target)]
        elif isinstance(inner, ast.For):
            found += [(name, source) for name in bound_names(inner.target) for source in _roots_in(inner.iter)]
    return found


def _binds(node):
    if isinstance(node, ast.Assign):
        return set().union(set(), *[bound_names(target) for target in node.targets])
    if isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.For)):
        return bound_names(node.target)
    return set()


def _roots_in(node):
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return set().union(set(), *[_roots_in(item) for item in node.elts])
    if isinstance(node, ast.Dict):
        return set().union(set(), *[_roots_in(item) for item in node.values])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("enumerate", "zip", "list", "reversed"):
        return set().union(set(), *[_roots_in(item) for item in node.args])
    found = root(node) if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) else None
    return {found} if found else set()


def _asks_inplace(call):
    return any(k.arg == "inplace" and getattr(k.value, "value", True) is not False for k in call.keywords)


def changes_of(node, functions):
    """Names whose objects one node (not its children) changes."""
    if isinstance(node, ast.Assign):
        return set().union(set(), *[changed_targets(target) for target in node.targets])
    if isinstance(node, ast.AugAssign):
        return changed_targets(node.target) | bound_names(node.target)
    if isinstance(node, (ast.AnnAssign, ast.For)):
        return changed_targets(node.target)
    if isinstance(node, ast.Delete):
        return set().union(set(), *[changed_targets(target) for target in node.targets])
    if isinstance(node, ast.Call):
        return functions.changes_of_call(node)
    return set()


def changes_within(node, functions):
    return set().union(set(), *[changes_of(inner, functions) for inner in ast.walk(node)])


class Aliases:
    """Names that may stand for one object, whatever the order of statements: groups."""

    def __init__(self, trees):
        self._parent = {}
        for tree in trees:
            for node in ast.walk(tree):
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        self._assign(target, node.value)
                elif isinstance(node, (ast.For, ast.comprehension)):
                    self._join(bound_names(node.target) | _roots_in(node.iter) if _may_hold(node.iter) else set())

    def _assign(self, target, value):
        if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)):
            for part, source in zip(target.elts, value.elts):
                self._assign(part, source)
        elif isinstance(value, (ast.Name, ast.List, ast.Tuple, ast.Dict)):
            self._join(bound_names(target) | changed_targets(target) | _names_held(value))
        elif isinstance(value, ast.Subscript) and isinstance(target, ast.Name) and _is_item(value):
            self._join({target.id, root(value)})

    def _join(self, names):
        names = [name for name in names if name]
        for name in names[1:]:
            self._parent[self._find(name)] = self._find(names[0])

    def _find(self, name):
        while self._parent.get(name, name) != name:
            name = self._parent[name]
        return name

    def touches(self, changed, live):
        groups = {self._find(name) for name in live}
        return any(self._find(name) in groups for name in changed)


def _names_held(value):
    return {value.id} if isinstance(value, ast.Name) else _roots_in(value) if not isinstance(value, ast.Subscript) else set()


def _may_hold(node):
    """Whether the items of what is looped over may be frames: a name, a literal list, an enumerate of one."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in ("enumerate", "zip", "list", "reversed")
    return isinstance(node, (ast.Name, ast.List, ast.Tuple))


def _is_item(node):
    """``frames[0]``: an item of a container, by a number."""
    inner = getattr(node.slice, "value", None) if type(node.slice).__name__ == "Index" else node.slice
    return isinstance(inner, ast.Constant) and isinstance(inner.value, int) and isinstance(node.value, ast.Name)
