"""Expressions of the notebook as they stand in features.py: the user's text, with what learned something replaced.

A call that boiled rows down to a value becomes ``LEARNED[...]``; a fit becomes the fitted object; filters, shuffles and splits
become the rows themselves; ``get_dummies``, ``qcut`` and their kind become helpers that hold what was learned.
"""

import ast
import builtins

from . import items as _items
from .freeze import BY_GROUP, FIT
from .plan import carries, is_module, is_slice, parts_of_index
from .refusal import Refused

#: Row methods that serving rows pass unchanged.
ROWS = frozenset("drop_duplicates sample sort_values sort_index head tail query nlargest nsmallest truncate".split())
#: Methods of pandas that number or join rows anew: serving rows go through them as they are.
SAME_ROWS = frozenset("reset_index set_index reindex copy pop insert merge join concat align where mask loc iloc".split())
MAX_SAMPLE_ROWS = 20
FORMS = {"category": "category", "factorize": "factorized", "scaled": "scaled", "mapped": "mapped", "groups": "of_group"}
SIZED = frozenset("range arange zeros ones full empty linspace".split())
BUILTINS = frozenset(dir(builtins))


class Writer:
    """Writes expressions of one statement. names: free names of what was written; prelude: statements to stand before it;
    given: names that the prelude binds; only: of a call that ran often, the last one up to this order counts."""

    def __init__(self, plan, statement, in_loop=False, in_function=False, parameters=()):
        self.plan, self.statement, self.in_loop, self.in_function = plan, statement, in_loop, in_function
        self.names, self.prelude, self.bound = set(), [], [set(parameters)]
        self.keeps_rows, self.given, self.only = True, set(), None

    # Text.

    def source(self, node):
        return self.statement.source[slice(*self.statement.offsets.span(node))]

    def text(self, node):
        made = self._rule(node)
        return self._plain(node) if made is None else made

    def inside(self, node):
        """An expression whose own rows matter (a mask, an index): its filters stay."""
        kept, self.keeps_rows = self.keeps_rows, False
        made = self.text(node)
        self.keeps_rows = kept
        return made

    def _plain(self, node):
        if isinstance(node, ast.Name):
            self._name(node)
            return self.source(node)
        if isinstance(node, ast.JoinedStr):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Name):
                    self._name(inner)
            return self.source(node)
        scoped = self._enter(node)
        start, end = self.statement.offsets.span(node)
        pieces, at = [], start
        for child in sorted(_children(node), key=lambda c: self.statement.offsets.span(c)):
            child_start, child_end = self.statement.offsets.span(child)
            if child_start < at:
                continue
            pieces += [self.statement.source[at:child_start], self.text(child)]
            at = child_end
        if scoped:
            self.bound.pop()
        return "".join(pieces) + self.statement.source[at:end]

    def _enter(self, node):
        if isinstance(node, ast.Lambda):
            arguments = node.args
            names = {a.arg for a in arguments.args + arguments.kwonlyargs + getattr(arguments, "posonlyargs", [])}
            names |= {a.arg for a in (arguments.vararg, arguments.kwarg) if a is not None}
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            names = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
            for inner in ast.walk(node.generators[0].iter):  # what is looped over first belongs to the scope outside
                if isinstance(inner, ast.Name) and inner.id in names:
                    self._name(inner)
        else:
            return False
        self.bound.append(names)
        return True

    def _name(self, node):
        if isinstance(node.ctx, ast.Load) and node.id not in BUILTINS and not any(node.id in names for names in self.bound):
            self.names.add(node.id)

    # Rules.

    def _rule(self, node):
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            return self._subscript(node)
        if isinstance(node, ast.Attribute) and node.attr == "index" and self.keeps_rows:
            return self.inside(node)
        if isinstance(node, ast.Attribute) and node.attr == "labels_" and isinstance(node.ctx, ast.Load):
            return self._labels(node)
        return None

    def records_of(self, node):
        site = self.plan.trace.site_of(node)
        if site is None:
            return None, []
        if self.in_function:
            found = [r for r in site.records if r.top in self.plan.tops] or site.records
        else:
            found = [r for r in site.records if r.top == self.statement.top]
            if not found and site.function is not None:  # a lambda that is called elsewhere
                found = [r for r in site.records if r.top in self.plan.tops] or site.records
        if self.only is not None:
            found = [r for r in found if r.order <= self.only][-1:]
        return site, found

    def _call(self, node):
        site, records = self.records_of(node)
        if site is None or not records:
            return None
        if site.attribute == "range":
            return self._range(node)
        last = records[-1]
        if site.id in self.plan.reads:
            return self._read(node, site)
        if last.kind == "fit":
            return self._fit(node, site, records)
        if last.learned is not None and last.learned.form == "rows" and self.keeps_rows and node.args:
            return self.text(node.args[0])
        named = self._by_name(node, site, records)
        if named is not None:
            return named
        if last.learned is not None:
            made = self._form(node, site, records)
            if made is not None:
                return made
        if last.kind == "filter" and self.keeps_rows and self._is_row_call(node, last):
            return self.text(self._rows_argument(node))
        if any(r.kind == "reduce" for r in records):
            return self._reduce(node, site, records)
        if last.kind == "big" and self.carries(node):
            raise Refused(
                "cell %d: %s gives a value that is too large to keep" % (site.cell, short(site.code)),
                site.cell, node.lineno, "Compute it from fewer rows, or inside the model's pipeline.", site.code,
            )  # fmt: skip
        return None

    def _is_row_call(self, node, record):
        if record.callee.startswith("__main__.") or record.receiver_rows is None:
            return False
        if record.callee.startswith("pandas.") and record.callee.rsplit(".", 1)[-1] in SAME_ROWS:
            return False
        return self.carries(self._rows_argument(node))

    def _rows_argument(self, node):
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if receiver is not None and self.carries(receiver):
            return receiver
        return node.args[0] if node.args else node.keywords[0].value

    def _read(self, node, site):
        plan = self.plan
        if site.id == plan.main:
            plan.is_main_used = True
            text = "%s(%s)%s" % (plan.use("as_read"), plan.argument, plan.after_read)
            return "%s(%s%s)" % (plan.use("loaded"), text, plan.loaded) if plan.loaded is not None else text
        if site.id in plan.siblings:
            # Its statements run beside those of the served rows: a few of its own rows are enough for them.
            return self.learned(node, site, site.records, "sample") + ".head(%d).copy()" % MAX_SAMPLE_ROWS
        return self.learned(node, site, site.records, "table")

    def _range(self, node):
        """``range(0, 891)`` over all rows of the file goes over the rows at hand."""
        count = self.plan.rows
        if count < 2 or not any(isinstance(a, ast.Constant) and a.value == count for a in node.args):
            return None
        texts = ["len(%s)" % self.plan.argument if isinstance(a, ast.Constant) and a.value == count else self.text(a) for a in node.args]
        return "range(%s)" % ", ".join(texts)

    # Fits.

    def _fit(self, node, site, records):
        method = site.attribute
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if method in ("fit_resample", "fit_sample"):
            self.plan.is_resampled = True
            return "(%s)" % ", ".join(self.text(a) for a in _arguments(node)[:2])
        fitted = self.learned(node, site, records, "fit", _arguments(node)[:1])
        if isinstance(receiver, (ast.Name, ast.Attribute, ast.Subscript)) and len(self.bound) == 1:
            fitted = self._kept_in(receiver, fitted)
        if method in ("fit", "partial_fit"):
            return fitted
        self._check_transforms(node, site, records, method)
        arguments = _arguments(node)
        verb = "predict" if method == "fit_predict" else "transform"
        return "%s.%s(%s)" % (fitted, verb, self.text(arguments[0]) if arguments else "")

    def fitted_only(self, node, site, records):
        """Notes in the prelude that the receiver of a fit is the fitted object; its arguments are not looked at."""
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if isinstance(receiver, (ast.Name, ast.Attribute, ast.Subscript)):
            self._kept_in(receiver, self.learned(node, site, records, "fit", _arguments(node)[:1]))

    def _kept_in(self, receiver, fitted):
        """The fitted object stands where the notebook keeps it, from before the statement on."""
        own, self.names = self.names, set()
        place = self.text(receiver)
        needed, self.names = self.names, own
        self.prelude.append("%s = %s" % (place, fitted))
        if isinstance(receiver, ast.Name):
            self.given.add(receiver.id)
        else:
            self.names |= needed
        return place

    def _check_transforms(self, node, site, records, method):
        value = records[-1].value
        estimator = value.get() if value is not None else None
        wanted = "predict" if method == "fit_predict" else "transform"
        if estimator is not None and not hasattr(estimator, wanted):
            kind = type(estimator).__name__
            raise Refused(
                "%s in cell %d places only the rows that it was fitted on: it has no %s for others" % (kind, site.cell, wanted),
                site.cell, node.lineno, "Leave its columns out of what the model is fitted on.", site.code,
            )  # fmt: skip

    def _labels(self, node):
        """``km.labels_``: the cluster of each row that it was fitted on."""
        name = node.value.id if isinstance(node.value, ast.Name) else None
        fits = [fit for fit in self.plan.trace.fits if fit.name == name and name is not None and hasattr(fit.estimator, "predict")]
        if not fits:
            return None
        site = self.plan.trace.sites[fits[-1].site_id]
        rows = _arguments(site.node)[:1]
        statement = self.plan.program.statement_with(site.node)
        if not rows or statement is None:
            return None
        writer = Writer(self.plan, statement)
        text = writer.text(rows[0])
        self.names |= writer.names
        return "%s.predict(%s)" % (self.text(node.value), text)

    # Known forms.

    def _by_name(self, node, site, records):
        attribute, callee = site.attribute, records[-1].callee
        is_pandas = callee.startswith("pandas.")
        if callee.endswith(".train_test_split"):
            arrays = [self.text(a) for a in node.args if not isinstance(a, ast.Starred)]
            return "(%s,)" % ", ".join("%s, %s" % (a, a) for a in arrays)
        if is_pandas and attribute in ("concat", "append", "_append") and not _is_across(node):
            return self._concat(node, site, records)
        if is_pandas and attribute == "merge":
            return self._merge(node)
        if is_pandas and attribute == "dropna" and records[-1].learned is None:
            return self._dropna(node) if self.keeps_rows else None
        if is_pandas and attribute in ROWS and records[-1].receiver_rows is not None and self.keeps_rows and self.carries(node.func):
            return self.text(node.func.value)
        if is_pandas and attribute == "drop" and drops_rows(node) and self.keeps_rows and self.carries(node.func):
            return self.text(node.func.value)
        if attribute == "add_constant" and callee.startswith("statsmodels."):
            return self._with_keyword(node, "has_constant", "'add'")
        return None

    def _concat(self, node, site, records):
        if site.attribute in ("append", "_append"):
            return self.text(node.func.value) + ".copy()"
        parts = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "objs"), None)
        if not self.keeps_rows and not self.carries(parts):
            return None
        if isinstance(parts, (ast.List, ast.Tuple)):
            wanted = [p for p in parts.elts if carries(p, self.plan.main_only, self.in_function)] or [p for p in parts.elts if self.carries(p)]
            return self.text(wanted[0]) + ".copy()" if wanted else None
        if isinstance(parts, ast.Name) and self.carries(parts):
            return self.text(parts) + "[0].copy()"
        return None

    def _merge(self, node):
        """A merge of rows with a table; None where both sides hold rows (they share their index) or neither does."""
        is_method = isinstance(node.func, ast.Attribute) and not is_module(node.func.value)
        keywords = {k.arg: k.value for k in node.keywords}
        sides = ([node.func.value] if is_method else []) + list(node.args)
        left, right = (sides + [None, None])[:2]
        left, right = left or keywords.get("left"), right or keywords.get("right")
        if left is None or right is None or self.carries(left) == self.carries(right):
            return None
        main = "left" if self.carries(left) else "right"
        rest = [self.text(a) for a in sides[2:]]
        rest += ["%s=%s" % (k.arg, self.text(k.value)) for k in node.keywords if k.arg not in ("left", "right")]
        return "%s(%s)" % (self.plan.use("joined"), ", ".join(["%r" % main, self.text(left), self.text(right), *rest]))

    def _dropna(self, node):
        subset = next((k.value for k in node.keywords if k.arg == "subset"), None)
        how = next((k.value for k in node.keywords if k.arg == "how"), None)
        thresh = any(k.arg == "thresh" for k in node.keywords)
        receiver = self.text(node.func.value)
        if thresh or (isinstance(how, ast.Constant) and how.value == "all"):
            return receiver
        return "%s(%s%s)" % (self.plan.use("complete"), receiver, ", " + self.text(subset) if subset is not None else "")

    def _form(self, node, site, records):
        form = records[-1].learned.form
        held = lambda: self.learned(node, site, records, form, _arguments(node)[:1])  # noqa: E731
        if form == "columns":
            return "%s[%s]" % (self.text(node.func.value), held())
        if form == "dummies":
            return self._with_first(node, self.plan.use("dummies"), held())
        if form == "edges":
            arguments = _arguments(node)
            keywords = {k.arg: self.text(k.value) for k in node.keywords if k.arg in ("labels", "right", "include_lowest", "precision", "ordered")}
            if site.attribute == "qcut":
                keywords["include_lowest"] = "True"
            if len(node.args) > 2 and "labels" not in keywords:
                position = 2 if site.attribute == "qcut" else 3
                keywords.update({"labels": self.text(node.args[position])} if len(node.args) > position else {})
            if any(k.arg == "duplicates" for k in node.keywords):
                keywords["duplicates"] = "'drop'"
            return "%s(%s, %s%s)" % (self.plan.use("cut"), held(), self.text(arguments[0]), "".join(", %s=%s" % pair for pair in keywords.items()))
        helper = FORMS.get(form)
        if helper is None:
            return None
        helper = self.plan.use(helper)
        is_method = isinstance(node.func, ast.Attribute) and form != "scaled" and self.carries(node.func.value)
        return "%s(%s, %s)" % (helper, held(), self.text(node.func.value if is_method else _arguments(node)[0]))

    def _with_first(self, node, helper, first):
        """The call with another callee and one more argument in front."""
        whole = self._plain_arguments(node)
        return "%s(%s%s)" % (helper, first, ", " + whole if whole.strip() else "")

    def _plain_arguments(self, node):
        inside = [*node.args, *[k.value for k in node.keywords]]
        if not inside:
            return ""
        pieces = [self.text(a) for a in node.args]
        pieces += ["%s=%s" % (k.arg, self.text(k.value)) if k.arg else "**%s" % self.text(k.value) for k in node.keywords]
        return ", ".join(pieces)

    def _with_keyword(self, node, name, value):
        if any(k.arg == name for k in node.keywords):
            return None
        return "%s(%s, %s=%s)" % (self.text(node.func), self._plain_arguments(node), name, value)

    # What rows were boiled down to.

    def _reduce(self, node, site, records):
        last = records[-1]
        if self._is_per_row(site, records) or not self._boils_down(node, site, last):
            return None
        return self.learned(node, site, records, "value", _arguments(node)[:1])

    def _is_per_row(self, site, records):
        return site.off == "many" or (site.function is not None and len(records) >= max(20, self.plan.rows // 2))

    def _boils_down(self, node, site, record):
        if not self.in_function and not any(self.carries(child) for child in ast.iter_child_nodes(node)):
            return False
        value = record.value
        if site.attribute == "len" and getattr(node, "levain_sizes", False):
            return False
        if record.parts and any(part != "reduce" for part in record.parts):
            return False
        if isinstance(value, (list, tuple)) and record.receiver_rows is not None and len(value) == record.receiver_rows and len(value) > 1:
            return False
        if record.callee.startswith("__main__.") and not isinstance(value, (int, float, str, dict, list)):
            return False
        return True

    def learned(self, node, site, records, form, arguments=()):
        """The text that gives what a site learned, and notes that it is held."""
        if form == "fit" and records[-1].value is None:
            raise Refused(
                "the object fitted in cell %d (%s) cannot be copied" % (site.cell, short(site.code)), site.cell, node.lineno,
                "Use one that can be pickled.", site.code,
            )  # fmt: skip
        group = self._group(node, site, records, arguments)
        if group is not None:
            held = self.plan.name_for(site, form, BY_GROUP)
            return "%s(%s, %s)" % (self.plan.use("learned_for"), quoted(held.name), group)
        held = self.plan.name_for(site, form)
        is_straight = not self.in_loop and not self.in_function and site.function is None
        if (self.only is not None or is_straight) and len(records) == 1 and not held.replayed:
            return "LEARNED[%s][%d]" % (quoted(held.name), site.records.index(records[0]))
        if not self.in_function and not self.in_loop and form in ("table", "sample"):
            return "LEARNED[%s][0].copy()" % quoted(held.name)
        held.replayed = True
        return "%s(%s)" % (self.plan.use("learned"), quoted(held.name))

    def _group(self, node, site, records, arguments):
        """The text of the name of the group or column that a callback works on, or None."""
        if site.function is None or len(records) < 2:
            return None
        groups = [r.group for r in records]
        if any(g is None for g in groups):
            return None
        try:
            if len(set(groups)) < len(groups) and not _repeat(groups, records):
                return None
        except TypeError:
            return None
        receiver = node.func.value if isinstance(node.func, ast.Attribute) and site.attribute not in FIT else None
        subject = next((a for a in [receiver, *arguments] if a is not None and self._is_local(a)), None)
        if subject is None:
            return None
        return "%s.name" % self.text(subject)

    def _is_local(self, node):
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        return bool(names & set().union(*self.bound))

    # Subscripts.

    def _subscript(self, node):
        kinds = _items.KINDS.get(_items.place_of(node, self.statement.cell), set())
        if "filter" not in kinds or not self.keeps_rows or not self.carries(node.value):
            return None
        parts = parts_of_index(node)
        base = node.value
        if parts is not None:
            columns = parts[1:]
            if is_slice(parts[0]) and parts[0].lower is None and parts[0].upper is None and parts[0].step is None:
                return None
            return "%s[:, %s]" % (self.text(base), ", ".join(self.text_of_slice(c) for c in columns))
        if isinstance(base, ast.Attribute) and base.attr in ("loc", "iloc"):
            base = base.value
        return self.text(base)

    def text_of_slice(self, node):
        if not is_slice(node):
            return self.text(node)
        parts = [self.text(p) if p is not None else "" for p in (node.lower, node.upper)]
        return ":".join(parts + ([self.text(node.step)] if node.step is not None else []))

    # Which expressions hold rows.

    def carries(self, node):
        return carries(node, self.plan, self.in_function, set().union(*self.bound[1:]))


def _repeat(groups, records):
    """The same names again (a second frame): the last call of each name counts."""
    return len(set(groups)) * 2 <= len(groups)


def _children(node):
    """Expressions directly below a node, through parts without a place of their own."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            if type(child).__name__ not in ("Index", "ExtSlice", "Slice") or hasattr(child, "end_lineno"):
                yield child
                continue
        if not isinstance(child, (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)):
            for inner in _children(child):
                yield inner


def _arguments(node):
    return [*node.args, *[k.value for k in node.keywords]]


def _is_across(node):
    """``axis=1``: side by side."""
    values = [k.value for k in node.keywords if k.arg == "axis"] + list(node.args[1:2])
    return any(isinstance(v, ast.Constant) and v.value in (1, "columns") for v in values)


def drops_rows(node):
    """``df.drop(labels)`` along the rows."""
    keywords = {k.arg: k.value for k in node.keywords}
    if "columns" in keywords:
        return False
    if "index" in keywords:
        return True
    axis = keywords.get("axis", node.args[1] if len(node.args) > 1 else None)
    return axis is None or (isinstance(axis, ast.Constant) and axis.value in (0, "index"))


def short(code):
    line = " ".join(code.split())
    return line if len(line) <= 80 else line[:77] + "…"


def quoted(name):
    return '"%s"' % name
