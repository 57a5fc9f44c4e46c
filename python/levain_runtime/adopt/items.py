"""Subscripts and statements of a traced cell: which ``df[...]`` left rows out, and which top-level statement ran when.

``v[k]`` becomes ``got(id, of(id, v)[key(id, k)])``: the subscript itself stays in the user's frame. Before every top-level statement
stands ``at(cell, number)``. Nothing is held: pandas looks at reference counts to tell a chained assignment.
"""

import ast

from . import freeze
from . import records as _r

OF, KEY, GOT, AT = "__levain_of__", "__levain_key__", "__levain_got__", "__levain_at__"
MAX_PLAIN = 2000
MAX_COMPARED = 200000

#: (cell, number) of the top-level statement under way.
CURRENT = (0, -1)
#: {(cell, start line, start column, end line, end column): {kinds seen}}; kinds: 'filter', 'aligned', 'pick', 'plain'.
KINDS = {}

_places = []
_plain = []
_pending = []


def hooks():
    return {OF: of, KEY: key, GOT: got, AT: at}


def instrument(tree, cell):
    """Changes an instrumented tree in place once more."""
    _Wrapper(cell).visit(tree)
    marked = []
    for number, statement in enumerate(tree.body):
        is_future = isinstance(statement, ast.ImportFrom) and statement.module == "__future__"
        if not is_future and not (number == 0 and _is_text(statement)):
            marked.append(_marker(cell, number, statement))
        marked.append(statement)
    tree.body = marked
    ast.fix_missing_locations(tree)


def place_of(node, cell):
    return (cell, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


def _is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _marker(cell, number, statement):
    call = _call(AT, [ast.Constant(value=cell, kind=None), ast.Constant(value=number, kind=None)], statement)
    return ast.copy_location(ast.Expr(value=call), statement)


def _call(name, args, where):
    call = ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=args, keywords=[])
    for part in [call, call.func] + [arg for arg in args if not hasattr(arg, "lineno")]:
        ast.copy_location(part, where)
    return call


class _Wrapper(ast.NodeTransformer):
    def __init__(self, cell):
        self.cell = cell

    def visit_Subscript(self, node):
        place = place_of(node, self.cell)
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or _is_column(node.slice):
            return node
        number = ast.Constant(value=len(_places), kind=None)
        _places.append(place)
        _plain.append(0)
        node.value = _call(OF, [number, node.value], node.value)
        inner = getattr(node.slice, "value", None) if type(node.slice).__name__ == "Index" else node.slice
        if isinstance(inner, (ast.Name, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Call, ast.BoolOp, ast.Subscript, ast.Attribute)):
            wrapped = _call(KEY, [ast.Constant(value=number.value, kind=None), inner], inner)
            if inner is node.slice:
                node.slice = wrapped
            else:
                node.slice.value = wrapped
        return _call(GOT, [ast.Constant(value=number.value, kind=None), node], node)

    def visit_arg(self, node):
        return node

    def visit_AnnAssign(self, node):
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_FunctionDef(self, node):
        node.args = self.visit(node.args)
        node.body = [self.visit(statement) for statement in node.body]
        return node

    visit_AsyncFunctionDef = visit_FunctionDef


def _is_column(node):
    inner = getattr(node, "value", None) if type(node).__name__ == "Index" else node
    return isinstance(inner, ast.Constant) and isinstance(inner.value, str)


def at(cell, number):
    global CURRENT
    CURRENT = (cell, number)


def of(number, value):
    if _plain[number] < MAX_PLAIN:
        data = None if isinstance(value, (list, tuple, dict, str)) or _r.is_index(value) else _rows_of(value)
        _pending.append([number, None if data is None else _r.Input(data), False])
        if len(_pending) > 1000:
            del _pending[:500]
    return value


def _rows_of(value):
    if type(value).__name__ in ("_LocIndexer", "_iLocIndexer"):
        return value.obj
    return _r.data_behind(value)


def key(number, value):
    if _pending and _pending[-1][0] == number and _pending[-1][1] is not None:
        dtype = getattr(value, "dtype", None)
        _pending[-1][2] = str(dtype) in ("bool", "boolean") and getattr(value, "ndim", 0) == 1
    return value


def got(number, value):
    if _plain[number] >= MAX_PLAIN:
        return value
    while _pending:
        found, source, is_mask = _pending.pop()
        if found == number:
            KINDS.setdefault(_places[number], set()).add(_kind(number, source, is_mask, value))
            break
    return value


def _kind(number, source, is_mask, value):
    if source is None:
        _plain[number] += 1
        return "plain"
    if is_mask:
        return "filter" if _r.is_data(value) else "pick"
    if not _r.is_data(value):
        _plain[number] += 1
        return "pick"
    rows = _r.count_rows(value)
    if rows == source.rows:
        kind = _r.kind_of(source, value)
        return "aligned" if kind == "aligned" else "filter"
    kind = _r.kind_of(source, value)
    if kind is None and rows < source.rows:
        kind = "filter" if source.index is None else "pick"
    return kind or "pick"


def note(trace, site, entry, record, result):
    """Adds to a record: the top-level statement under way, the group or column of a callback, and what a known form learned."""
    record.top = CURRENT
    if record.kind in ("reduce", "fit", "filter") or result is None:
        record.group = freeze.group_of(entry.callee, entry.arguments)
    record.learned = freeze.learn(site.attribute, _receiver(entry), entry.arguments, _result(site, entry, result))
    if record.callee.startswith("__main__.") and _leaves_rows_out(entry.arguments.get(0), result):
        record.learned = freeze.Learned("rows", [])
    if trace.predictions and trace.predictions[-1].order == record.order:
        wanted = trace.predictions[-1].X_ref
        names = [name for name, value in list(trace.shell.user_ns.items()) if value is wanted and not name.startswith("_")]
        trace.predictions[-1].names, trace.predictions[-1].top = names, CURRENT
    if trace.fits and trace.fits[-1].order == record.order:
        trace.fits[-1].top = CURRENT


def _leaves_rows_out(given, result):
    """Whether a function of the notebook gave back some of its rows, each as it was, and nothing else (outliers taken out)."""
    if not _r.is_frame(given) or not _r.is_frame(result) or not 0 < len(result) < len(given) <= MAX_COMPARED:
        return False
    if list(given.columns) != list(result.columns):
        return False
    from pandas.util import hash_pandas_object

    known = set(hash_pandas_object(given, index=False).tolist())
    return all(row in known for row in hash_pandas_object(result, index=False).tolist())


def _receiver(entry):
    return entry.callee if entry.callee is not None else entry.after() if getattr(entry, "after", None) is not None else None


def _result(site, entry, result):
    """What a call in place gave back stands in its receiver."""
    return _receiver(entry) if result is None and site.inplace else result
