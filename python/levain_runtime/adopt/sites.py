"""Call sites of notebook cells: which calls there are, where they stand in the text, and how a cell is instrumented.

Every call ``f(a, k=b)`` of a cell becomes ``end(begin(7), callee(7, f)(arg(7, 0, a), k=arg(7, "k", b)))``. The call itself stays in
the user's own frame, at its own line: tracebacks keep their frames, callees that look at the caller's frame
(``DataFrame.query``, ``warnings.warn``) still find it, and what is returned is the same object. Decorators, annotations and calls
that belong to the frame (``super``, ``locals``, ``exec`` …) are left as they are.
"""

import ast
import copy
import re

#: Names under which instrumented code finds its hooks (see trace.py).
BEGIN, CALLEE, ARG, END = "__levain_begin__", "__levain_callee__", "__levain_arg__", "__levain_end__"
# Python's own lines: str.splitlines knows more line ends.
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

#: Callees that belong to the frame or the front end: never sites. DataFrame.query and .eval are sites: the call stays in its frame.
SKIPPED_NAMES = frozenset(
    "super locals globals vars dir eval exec compile input get_ipython display breakpoint exit quit __import__ reload help".split()
)


class Site:
    """One call expression of one cell.

    id: number, unique in the kernel, in the order of the text within a cell.
    cell: number of the cell (1-based among code cells); 0 for a helper module beside the notebook.
    node: the ast.Call in ``CellRun.tree`` (not instrumented; ``node.levain_site`` is the id).
    code: source text of the call. start, end: its offsets in ``CellRun.source`` (characters, not bytes).
    function: dotted name of the enclosing def or lambda, None at the top level (class bodies count as their class).
    occurrence: n-th call (from 0) with equal code in this cell.
    attribute: name of the method or function as written ("mean" of ``df.x.mean()``), None for other callees.
    inplace: it has an ``inplace=`` keyword that is not a literal False.
    embedded: it stands in an f-string whose inner offsets are not known (Python < 3.12): start and end are those of the f-string.
    records: [Record]. counts: {kind: how many calls}, also beyond the limit of records.
    off: None, or why it is no longer recorded ("many", "big", "slow"): then ``records`` is not complete.
    """

    __slots__ = (
        "id", "cell", "node", "code", "start", "end", "function", "occurrence", "attribute", "inplace", "embedded",
        "records", "counts", "off", "spent", "kept", "module",
    )  # fmt: skip

    def __init__(self, id, cell, node, module=None):
        self.id, self.cell, self.node, self.module = id, cell, node, module
        self.code, self.start, self.end, self.function, self.occurrence = "", 0, 0, None, 0
        self.attribute, self.inplace, self.embedded = attribute_of(node), _is_inplace(node), False
        self.records, self.counts, self.off = [], {}, None
        self.spent, self.kept = 0.0, 0

    def __repr__(self):
        return "Site(%d, cell %d, %r)" % (self.id, self.cell, self.code[:60])


class Record:
    """One completed call of a site. order: completion number, one counter for the whole run.

    kind: 'aligned' (one result row per input row, same index), 'filter' (rows are a part or another order of the input's rows:
    filters, shuffles, splits), 'reduce' (anything else that is small: ``value`` is a deep copy taken at the call), 'fit' (``value`` is a
    Fitted whose ``get()`` gives a deep copy of the receiver as it was AFTER the call; None where it cannot be copied),
    'big' (too large to keep), 'other' (no tracked data went in; or nothing came out: ``None``, in-place).
    receiver_rows: rows of the input (the receiver's data, else the first argument that holds rows), None without one.
    rows_after: rows of the receiver after the call, where it differs: changed in place. result_rows: rows of the result.
    callee: dotted name of what was called, e.g. 'pandas.DataFrame.fillna', 'pandas.get_dummies' (pandas' own modules are left out),
    'sklearn.model_selection._split.train_test_split', '__main__.clean' (a function of the notebook).
    lazy: the result is a view on the input (groupby, rolling, .str …) that computes later. result_type: type name of the result.
    aligned: for 'fit': the result is aligned with the input. parts: for a tuple or list of data: the kind of each part.
    """

    __slots__ = (
        "order", "site", "kind", "value", "receiver_rows", "rows_after", "result_rows", "callee", "lazy", "aligned", "parts", "result_type",
        "top", "group", "learned",
    )  # fmt: skip

    def __init__(self, order, site, kind, callee):
        self.order, self.site, self.kind, self.callee = order, site, kind, callee
        self.value = self.receiver_rows = self.rows_after = self.result_rows = self.aligned = self.parts = self.result_type = None
        self.lazy = False
        self.top = self.group = self.learned = None  # see items.py

    def __repr__(self):
        return "Record(%d, %s, %s, %r -> %r)" % (self.order, self.kind, self.callee, self.receiver_rows, self.result_rows)


class CellRun:
    """One run of one code cell.

    number: 1-based among code cells. source: the text after IPython's own transform (magics are calls of get_ipython() or blanked
    out), which the offsets of ``tree`` and of the sites fit. tree: ast.Module, not instrumented (None where it does not parse).
    status: 'ok' | 'error' | 'unrun' (still running). error: {'name', 'message', 'line'} or None. started, ended: order numbers.
    raw: the text as the notebook has it. defined: names that the run bound to other objects than before.
    """

    __slots__ = ("number", "source", "tree", "status", "error", "started", "ended", "raw", "defined", "sites")

    def __init__(self, number, raw, source):
        self.number, self.raw, self.source, self.tree = number, raw, source, None
        self.status, self.error, self.started, self.ended = "unrun", None, None, None
        self.defined, self.sites = [], []

    def __repr__(self):
        return "CellRun(%d, %s)" % (self.number, self.status)


