"""From which columns of the data as read the target of a fit comes, told by the statements that ran before it.

Names are followed back through assignments, splits, resampling, encoders, maps and comparisons. Only what is understood counts: a
name that a function of the notebook made, or a frame whose columns were renamed, is not followed by its text alone (``loose``).
"""

import ast
import builtins
import types

from . import records as _r
from .lineage_nodes import HOLDERS, bound, called_name, constant, is_inplace, is_made, keys_of, label_of, like_index, root_of

MAX_DEPTH = 60
#: Methods that leave the values of a column as they are, if perhaps not all of them or in another order.
SAME_VALUES = frozenset(
    "copy to_numpy ravel flatten squeeze tolist to_list to_frame reset_index set_index sort_values sort_index sample head tail query drop dropna "
    "drop_duplicates pop get fit_resample fit_sample train_test_split read_csv read_excel read_table read_parquet read_json array asarray Series "
    "DataFrame get_dummies reshape len range list print".split()
)
#: Methods after which a row's value comes from other rows, or columns have other names.
OTHER_ROWS = frozenset("shift diff pct_change rolling ewm expanding cumsum cummax cummin cumprod".split())
OTHER_TABLE = frozenset(
    "rename set_axis groupby agg aggregate pivot pivot_table melt stack unstack resample merge join concat append transpose crosstab assign insert eval update".split()
)
#: What stands beside rows and is none.
NO_ROWS = frozenset("shape size ndim dtype dtypes index columns".split())
RESAMPLING = frozenset(["fit_resample", "fit_sample"])


class Lineage:
    """columns: names in the data as read, None where it is not known; exact: the values are those of the file, none was recoded;
    loose: the text alone proves nothing; moved: a method that takes values of other rows, or None."""

    def __init__(self):
        self.columns, self.exact, self.loose, self.moved = None, True, False, None


def lineage_of(trace, namespace, fit, sources, known):
    """sources: the target as fitted and before it was split; known: names of all columns that were read."""
    try:
        return _Follower(trace, namespace, fit, known).follow(sources)
    except RecursionError:
        return Lineage()


class _Step:
    def __init__(self, node, conditional, order):
        self.node, self.conditional, self.order = node, conditional, order


