"""The statements that features.py needs, backwards from what the model was given, each with its expressions rewritten."""

import ast

from .definitions import INDENT, Definitions, imports_of, indented
from .effects import (
    Aliases,
    Functions,
    bound_names,
    changed_targets,
    changes_within,
    root,
)
from .plan import carries
from .refusal import Refused
from .rewrite import BUILTINS, SIZED, Writer, drops_rows


class Piece:
    """Lines of one kept top-level statement."""

    def __init__(self, statement, lines):
        self.statement, self.lines, self.first, self.last = statement, lines, None, None


class Slicer(Definitions):
    """imports: {name: import statement}. hoisted: functions and classes that use nothing of the notebook's variables."""

    def __init__(self, plan):
        self.plan, self.program = plan, plan.program
        self.functions = Functions(self.program.trees)
        self.aliases = Aliases(self.program.trees)
        self.imports, self.pieces = {}, []
        self._changed = None
        self.only, self.until = None, None  # orders of records: see Writer.only
        self._import_lines = imports_of(self.program)
        for tree in self.program.trees:
            _mark_sizes(tree)

    def run(self, position, names):
        """Walks back from a position (exclusive) with the names that are needed there; returns [Piece] in order."""
        live = set(names)
        self.pieces = []
        for statement in reversed(self.program.statements[:position]):
            self.statement = statement
            made = self._statement(statement.node, live, False)
            if made is None:
                continue
            lines, live = made
            self.plan.tops.add(statement.top)
            if lines:
                self.pieces.insert(0, Piece(statement, lines))
        self._take_imports(live)
        missing = sorted(name for name in live - set(self.imports) - BUILTINS if name not in self.functions.found)
        if missing:
            self._refuse_missing(missing)
        return self.pieces

    def _take_imports(self, live):
        for name in sorted(live):
            if name in self._import_lines:
                self.imports[name] = self._import_lines[name]
        live -= set(self.imports)

    def _refuse_missing(self, missing):
        raise Refused("what the model is given needs %s, which no cell that ran makes" % " and ".join(missing), hint="Define it in a cell.")

    # Statements. Each gives (lines, what is needed before it), or None where nothing that is needed comes from it.

    def block(self, nodes, live, in_function, in_loop):
        """(lines, live before)."""
        lines = []
        for node in reversed(nodes):
            made = self._statement(node, live, in_function, in_loop)
            if made is not None:
                lines = made[0] + lines
                live = made[1]
        return lines, live

    def _statement(self, node, live, in_function, in_loop=False):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return self._local_import(node, live) if in_function else self._own_import(node, live)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return self._definition(node, live) if node.name in live else None
        if isinstance(node, (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.Try)) or type(node).__name__ == "Match":
            return self._compound(node, live, in_function, in_loop)
        if isinstance(node, ast.Return):
            writer = self._writer(in_function, in_loop)
            text = "return " + (writer.text(node.value) if node.value is not None else "")
            return writer.prelude + [text.rstrip()], (live - writer.given) | self._needs(writer)
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            return self._assign(node, live, in_function, in_loop)
        if isinstance(node, ast.AugAssign):
            return self._augmented(node, live, in_function, in_loop)
        if isinstance(node, ast.Expr):
            return self._expression(node, live, in_function, in_loop)
        if isinstance(node, ast.Delete):
            return self._delete(node, live, in_function, in_loop)
        if isinstance(node, (ast.Break, ast.Continue, ast.Pass, ast.Global, ast.Nonlocal, ast.Raise)):
            return ([self._raw(node)], live) if in_loop or in_function else None
        return None

    def _writer(self, in_function, in_loop):
        writer = Writer(self.plan, self.statement, in_loop=in_loop, in_function=in_function)
        writer.only = self.only
        return writer

    @staticmethod
    def _needs(writer):
        return writer.names - writer.given

    def _raw(self, node):
        return self.statement.source[slice(*self.statement.offsets.span(node))]

    def _changes(self, node, live):
        changed = changes_within(node, self.functions)
        return bool(changed) and self.aliases.touches(changed, live)

    # Assignments.

    def _assign(self, node, live, in_function, in_loop):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if node.value is None:
            return None
        bound = set().union(*[bound_names(t) for t in targets])
        stored = set().union(*[changed_targets(t) for t in targets])
        is_stored = bool(stored) and self.aliases.touches(stored, live)
        if len(targets) == 1 and isinstance(targets[0], (ast.Tuple, ast.List)) and bound & live:
            made = self._unpack(node, targets[0], live, in_function, in_loop)
            if made is not None:
                return made
        if not (bound & live) and not is_stored:
            return self._for_its_changes(node, live, in_function, in_loop)
        writer = self._writer(in_function, in_loop)
        writer.keeps_rows = bool(bound)
        value = writer.text(node.value)
        written = [self._target(writer, t) for t in targets]
        if len(targets) == 1 and isinstance(targets[0], ast.Name):
            line = self._plain_assign(targets[0].id, value, node.value, live)
        else:
            line = " = ".join(written + [value])
        kept = live - (bound - {n for t in targets for n in changed_targets(t)})
        lines = writer.prelude + ([line] if line else [])
        return lines, (kept - writer.given) | self._needs(writer)

    def _plain_assign(self, name, value, node, live):
        """``a = b``; where a filter was taken away, a copy, so that changing the one leaves the other alone."""
        if value == name:
            return None
        if value.startswith(("LEARNED[", "learned(")) and value.endswith(("]", ")")) and name in self._changed_somewhere() and not self._is_fit(node):
            self.imports["copy"] = "import copy"
            return "%s = copy.deepcopy(%s)" % (name, value)
        if value.isidentifier() and not isinstance(node, ast.Name) and value in live and value not in BUILTINS:
            return "%s = %s.copy()" % (name, value)
        return "%s = %s" % (name, value)

    def _changed_somewhere(self):
        """Names whose objects some statement changes: what was learned must stay as it is from call to call."""
        if self._changed is None:
            self._changed = set()
            for tree in self.program.trees:
                self._changed |= changes_within(tree, self.functions)
        return self._changed

    def _is_fit(self, node):
        records = self._writer(True, False).records_of(node)[1] if isinstance(node, ast.Call) else []
        return bool(records) and records[-1].kind == "fit"

    def _target(self, writer, target):
        return writer.inside(target)

    def _for_its_changes(self, node, live, in_function, in_loop):
        """An assignment whose own name is not needed, but that changes something that is: ``y = df.pop('y')``, a fit."""
        if not self._changes(node.value, live):
            return None
        fits = self._fits_within(node.value, live, in_function, in_loop)
        if fits is not None:
            return fits
        writer = self._writer(in_function, in_loop)
        value = writer.text(node.value)
        return writer.prelude + [value], (live - writer.given) | self._needs(writer)

    def _fits_within(self, node, live, in_function, in_loop):
        """Of a statement that only fits something that is needed: that thing as it was fitted. None where it does more."""
        calls = [n for n in ast.walk(node) if isinstance(n, ast.Call)]
        changing = [n for n in calls if self.aliases.touches(self.functions.changes_of_call(n), live)]
        lines, given, needed = [], set(), set()
        for call in changing:
            writer = self._writer(in_function, in_loop)
            site, records = writer.records_of(call)
            if not records or records[-1].kind != "fit":
                return None
            writer.fitted_only(call, site, records)
            lines += writer.prelude
            given |= writer.given
            needed |= writer.names
        return (lines, (live - given) | (needed - given)) if lines else None

    def _unpack(self, node, target, live, in_function, in_loop):
        """``a, b = …`` name by name, where it can be taken apart."""
        values = self._split_parts(node.value, len(target.elts), in_function, in_loop)
        if values is None and isinstance(node.value, (ast.Tuple, ast.List)) and len(node.value.elts) == len(target.elts):
            values = node.value.elts
            if any(isinstance(e, ast.Starred) for e in [*values, *target.elts]):
                return None
            if bound_names(target) & {n.id for v in values for n in ast.walk(v) if isinstance(n, ast.Name)} and not in_loop:
                if len(bound_names(target) & live) > 1:
                    return None  # a, b = b, a
        if values is None:
            return None
        lines, needs = [], set()
        wanted = [(t, v) for t, v in zip(target.elts, values) if isinstance(t, ast.Name) and t.id in live]
        if len(wanted) < len([t for t in target.elts if bound_names(t) & live]):
            return None
        for name, value in wanted:
            writer = self._writer(in_function, in_loop)
            text = writer.text(value)
            line = self._plain_assign(name.id, text, ast.Tuple(elts=[]), live)
            if value is not node.value and isinstance(value, ast.Name) and len(wanted) > 1 and line and not line.endswith(".copy()"):
                line += ".copy()" if text.isidentifier() else ""
            lines += writer.prelude + ([line] if line else [])
            needs |= self._needs(writer)
            live = live - writer.given
        kept = live - {t.id for t, _ in wanted}
        return lines, kept | needs

    def _split_parts(self, value, count, in_function, in_loop):
        """The arrays that ``train_test_split`` and resampling give back, one a target."""
        if not isinstance(value, ast.Call):
            return None
        site, records = self._writer(in_function, in_loop).records_of(value)
        if not records:
            return None
        arrays = [a for a in value.args if not isinstance(a, ast.Starred)]
        if records[-1].callee.endswith(".train_test_split") and len(arrays) * 2 == count:
            return [a for a in arrays for _ in (0, 1)]
        if site.attribute in ("fit_resample", "fit_sample"):
            self.plan.is_resampled = True
        if site.attribute in ("fit_resample", "fit_sample") and len(value.args) + len(value.keywords) >= count:
            return [*value.args, *[k.value for k in value.keywords]][:count]
        if records[-1].callee.endswith(".shuffle") and records[-1].parts and len(arrays) == count:
            return arrays
        return None

    def _augmented(self, node, live, in_function, in_loop):
        if not self.aliases.touches(bound_names(node.target) | changed_targets(node.target), live):
            return None
        writer = self._writer(in_function, in_loop)
        writer.keeps_rows = False
        target = self._target(writer, node.target)
        value = writer.text(node.value)
        between = self.statement.source[self.statement.offsets.span(node.target)[1] : self.statement.offsets.span(node.value)[0]]
        return writer.prelude + [target + between + value], (live - writer.given) | self._needs(writer) | bound_names(node.target)

    # Expressions.

    def _expression(self, node, live, in_function, in_loop):
        if isinstance(node.value, (ast.Yield, ast.YieldFrom, ast.Await)):
            writer = self._writer(in_function, in_loop)
            return [writer.text(node.value)], live | self._needs(writer)
        if not isinstance(node.value, ast.Call) or not self._changes(node.value, live):
            return None
        writer = self._writer(in_function, in_loop)
        made = self._in_place(node.value, writer)
        if made is not None:
            return ([made] if made else []), live | self._needs(writer)
        fits = self._fits_within(node.value, live, in_function, in_loop)
        if fits is not None:
            return fits
        text = writer.text(node.value)
        return writer.prelude + [text], (live - writer.given) | self._needs(writer)

    def _in_place(self, call, writer):
        """In-place methods that leave rows out: '' where serving rows pass unchanged, a line, or None for all else."""
        if not isinstance(call.func, ast.Attribute) or not any(k.arg == "inplace" for k in call.keywords):
            return None
        method, receiver = call.func.attr, call.func.value
        if not isinstance(receiver, ast.Name) and writes_to_copies():
            return ""  # df['a'].fillna(…, inplace=True) changes a copy
        site, records = writer.records_of(call)
        if records and records[-1].learned is not None and records[-1].learned.form == "columns":
            name = writer.text(receiver)
            return "%s = %s[%s]" % (name, name, writer.learned(call, site, records, "columns"))
        if method == "dropna":
            if not isinstance(receiver, ast.Name):
                return ""
            writer.keeps_rows = True
            made = writer._dropna(call)
            return made if made != receiver.id else ""
        if method in ("drop_duplicates", "sort_values", "sort_index", "query") or (method == "drop" and drops_rows(call)):
            return ""
        return None

    def _delete(self, node, live, in_function, in_loop):
        kept = [t for t in node.targets if changed_targets(t) and self.aliases.touches(changed_targets(t), live)]
        if not kept:
            return None
        writer = self._writer(in_function, in_loop)
        return ["del " + ", ".join(self._target(writer, t) for t in kept)], live | self._needs(writer)

    # Blocks.

    def _compound(self, node, live, in_function, in_loop):
        if not self._touches(node, live):
            return None
        maker = getattr(self, "_" + type(node).__name__.lower().replace("async", ""), None)
        if maker is None:
            raise Refused("cell %d: %s statements are not carried over" % (self.statement.cell, type(node).__name__), self.statement.cell, node.lineno)
        return maker(node, live, in_function, in_loop)

    def _touches(self, node, live):
        bound, changed = set(), changes_within(node, self.functions)
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign):
                bound |= set().union(*[bound_names(t) for t in inner.targets])
            elif isinstance(inner, (ast.AnnAssign, ast.AugAssign, ast.For)):
                bound |= bound_names(inner.target)
            elif isinstance(inner, ast.withitem) and inner.optional_vars is not None:
                bound |= bound_names(inner.optional_vars)
            elif isinstance(inner, (ast.Return, ast.Raise)):
                return True
        return bool(bound & live) or self.aliases.touches(changed, live)

    def _for(self, node, live, in_function, in_loop):
        if self._is_fold(node.iter, in_function):
            return self._last_fold(node, live, in_function)
        writer = self._writer(in_function, in_loop)
        writer.keeps_rows = False
        iterated = writer.text(node.iter)
        target = self._raw(node.target)
        needed = live
        while True:
            lines, before = self.block(node.body, needed, in_function, True)
            if before <= needed:
                break
            needed = needed | before
        if not lines:
            return None
        needed = (needed | before) - (bound_names(node.target) - live)
        head = writer.prelude + ["for %s in %s:" % (target, iterated)]
        return head + indented(lines), needed | self._needs(writer)

    def _is_fold(self, node, in_function):
        """``kf.split(X)``: what is looped over are the row numbers of folds."""
        for inner in ast.walk(node):
            if isinstance(inner, ast.Call):
                records = self._writer(in_function, False).records_of(inner)[1]
                if records and records[-1].callee.startswith("sklearn.model_selection") and records[-1].callee.endswith(".split"):
                    return True
        return False

    def _last_fold(self, node, live, in_function):
        """Of a loop over folds only the pass in which the rows went into the model."""
        before, self.only = self.only, self.until
        lines, live = self.block(node.body, live, in_function, False)
        self.only = before
        return lines, live - bound_names(node.target)

    def _while(self, node, live, in_function, in_loop):
        writer = self._writer(in_function, True)
        test = writer.inside(node.test)
        needed = live | self._needs(writer)
        while True:
            lines, before = self.block(node.body, needed, in_function, True)
            if before <= needed:
                break
            needed = needed | before
        return (["while %s:" % test] + indented(lines or ["pass"]), needed) if lines else None

    def _if(self, node, live, in_function, in_loop):
        first, before = self.block(node.body, live, in_function, in_loop)
        second, other = self.block(node.orelse, live, in_function, in_loop)
        if not first and not second:
            return None
        writer = self._writer(in_function, in_loop)
        test = writer.inside(node.test)
        lines = writer.prelude + ["if %s:" % test] + indented(first or ["pass"])
        if second:
            lines += ["else:"] + indented(second)
        return lines, live | before | other | self._needs(writer)

    def _with(self, node, live, in_function, in_loop):
        lines, before = self.block(node.body, live, in_function, in_loop)
        return (lines, before) if lines else None

    def _try(self, node, live, in_function, in_loop):
        lines, before = self.block(node.body + node.orelse + node.finalbody, live, in_function, in_loop)
        if not lines:
            return None
        handlers, needed = [], live | before
        for handler in node.handlers:
            inside, other = self.block(handler.body, live, in_function, in_loop)
            kind = "" if handler.type is None else " " + self._raw(handler.type)
            named = " as " + handler.name if handler.name else ""
            handlers += ["except%s%s:" % (kind, named)] + indented(inside or ["pass"])
            needed = needed | other
        return ["try:"] + indented(lines) + (handlers or ["except Exception:", INDENT + "raise"]), needed


