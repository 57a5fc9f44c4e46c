"""What the rewriting knows of a notebook and collects for one features.py; which expressions hold rows."""

import ast

from .freeze import FIT

JOINING = frozenset("concat append _append merge join zip".split())
#: Attributes of rows that hold no rows.
ROWLESS = frozenset("columns dtypes dtype shape name names ndim size".split())


class Learned:
    """A site whose value features.py holds: its name there and which of its calls it takes, in order."""

    def __init__(self, name, site, form):
        self.name, self.site, self.form = name, site, form
        self.replayed = False

    def __repr__(self):
        return "Learned(%s, %r)" % (self.name, self.site)


class Rows:
    """Which names hold rows of one or more reads; what `carries` asks."""

    def __init__(self, trace, program, main, siblings):
        self.trace, self.program, self.main, self.siblings, self.carried = trace, program, main, siblings, set()
        self.reads = {read.site_id for read in trace.reads}


class Plan(Rows):
    """What the rewriting knows and collects for one features.py.

    main: site id of the read whose rows are served. siblings: site ids of other files with the same columns.
    tables: site ids of other reads. carried: names that hold rows. learned: {name: Learned}. helpers: names of parts that are used.
    """

    def __init__(self, trace, program, main, siblings, tables):
        super().__init__(trace, program, main, siblings)
        self.tables, self.main_only = tables, Rows(trace, program, main, set())
        self.learned, self.helpers, self.by_site = {}, set(), {}
        self.tops, self.rows, self.taken, self.renamed = set(), 0, set(), {}
        self.argument, self.is_main_used, self.after_read, self.is_resampled = "rows", False, "", False
        self.loaded = None  # further arguments of `loaded`, where the rows come from a loader of scikit-learn
        self.reads = {read.site_id for read in trace.reads}

    def name_for(self, site, form, suffix=""):
        known = self.by_site.get(site.id)
        if known is not None:
            return known
        base = _name_of(site) + suffix
        name, number = base, 2
        while name in self.learned:
            name, number = "%s_%d" % (base[: -len(suffix)] if suffix else base, number) + suffix, number + 1
        self.learned[name] = self.by_site[site.id] = Learned(name, site, form)
        return self.by_site[site.id]

    def use(self, helper):
        """The name of a part in this file: another one where the notebook has the name for something of its own."""
        self.helpers.add(helper)
        if helper in self.taken:
            self.renamed[helper] = helper + "_"
        return self.renamed.get(helper, helper)


def _name_of(site):
    """A readable name for what a site learned: of its variable or column and its method."""
    node, words = site.node, []
    method = site.attribute or "value"
    receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
    if method in FIT:
        inner = receiver.func if isinstance(receiver, ast.Call) else receiver
        words = [_word(inner)]
    else:
        subject = receiver if receiver is not None and not is_module(receiver) else (node.args[0] if node.args else None)
        words = [_word(subject), method]
    name = "_".join(word for word in words if word)
    name = "".join(c if c.isalnum() and c.isascii() else "_" for c in name).strip("_")
    while "__" in name:
        name = name.replace("__", "_")
    return (name[:40].strip("_") or "value") if not name[:1].isdigit() else "of_" + name[:40]


def is_module(node):
    return isinstance(node, ast.Name) and node.id in ("np", "numpy", "pd", "pandas", "stats", "scipy", "math", "preprocessing", "sklearn")


def _word(node):
    """The column of ``df['Age']``, else the last name."""
    if isinstance(node, ast.Subscript):
        inner = index_of(node)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            return inner.value
        if isinstance(inner, ast.Name):
            return "%s_%s" % (_word(node.value), inner.id)
        return _word(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr if node.attr not in ("loc", "iloc", "str", "dt", "values") else _word(node.value)
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        return "_".join(w for w in (_word(node.func.value) if isinstance(node.func, ast.Attribute) else _word(node.func), name) if w)
    return ""


def index_of(node):
    """The index of a subscript; Python 3.8 wraps it."""
    return node.slice.value if type(node.slice).__name__ == "Index" else node.slice


def is_slice(node):
    return isinstance(node, ast.Slice)


def parts_of_index(node):
    """The members of ``[a, b]`` in a subscript, or None."""
    inner = node.slice
    if type(inner).__name__ == "ExtSlice":
        return [part.value if type(part).__name__ == "Index" else part for part in inner.dims]
    inner = index_of(node)
    return list(inner.elts) if isinstance(inner, ast.Tuple) else None


def carries(node, plan, in_function=False, bound=frozenset()):
    """Whether an expression holds rows, as far as the text and the calls seen tell. bound: names of callbacks, which may."""
    if isinstance(node, ast.Name):
        return in_function or node.id in plan.carried or node.id in bound
    if isinstance(node, ast.Constant):
        return False
    if isinstance(node, ast.Attribute) and node.attr in ROWLESS:
        return False
    if isinstance(node, ast.Call):
        site = plan.trace.site_of(node)
        if site is not None and site.id in plan.reads:
            return site.id == plan.main or site.id in plan.siblings
        if site is not None and site.attribute not in JOINING and all(r.kind == "reduce" and not _gives_rows(r) for r in site.records):
            return False  # also where it never ran
    if isinstance(node, (ast.Lambda,)):
        return False
    return any(carries(child, plan, in_function, bound) for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr_context))


def _gives_rows(record):
    return record.learned is not None and record.learned.form == "rows"
