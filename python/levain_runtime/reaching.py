"""What a name of levain.yaml reaches in a kernel: a variable, or what one holds by literal keys."""

import ast


def reach(namespace, name):
    """(True, the object) of ``clf``, ``models['rf']``, ``found[0].model``; (False, None) where there is none. Nothing is called."""
    if name in namespace:
        return True, namespace[name]
    try:
        return True, _value(ast.parse(name, mode="eval").body, namespace)
    except Exception:  # no such name, key or attribute; a property may raise anything
        return False, None


def _value(node, namespace):
    if isinstance(node, ast.Name):
        return namespace[node.id]
    if isinstance(node, ast.Attribute):
        return getattr(_value(node.value, namespace), node.attr)
    if isinstance(node, ast.Subscript):
        key = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
        return _value(node.value, namespace)[ast.literal_eval(key)]
    raise ValueError("not a name, attribute or item")
