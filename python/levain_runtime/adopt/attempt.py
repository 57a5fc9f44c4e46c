"""One try to make features.py: the statements, what they learned, and whether they give the rows that the model was given."""

import ast

from . import difference as _difference
from .compose import compose
from .effects import bound_names
from .freeze import BY_GROUP
from .inline import slice_within
from .match import labels_of, match
from .plan import Plan
from .raw import gaps_of, missing_words, placeholder, raw_of, raw_types
from .refusal import Refused
from .rewrite import MAX_SAMPLE_ROWS, Writer, short
from .run import Features, run_over, take
from .slice import Slicer, mark_carried
from .unused import Tester, find, same
from .wanted import is_direct

MAX_ALONE = 8


class Attempt:
    """One try, with the rows of one file as the served ones."""

    def __init__(self, trace, program, model, wanted, choice, read):
        self.trace, self.program, self.model, self.wanted, self.choice, self.read = trace, program, model, wanted, choice, read
        self.raw, self.after_read, self.loaded = raw_of(read)
        self.made_up = 0  # test rows that resampling invented

    def run(self):
        siblings, tables = self._others()
        plan = self.plan = Plan(self.trace, self.program, self.read.site_id, siblings, tables)
        plan.after_read, plan.rows, plan.loaded = self.after_read, len(self.raw), self.loaded
        plan.taken = {n for tree in self.program.trees for n in _names_of(tree)}
        while plan.argument in plan.taken:
            plan.argument = "raw_" + plan.argument
        mark_carried(plan)
        mark_carried(plan.main_only)
        self.slicer = Slicer(plan)
        self.returned = self._slice()
        if not plan.is_main_used:
            raise Refused("the rows that the model is given do not come from %s" % self.read.written)
        self.learned = self._values()
        self.order = self._order()
        self._try_out()
        return self

    def _others(self):
        own = set(map(str, self.raw.columns))
        siblings, tables = set(), set()
        for other in self.trace.reads:
            if other.site_id == self.read.site_id or other.frame is None:
                continue
            columns = list(map(str, other.frame.columns))
            shared = len(own & set(columns))
            if shared >= 2 and shared >= 0.8 * max(len(columns), 1):
                siblings.add(other.site_id)
            else:
                tables.add(other.site_id)
        return siblings, tables

    def _slice(self):
        """Slices back from the rows' expression; answers the last lines of features()."""
        wanted, slicer = self.wanted, self.slicer
        slicer.until = wanted.event.order
        slicer.statement = wanted.statement
        checked = self.plan.use("checked")
        position = self.program.position_of(wanted.statement.top)
        if is_direct(wanted, self.program) and wanted.node is not None:
            self.plan.tops.add(wanted.statement.top)
            writer = Writer(self.plan, wanted.statement)
            text = writer.text(wanted.node)
            names = writer.names - writer.given
            lines = writer.prelude
        elif wanted.names:
            text, names, lines = wanted.names[0], {wanted.names[0]}, []
            position = self._bound_before(wanted.names[0], position)
        else:
            text, names, inner = slice_within(self, wanted.node, wanted.site, slicer, self.plan)
            lines = []
            self.pieces = slicer.run(position, names) + [inner]
            return ["return %s(%s, %s.index)" % (checked, text, self.plan.argument)]
        self.pieces = slicer.run(position, names)
        return lines + ["return %s(%s, %s.index)" % (checked, text, self.plan.argument)]

    def _bound_before(self, name, position):
        """The call stands in a function or a loop: its statement belongs to the slice only where it binds the name itself."""
        statement = self.program.statements[position]
        for inner in ast.walk(statement.node):
            if isinstance(inner, ast.Assign) and any(name in bound_names(t) for t in inner.targets):
                return position + 1
        return position

    def _values(self):
        """{name: values as LEARNED holds them}, each of every call of its site."""
        values = {}
        for name, held in self.plan.learned.items():
            values[name] = [value_of(record, name, held, self.trace) for record in held.site.records]
        return values

    def _order(self):
        """{name: which of its calls features.py takes} for those that are replayed and not taken whole."""
        order = {}
        for name, held in self.plan.learned.items():
            if held.replayed:
                chosen = [at for at, record in enumerate(held.site.records) if record.top in self.plan.tops]
                if chosen and chosen != list(range(len(held.site.records))):
                    order[name] = chosen
        return order

    # Trying out.

    def _try_out(self):
        self.unused, self.gaps = {}, self._gaps()
        target = self._target()
        if target is not None:
            self.unused[target] = placeholder(self.raw[target])
        try:
            self._find_rows()
        except Refused as refused:
            raise self._blamed(refused)
        self._leave_out()
        self._find_unused()
        self._check_alone()

    def _target(self):
        target = (self.choice.get("target") or {}).get("column")
        for name in self.raw.columns:
            if str(name) == target:
                return name
        return None

    def _gaps(self):
        """Columns of what the model was given that had gaps, by name or position."""
        X = self.wanted.X
        fits = [fit for fit in self.trace.fits if fit.estimator is self.wanted.event.estimator and fit.X is not None]
        found = set()
        for rows in [X] + [fit.X for fit in fits[-1:]]:
            found |= gaps_of(rows)
        return tuple(sorted(found, key=str))

    def text(self):
        return self.text_of(self.pieces)

    def text_of(self, pieces):
        about = {
            "notebook": self.trace.config.get("notebook"),
            "model": type(self.model).__name__,
            "raw": raw_types(self.raw),
            "unused": self.unused,
            "missing": missing_words(self.read, self.trace),
            "gaps": self.gaps,
            "learned": self.learned,
            "order": self.order,
            "test_rows": (self.wanted.site.cell, self.wanted.site.code, self.wanted.site.occurrence) if self.wanted.is_test else None,
        }
        return compose(self.plan, pieces, self.slicer, self.returned, about)

    def features(self):
        return Features(self.text(), self.learned, self.pieces)

    def _find_rows(self):
        features = self.features()
        made, known, self.refused = run_over(features, self.raw)
        self.rows = match(made, known, self.wanted.X, labels_of(self.wanted.X))
        missing = sum(row is None for row in self.rows)
        if self.plan.is_resampled and 3 * missing <= 2 * len(self.rows):
            self.made_up = missing
        elif missing:
            raise self._lost(made, known, missing)
        self.made, self.known = made, known

    def _lost(self, made, known, missing):
        """The refusal for test rows that no raw row leads to, with the statement that makes the difference."""
        site, X = self.wanted.site, self.wanted.X
        kind = "test" if self.wanted.is_test else "training"
        said = "%d of the notebook's %d %s rows do not come out of the rows of %s" % (missing, len(self.rows), kind, self.read.written)
        columns = _difference.differing(made, known, X, labels_of(X), self.rows)
        if not columns:
            return Refused(said, site.cell, site.node.lineno, code=site.code)
        name = _difference.column_name(made, X, columns[0][0])
        column = repr(str(name)) if name is not None else "number %d" % (columns[0][0] + 1)
        said += ": column %s differs" % column
        piece = _difference.statement_for(self.pieces, name)
        if piece is None:
            return Refused(said, site.cell, site.node.lineno, code=site.code)
        line = piece.statement.source_text()
        why, hint = _difference.reason_for(_difference.with_sources(piece, self.pieces))
        said += " (cell %d: %s%s)" % (piece.statement.cell, short(line), "; " + why if why else "")
        return Refused(said, piece.statement.cell, piece.statement.node.lineno, hint, line)

    def _blamed(self, refused):
        """A refusal without a place gets that of the first statement that looks at other rows or draws numbers."""
        doubtful = [p for p in self.pieces if _difference.is_doubtful(p.statement.source_text())] if refused.cell is None else []
        if doubtful:
            line = doubtful[0].statement.source_text()
            why, refused.hint = _difference.reason_for(line)
            refused.cell, refused.line, refused.code = doubtful[0].statement.cell, doubtful[0].statement.node.lineno, line
            refused.message += " (cell %d: %s%s)" % (refused.cell, short(line), "; " + why if why else "")
        return refused

    def _check_alone(self):
        """Rows of their own make what they make among all others; else the statement that looks at the others is named."""
        features = self.features()
        found = [row for row in self.rows if row is not None]
        place = {row: at for at, row in enumerate(self.known)}
        for row in found[:: max(1, len(found) // MAX_ALONE)]:
            try:
                made = features(self.raw.iloc[row : row + 1].reset_index(drop=True))
            except Exception as error:
                cell, line, code = features.place_of(error)
                said = "%s: %s" % (type(error).__name__, str(error)[:200])
                raise Refused("the extracted statements fail on a row of its own: %s" % said, cell, line, code=code)
            columns = _difference.differing(take(self.made, [place[row]]), [row], made, None, [None])
            if columns:
                raise self._looks_around(columns[0][0])

    def _looks_around(self, position):
        name = _difference.column_name(self.made, self.wanted.X, position)
        piece = _difference.statement_for(self.pieces, name)
        column = repr(str(name)) if name is not None else "number %d" % (position + 1)
        said = "column %s of a row depends on the other rows that are there" % column
        if piece is None:
            doubtful = [p for p in self.pieces if _difference.is_doubtful(p.statement.source_text())]
            piece = doubtful[-1] if doubtful else None
        if piece is None:
            return Refused(said, self.wanted.site.cell, self.wanted.site.node.lineno, code=self.wanted.site.code)
        line = piece.statement.source_text()
        why, hint = _difference.reason_for(_difference.with_sources(piece, self.pieces))
        said += " (cell %d: %s%s)" % (piece.statement.cell, short(line), "; " + why if why else "")
        return Refused(said, piece.statement.cell, piece.statement.node.lineno, hint, line)

    def _leave_out(self):
        """Statements that look at other rows or draw numbers are left out where nothing that the model gets comes from them."""
        for piece in [p for p in self.pieces if _difference.is_doubtful(p.statement.source_text())]:
            kept, self.pieces = self.pieces, [p for p in self.pieces if p is not piece]
            try:
                before, after = Tester(Features(self.text_of(kept), self.learned), self), Tester(self.features(), self)
                is_same = before.expected is not None and same(before.expected, after.expected)
            except Exception:
                is_same = False
            if not is_same:
                self.pieces = kept

    def _find_unused(self):
        self.unused = find(self)


def _names_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name


def value_of(record, name, held, trace):
    if held.form in ("table", "sample"):
        frame = next(read.frame for read in trace.reads if read.order == record.order)
        return frame if held.form == "table" else frame.head(MAX_SAMPLE_ROWS)
    if record.kind == "fit":
        value = record.value.get() if record.value is not None else None
    elif record.learned is not None and held.form == record.learned.form:
        value = record.learned.value
    else:
        value = record.value
    return {record.group: value} if name.endswith(BY_GROUP) else value
