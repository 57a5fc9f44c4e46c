"""Makes features.py out of a traced run: ``build(ip, choice_path, out_dir)`` in the notebook's own kernel.

Writes facts.json always; features.py (where rows do not reach the model as they are), the model's folder with ``levain/learned.pkl``,
and proof.pkl (raw rows, which of them are test rows, the notebook's own answers) where it succeeds.
"""

import json
import os
import traceback

from . import describe as _describe
from . import difference as _difference
from . import trace as _trace
from .compose import compose
from .inline import slice_within
from .match import labels_of, match, matrix_of
from .program import Program
from .refusal import Refused
from .rewrite import Plan, Writer, short
from .run import Features, run_over, take
from .slice import Slicer, mark_carried
from .wanted import fitted_of, is_direct, model_of, wanted_of

FACTS = "facts.json"
MAX_ALONE = 8


def build(ip, choice_path, out_dir):
    """Answers the facts, which also stand in facts.json. Nothing is raised: what stands in the way is told there."""
    os.makedirs(out_dir, exist_ok=True)
    with open(choice_path, encoding="utf-8") as file:
        choice = json.load(file)
    if "candidates" in choice:
        choice = choice["candidates"][choice.get("chosen") or 0]
    try:
        facts = _build(ip, choice, out_dir)
    except Refused as refused:
        facts = refused.as_facts()
    except Exception as error:  # the user's objects decide what copying and comparing them may raise
        facts = {"ok": False, "reason": "%s: %s" % (type(error).__name__, error), "trace": traceback.format_exc()[-4000:]}
    write_json(os.path.join(out_dir, FACTS), facts)
    return facts


def write_json(path, value):
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, default=str)
    os.replace(path + ".tmp", path)


def _build(ip, choice, out_dir):
    trace = _trace.CURRENT
    if hasattr(trace, "without_instruments"):
        trace.without_instruments()
    program = Program(trace)
    model = model_of(ip.user_ns, choice)
    wanted = wanted_of(trace, program, model, choice)
    best = first_success([Attempt(trace, program, model, wanted, choice, read) for read in main_reads(trace, choice)], out_dir)
    return _describe.write_out(ip, choice, with_target(best, out_dir) or best, out_dir)


def first_success(attempts, out_dir):
    refusals = []
    for attempt in attempts:
        try:
            return attempt.run()
        except Refused as refused:
            refusals.append(refused)
            keep_attempt(attempt, out_dir)
    raise refusals[0] if refusals else Refused("the notebook reads no file with rows", hint="Read the data with pandas.read_csv.")


def with_target(best, out_dir):
    """Where the rows that were answered last have no target (a file to hand in), the training file instead, if the steps before the
    model are the same: the steps of the training rows give the notebook's answers for the other file too."""
    target = (best.choice.get("target") or {}).get("column")
    if not target or target in map(str, best.raw.columns):
        return None
    reads = [read for read in main_reads(best.trace, best.choice) if target in (read.columns or ())]
    wanted = fitted_of(best.trace, best.program, best.model)
    if not reads or wanted is None:
        return None
    try:
        other = first_success([Attempt(best.trace, best.program, best.model, wanted, best.choice, read) for read in reads], out_dir)
        ours = matrix_of(other.features()(best.raw.iloc[best.rows].reset_index(drop=True)))
        if _difference.differ(ours, matrix_of(best.wanted.X)):
            return None
    except Exception:  # the steps are others: the rows that were answered count
        return None
    return other


def keep_attempt(attempt, out_dir):
    """What was tried stands beside the refusal, for who wants to see."""
    try:
        with open(os.path.join(out_dir, "features.refused.py"), "w", encoding="utf-8") as file:
            file.write(attempt.text())
    except Exception:  # it came to no text
        pass


def main_reads(trace, choice):
    """Reads whose rows may be the served ones: those with the target first."""
    reads = [read for read in trace.reads if (read.frame is not None and len(read.frame) > 0) or (read.frame is None and is_loaded(read.value))]
    target = (choice.get("target") or {}).get("column")
    seen, found = set(), []
    for read in sorted(reads, key=lambda r: (target is not None and target not in (r.columns or ()), -(r.rows or 0) if target else 0)):
        if read.site_id not in seen:
            seen.add(read.site_id)
            found.append(read)
    return found[:6]


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
        siblings, tables = {}, set()
        for other in self.trace.reads:
            if other.site_id == self.read.site_id or other.frame is None:
                continue
            columns = list(map(str, other.frame.columns))
            shared = len(own & set(columns))
            if shared >= 2 and shared >= 0.8 * max(len(columns), 1):
                siblings[other.site_id] = repr([c for c in other.frame.columns if str(c) in own])
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
        from .effects import bound_names
        import ast

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
        from .unused import Tester, same

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
        from .unused import find

        self.unused = find(self)


