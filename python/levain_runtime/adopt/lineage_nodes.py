"""What statements bind, call and put where, seen from their nodes (Python 3.8 still has Index around keys)."""

import ast

#: Objects of boosters that hold rows and labels.
HOLDERS = frozenset(["DMatrix", "QuantileDMatrix", "Dataset", "Pool"])


def bound(node, name):
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name) and target.id == name:
                yield node.value, None
            elif isinstance(target, (ast.Tuple, ast.List)):
                for item, inner in enumerate(target.elts):
                    if isinstance(inner, ast.Name) and inner.id == name:
                        yield node.value, item
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)) and isinstance(node.target, ast.Name) and node.target.id == name and node.value is not None:
        yield (ast.BinOp(left=ast.Constant(value=0), op=ast.Add(), right=node.value) if isinstance(node, ast.AugAssign) else node.value), None
    elif isinstance(node, ast.For) and any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node.target)):
        yield node.iter, (None if isinstance(node.target, ast.Name) else 99)


def label_of(call):
    """The y that a call is given."""
    for word in call.keywords:
        if word.arg in ("y", "Y", "label"):
            return word.value
    return call.args[1] if len(call.args) > 1 and not any(isinstance(a, ast.Starred) for a in call.args[:2]) else None


def called_name(node):
    func = node.func if isinstance(node, ast.Call) else None
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else None


def is_inplace(node):
    return isinstance(node, ast.Call) and any(word.arg == "inplace" and constant(word.value) is not False for word in node.keywords)


def keys_of(target):
    """The keys of a subscript, rows before columns."""
    key = target.slice.value if type(target.slice).__name__ == "Index" else target.slice
    keys = list(key.elts) if isinstance(key, ast.Tuple) else [key]
    inner = target.value
    if isinstance(inner, ast.Subscript):  # df['c'][mask] = value
        return keys + keys_of(inner)
    return [key for key in keys if not isinstance(key, ast.Slice)] or keys[:0]


def like_index(key, like):
    return ast.Index(value=key) if type(like).__name__ == "Index" else key


def constant(node):
    node = node.value if type(node).__name__ == "Index" else node
    return node.value if isinstance(node, ast.Constant) else getattr(node, "s", None) if type(node).__name__ == "Str" else None


def is_made(call):
    """An object of a class: ``LabelEncoder()``."""
    name = called_name(call)
    return bool(name) and name[0].isupper() and name not in ("Series", "DataFrame", "Categorical") and name not in HOLDERS


def root_of(node):
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None