class Offsets:
    """Spans of nodes as character offsets into a text (Python counts columns in UTF-8 bytes)."""

    def __init__(self, source):
        self.source = source
        self.lines = _LINES.findall(source)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))

    def at(self, line, column):
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        if not text.isascii():
            column = len(text.encode("utf-8")[:column].decode("utf-8", "replace"))
        return self.starts[min(line - 1, len(self.starts) - 1)] + column

    def span(self, node):
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)


def instrument(tree, source, cell, first_id, module=None):
    """Returns (plain tree, [Site]) and changes ``tree`` in place into the instrumented one."""
    finder = _Finder(source, cell, first_id, module)
    finder.visit(tree)
    plain = copy.deepcopy(tree)
    by_id = {node.levain_site: node for node in ast.walk(plain) if hasattr(node, "levain_site")}
    for site in finder.sites:
        site.node = by_id[site.id]
    _Wrapper({site.id: site for site in finder.sites}).visit(tree)
    ast.fix_missing_locations(tree)
    return plain, finder.sites


def attribute_of(node):
    callee = node.func
    return callee.attr if isinstance(callee, ast.Attribute) else callee.id if isinstance(callee, ast.Name) else None


def _is_inplace(node):
    return any(k.arg == "inplace" and getattr(k.value, "value", True) is not False for k in node.keywords)


def is_site(node):
    return not (isinstance(node.func, ast.Name) and node.func.id in SKIPPED_NAMES) and not _is_shell(node)


def _is_shell(node):
    """``get_ipython().run_line_magic(…)`` and its kind."""
    inner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name) and inner.func.id == "get_ipython"


class _Walk(ast.NodeTransformer):
    """Visits what may be instrumented: not decorators, annotations or the expressions of types."""

    def visit_FunctionDef(self, node):
        self.visit(node.args)
        node.body = self.block(node.body)
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        node.body = self.block(node.body)
        return node

    def visit_arg(self, node):
        return node

    def visit_AnnAssign(self, node):
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_TypeAlias(self, node):
        return node

    def visit_Match(self, node):
        node.subject = self.visit(node.subject)
        for case in node.cases:
            if case.guard is not None:
                case.guard = self.visit(case.guard)
            case.body = self.block(case.body)
        return node

    def block(self, statements):
        return [self.visit(statement) for statement in statements]


class _Finder(_Walk):
    def __init__(self, source, cell, first_id, module):
        self.source, self.cell, self.next_id, self.module = source, cell, first_id, module
        self.offsets, self.sites, self.scope, self.seen, self.formatted = Offsets(source), [], [], {}, None

    def visit_FunctionDef(self, node):
        self.visit(node.args)
        return self._inside(node.name, lambda: setattr(node, "body", self.block(node.body)), node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        return self._inside(node.name, lambda: setattr(node, "body", self.block(node.body)), node)

    def visit_Lambda(self, node):
        self.visit(node.args)
        return self._inside("<lambda>", lambda: self.visit(node.body), node)

    def visit_JoinedStr(self, node):
        outer, self.formatted = self.formatted, self.formatted or node
        self.generic_visit(node)
        self.formatted = outer
        return node

    def visit_Call(self, node):
        if is_site(node):
            self._add(node)
        self.generic_visit(node)
        return node

    def _inside(self, name, visit, node):
        self.scope.append(name)
        visit()
        self.scope.pop()
        return node

    def _add(self, node):
        site = Site(self.next_id, self.cell, node, self.module)
        self.next_id += 1
        node.levain_site = site.id
        site.start, site.end = self.offsets.span(node)
        if self.formatted is not None and not _fits(self.source[site.start : site.end], node):
            site.start, site.end = self.offsets.span(self.formatted)
            site.embedded = True
        site.code = self.source[site.start : site.end]
        site.function = ".".join(self.scope) or None
        site.occurrence = self.seen.get(site.code, 0)
        self.seen[site.code] = site.occurrence + 1
        self.sites.append(site)


def _fits(text, node):
    """Whether the text is this expression (columns inside f-strings are wrong before Python 3.12)."""
    try:
        return ast.dump(ast.parse("(%s)" % text, mode="eval").body) == ast.dump(node)
    except (SyntaxError, ValueError):
        return False


class _Wrapper(_Walk):
    def __init__(self, sites):
        self.sites = sites

    def visit_Call(self, node):
        self.generic_visit(node)
        number = getattr(node, "levain_site", None)
        if number is None:
            return node
        if isinstance(node.func, ast.Attribute):
            node.func.value = self._hook(CALLEE, [_constant(number), node.func.value], node.func.value)
        else:
            node.func = self._hook(CALLEE, [_constant(number), node.func], node.func)
        node.args = [self._argument(number, i, value) for i, value in enumerate(node.args)]
        for keyword in node.keywords:
            name = keyword.arg if keyword.arg is not None else "**"
            keyword.value = self._hook(ARG, [_constant(number), _constant(name), keyword.value], keyword.value)
        begin = self._hook(BEGIN, [_constant(number)], node)
        return self._hook(END, [begin, node], node)

    def _argument(self, number, position, value):
        if isinstance(value, ast.Starred):
            inner = self._hook(ARG, [_constant(number), _constant("*"), value.value], value.value)
            return ast.copy_location(ast.Starred(value=inner, ctx=ast.Load()), value)
        return self._hook(ARG, [_constant(number), _constant(position), value], value)

    @staticmethod
    def _hook(name, args, where):
        """Wraps at the place of ``where``, so that lines and columns of an error stay the user's."""
        call = ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=args, keywords=[])
        for part in [call, call.func] + [arg for arg in args if not hasattr(arg, "lineno")]:
            ast.copy_location(part, where)
        return call


def _constant(value):
    return ast.Constant(value=value, kind=None)