def _names_of(tree):
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name


def value_of(record, name, held, trace):
    from .freeze import BY_GROUP

    if held.form == "table":
        return next(read.frame for read in trace.reads if read.order == record.order)
    if record.kind == "fit":
        value = record.value.get() if record.value is not None else None
    elif record.learned is not None and held.form == record.learned.form:
        value = record.learned.value
    else:
        value = record.value
    return {record.group: value} if name.endswith(BY_GROUP) else value


def raw_of(read):
    """(rows of the file with its index as a column again, the text behind as_read that makes it the index, what a loader gave)."""
    import pandas

    if read.frame is None:
        return loaded_of(read.value)
    frame = read.frame
    if isinstance(frame.index, pandas.RangeIndex):
        return frame, "", None
    names = list(frame.index.names)
    given = [name if name is not None else "Unnamed: %d" % at for at, name in enumerate(names)]
    taken = frame.copy()
    taken.index.names = given
    text = ".set_index(%r)" % (given[0] if len(given) == 1 else given)
    return taken.reset_index(), text + (".rename_axis(%r)" % (names[0],) if names[0] is None and len(names) == 1 else ""), None


def is_loaded(value):
    """Rows and a target, as sklearn.datasets gives them: a Bunch, or a pair."""
    data = value.get("data") if isinstance(value, dict) else value[0] if isinstance(value, tuple) and len(value) == 2 else None
    return getattr(data, "ndim", 0) == 2 and len(data) > 0


def loaded_of(value):
    import pandas

    data = value["data"] if isinstance(value, dict) else value[0]
    names = list(value.get("feature_names", ())) if isinstance(value, dict) else []
    if hasattr(data, "columns"):
        raw = data.reset_index(drop=True)
    else:
        raw = pandas.DataFrame(data, columns=[str(n) for n in names] if len(names) == data.shape[1] else ["x%d" % at for at in range(data.shape[1])])
    shape = " ".join(word for word, holds in (("frame", hasattr(data, "columns")), ("pair", isinstance(value, tuple))) if holds)
    words = value.get("target_names") if isinstance(value, dict) else None
    words = [str(word) for word in list(words)] if words is not None and len(words) <= 200 else None
    return raw, "", ", %r%s" % (shape, ", %r" % (words,) if words else "")


def raw_types(raw):
    return {name: str(raw[name].dtype) + ("?" if bool(raw[name].isna().any()) else "") for name in raw.columns}


def placeholder(column):
    value = next((v for v in column.tolist() if v == v and v is not None), 0)
    return value.item() if hasattr(value, "item") else value


def missing_words(read, trace):
    """Words that count as missing where the notebook read the file: pandas' own and na_values."""
    import ast

    site = trace.sites.get(read.site_id)
    given = {keyword.arg: keyword.value for keyword in (site.node.keywords if site is not None else ())}
    own = set() if is_off(given, "keep_default_na") or is_off(given, "na_filter") or read.kind in ("parquet", "json") else words_of_pandas()
    try:
        value = ast.literal_eval(given["na_values"]) if "na_values" in given else []
    except ValueError:
        value = []
    if isinstance(value, dict):
        value = [v for item in value.values() for v in (item if isinstance(item, (list, tuple, set)) else [item])]
    values = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple, set)) else []
    return sorted(own | {v for v in values if isinstance(v, str)})


def is_off(given, name):
    return name in given and getattr(given[name], "value", True) is False


def words_of_pandas():
    try:
        from pandas._libs.parsers import STR_NA_VALUES
    except ImportError:
        return {"", "NA", "NaN", "nan", "NULL", "null", "N/A", "n/a", "#N/A", "<NA>"}
    return set(STR_NA_VALUES)


def gaps_of(rows):
    if hasattr(rows, "columns") and hasattr(rows, "isna"):
        return {name for name in rows.columns if bool(rows[name].isna().to_numpy().any())}
    if hasattr(rows, "dtype") and rows.dtype.kind in "fO" and getattr(rows, "ndim", 0) == 2 and not hasattr(rows, "toarray"):
        import pandas

        return {int(at) for at in pandas.isna(rows).any(axis=0).nonzero()[0]}
    return set()


__all__ = ["build", "Attempt"]