def _mark_sizes(tree):
    """``len(df)`` that sizes something new (``range(len(df))``) follows the rows at hand."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if name in SIZED or _is_random(node.func) or any(k.arg == "size" for k in node.keywords):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Call) and inner is not node:
                        inner.levain_sizes = True


def _is_random(function):
    """``np.random.rand`` and its kind."""
    inner = function.value if isinstance(function, ast.Attribute) else None
    return (isinstance(inner, ast.Attribute) and inner.attr == "random") or (isinstance(inner, ast.Name) and inner.id == "random")


def writes_to_copies():
    """Whether this pandas gives a copy for every selection (3 and later)."""
    import pandas

    return int(pandas.__version__.split(".")[0]) >= 3


def mark_carried(plan):
    """Fills ``plan.carried``: names that hold rows, in order of the statements, over and over until nothing is added."""
    for _ in range(3):
        before = len(plan.carried)
        for statement in plan.program.statements:
            _carry(statement.node, plan)
        if len(plan.carried) == before:
            return


def _carry(node, plan):
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign):
            for target in inner.targets:
                _carry_target(target, inner.value, plan)
        elif isinstance(inner, (ast.For, ast.comprehension)) and carries(inner.iter, plan):
            plan.carried |= bound_names(inner.target)
        elif isinstance(inner, ast.AugAssign) and carries(inner.value, plan):
            plan.carried |= bound_names(inner.target) | changed_targets(inner.target)


def _carry_target(target, value, plan):
    if isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)) and len(target.elts) == len(value.elts):
        for part, source in zip(target.elts, value.elts):
            _carry_target(part, source, plan)
    elif carries(value, plan):
        plan.carried |= bound_names(target) | changed_targets(target)


__all__ = ["Piece", "Slicer", "mark_carried", "root"]