class _Follower:
    def __init__(self, trace, namespace, fit, known):
        self.trace, self.namespace, self.fit, self.known = trace, namespace, fit, known
        self.found, self.steps, self.seen = Lineage(), [], set()
        for run in trace.cells:
            if run.tree is not None and run.started is not None:
                last = (run.error or {}).get("line") if run.status == "error" else None
                self._flatten([node for node in run.tree.body if not last or node.lineno <= last], False, run.started)

    def follow(self, sources):
        for value in sources:
            names = [name for name, held in list(self.namespace.items()) if held is value and not name.startswith("_")]
            if value is not None and names:
                self.found.columns = self._eval(ast.Name(id=names[0], ctx=ast.Load()), len(self.steps))
                return self.found
        site = self.trace.sites.get(self.fit.site_id)
        if site is None or site.function is not None:
            return self.found
        node = label_of(site.node)
        if node is not None:
            self.found.columns = self._eval(node, self._position(site))
        return self.found

    def _flatten(self, body, conditional, order):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                continue
            self.steps.append(_Step(node, conditional, order))
            for name in ("body", "orelse", "finalbody"):
                inner = getattr(node, name, None)
                if isinstance(inner, list):
                    self._flatten(inner, conditional or not isinstance(node, ast.With), order)
            for handler in getattr(node, "handlers", ()):
                self._flatten(handler.body, True, order)

    def _position(self, site):
        inside = [at for at, step in enumerate(self.steps) if any(inner is site.node for inner in ast.walk(step.node))]
        return inside[-1] if inside else len([step for step in self.steps if step.order <= self.fit.order])

    # Expressions.

    def _eval(self, node, before, depth=0):
        """The columns that a value comes from; an empty set for what is no data, None where it is not known."""
        if depth > MAX_DEPTH:
            return None
        if isinstance(node, ast.Name):
            return self._name(node.id, before, depth)
        if isinstance(node, ast.Subscript):
            return self._subscript(node, before, depth)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, before, depth)
        if isinstance(node, ast.Call):
            return self._call(node, before, depth)
        if isinstance(node, (ast.Lambda, ast.JoinedStr, ast.Constant)) or type(node).__name__ in ("Num", "Str", "NameConstant", "Bytes"):
            return set()
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            self.found.exact = False
            return self._union([generator.iter for generator in node.generators], before, depth)
        if isinstance(node, ast.Starred):
            return self._eval(node.value, before, depth + 1)
        if isinstance(node, (ast.BinOp, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.IfExp)):
            self.found.exact = False
        elif not isinstance(node, (ast.List, ast.Tuple, ast.Dict)):
            return None
        return self._union([child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)], before, depth)

    def _union(self, nodes, before, depth):
        found = set()
        for node in nodes:
            part = self._eval(node, before, depth + 1)
            if part is None:
                return None
            found |= part
        return found

    def _name(self, name, before, depth):
        bindings = self._bindings(name, before)
        if not bindings:
            return None if self._is_data(name) else set()
        found = set()
        for at, value, item in bindings:
            part = self._item(value, item, at, depth + 1) if item is not None else self._eval(value, at, depth + 1)
            if part is None:
                return None
            found |= part
        changed = self._changes(name, bindings[-1][0], before, depth)
        return None if changed is None else found | changed

    def _is_data(self, name):
        value = self.namespace.get(name)
        return _r.rows_in(value) is not None if value is not None else not hasattr(builtins, name)

    def _item(self, value, item, at, depth):
        """The n-th of what a tuple of names was given."""
        if isinstance(value, (ast.Tuple, ast.List)):
            return self._eval(value.elts[item], at, depth) if item < len(value.elts) else None
        called = called_name(value)
        if called == "train_test_split" and item // 2 < len(value.args) and not any(isinstance(a, ast.Starred) for a in value.args):
            return self._eval(value.args[item // 2], at, depth)
        if called in RESAMPLING and item == 1:
            node = label_of(value)
            return self._eval(node, at, depth) if node is not None else None
        return None

    def _changes(self, name, since, before, depth):
        """What was put into an object after it was bound: ``y[y == 2] = 0``."""
        found = set()
        for at in range(since + 1, min(before, len(self.steps))):
            node = self.steps[at].node
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
            for target in targets:
                if isinstance(target, ast.Subscript) and root_of(target) == name:
                    self.found.exact = False
                    key = constant(target.slice)
                    part = set() if isinstance(key, str) else self._union([node.value, *keys_of(target)], at, depth)
                    if part is None:
                        return None
                    found |= part
            if isinstance(node, ast.Expr) and root_of(node.value) == name and is_inplace(node.value) and called_name(node.value) not in SAME_VALUES:
                self.found.exact = False
        return found

    def _subscript(self, node, before, depth):
        base = node.value
        if isinstance(base, ast.Attribute) and base.attr in ("loc", "iloc", "at", "iat", "ix"):
            by_position, base = base.attr in ("iloc", "iat"), base.value
            keys = node.slice.value if type(node.slice).__name__ == "Index" else node.slice
            if not isinstance(keys, ast.Tuple) or len(keys.elts) != 2:
                return self._eval(base, before, depth + 1)
            return None if by_position else self._key(keys.elts[1], base, before, depth)
        key = self._key(node.slice, base, before, depth)
        return key if key is not None else self._eval(base, before, depth + 1)

    def _key(self, key, base, before, depth):
        key = key.value if type(key).__name__ == "Index" else key
        if isinstance(key, ast.List) and len(key.elts) == 1:
            key = key.elts[0]
        text = constant(key)
        if text is None and isinstance(key, ast.Name):
            text = self._text(key.id)
        return self._column(text, base, before, depth) if isinstance(text, str) else None

    def _text(self, name):
        """The words that a name holds, where it was bound once."""
        places = [at for at in range(len(self.steps)) for _ in bound(self.steps[at].node, name)]
        once = len(places) == 1 and isinstance(self.steps[places[0]].node, ast.Assign)
        return self.namespace.get(name) if once and isinstance(self.namespace.get(name), str) else None

    def _attribute(self, node, before, depth):
        if node.attr in NO_ROWS:
            return set()
        if node.attr in ("values", "array", "T"):
            return self._eval(node.value, before, depth + 1)
        if node.attr in ("str", "dt", "cat", "codes"):
            self.found.exact = False
            return self._eval(node.value, before, depth + 1)
        if isinstance(node.value, ast.Name) and isinstance(self.namespace.get(node.value.id), types.ModuleType):
            return set()
        return self._column(node.attr, node.value, before, depth)

    def _call(self, node, before, depth):
        called = called_name(node)
        if called in OTHER_ROWS:
            self.found.moved = called
            return None
        if called in OTHER_TABLE or self._is_own(node.func):
            self.found.loose = True
        if called not in SAME_VALUES:
            self.found.exact = False
        if called in HOLDERS or called in RESAMPLING:
            label = label_of(node)
            return self._eval(label, before, depth + 1) if label is not None else None
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        if called in ("pop", "get") and receiver is not None and node.args:
            return self._key(node.args[0], receiver, before, depth)
        values = [*node.args, *[word.value for word in node.keywords]]
        if receiver is not None and not self._is_tool(receiver):
            values.insert(0, receiver)
        found = self._union(values, before, depth)
        # Rows that come from nowhere (a file, random numbers) are not known; numbers and tools are no rows.
        return found if found or hasattr(builtins, called or "") or is_made(node) else None

    def _is_own(self, func):
        value = self.namespace.get(func.id) if isinstance(func, ast.Name) else None
        return isinstance(value, types.FunctionType) and getattr(value, "__module__", None) == "__main__"

    def _is_tool(self, receiver):
        """A module, an encoder, a random generator: nothing whose rows could be the target's."""
        if isinstance(receiver, ast.Call):
            return is_made(receiver)
        value = self.namespace.get(root_of(receiver)) if root_of(receiver) else None
        return value is not None and not isinstance(receiver, ast.Subscript) and _r.rows_in(value) is None

    # Columns of frames.

    def _column(self, column, base, before, depth):
        """What a column of a frame holds at a step: what was last put into it, else the column as it was read."""
        roots = self._frames({inner.id for inner in ast.walk(base) if isinstance(inner, ast.Name)}, before)
        self._judge(base)
        found = set()
        for at in range(min(before, len(self.steps)) - 1, -1, -1):
            step = self.steps[at]
            value, whole = self._put(step.node, column, roots)
            if value is None:
                continue
            part = self._union(value, at, depth)
            if part is None:
                return None
            found |= part
            self.found.exact = False
            if whole and not step.conditional:
                return found
        return found | {column} if column in self.known else None

    def _put(self, node, column, roots):
        """(expressions, is the whole column) that a statement puts into a column; (None, False) where it does not."""
        if isinstance(node, ast.Expr) and is_inplace(node.value) and root_of(node.value) in roots and called_name(node.value) not in SAME_VALUES:
            self.found.exact = False
            self.found.loose = self.found.loose or called_name(node.value) in OTHER_TABLE
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and self._may_change(node.value, roots):
            self.found.loose, self.found.exact = True, False
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []
        for target in targets:
            if root_of(target) not in roots or isinstance(target, ast.Name):
                continue
            if isinstance(target, ast.Attribute):
                self.found.loose = self.found.loose or target.attr in ("columns", "values")
                if target.attr == column:
                    return [node.value], isinstance(node, ast.Assign)
                continue
            keys = keys_of(target)
            texts = [constant(key) for key in keys[-1:]]
            names = [constant(item) for item in keys[-1].elts] if keys and isinstance(keys[-1], ast.List) else []
            if column in texts:
                is_whole = isinstance(node, ast.Assign) and len(keys) == 1 and isinstance(target.value, ast.Name)
                return [node.value, *keys[:-1]], is_whole
            if column in names or (keys and isinstance(keys[-1], (ast.Name, ast.Subscript, ast.Attribute, ast.Call))):
                self._by_name_of_loop(node.value, keys[-1])
        return None, False

    def _may_change(self, call, roots):
        """A function of the notebook's that is given the frame; ``df.insert(…)`` and the like."""
        given = {inner.id for argument in call.args for inner in ast.walk(argument) if isinstance(inner, ast.Name)}
        return (self._is_own(call.func) and bool(given & roots)) or (root_of(call) in roots and called_name(call) in ("insert", "eval", "update"))

    def _by_name_of_loop(self, value, key):
        """``df[c] = encoder.fit_transform(df[c])``: each column by itself; anything else may come from anywhere."""
        self.found.exact = False
        for inner in ast.walk(value):
            if isinstance(inner, ast.Subscript) and ast.dump(inner.slice) != ast.dump(like_index(key, inner.slice)):
                self.found.loose = True

    def _frames(self, names, before):
        """Names of the frames that a frame was made of, and of it itself; what was done on the way is judged."""
        found, left = set(), [(name, before) for name in names]
        while left and len(found) < 200:
            name, at = left.pop()
            if name in found or isinstance(self.namespace.get(name), types.ModuleType):
                continue
            found.add(name)
            for place, value, _ in self._bindings(name, at, True):
                self._judge(value)
                left += [(inner.id, place) for inner in ast.walk(value) if isinstance(inner, ast.Name)]
        return found

    def _judge(self, value):
        for call in ast.walk(value):
            if isinstance(call, ast.Call):
                called = called_name(call)
                if called in OTHER_TABLE or self._is_own(call.func) or self._takes_own(call):
                    self.found.loose = True
                if called in OTHER_ROWS:
                    self.found.moved = called
                if called not in SAME_VALUES:
                    self.found.exact = False

    def _takes_own(self, call):
        return called_name(call) in ("pipe", "apply", "transform") and any(self._is_own(argument) for argument in call.args)

    def _bindings(self, name, before, through=False):
        """[(step, value, n-th item or None)] that a name may hold at a step, the latest first; through: also what those were made of."""
        found = []
        for at in range(min(before, len(self.steps)) - 1, -1, -1):
            step = self.steps[at]
            for value, item in bound(step.node, name):
                found.append((at, value, item))
            if found and found[-1][0] == at and not step.conditional and not isinstance(step.node, (ast.AugAssign, ast.For)):
                names_itself = any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(found[-1][1]))
                if not (through and names_itself):
                    break
        return found
