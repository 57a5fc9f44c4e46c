"""How test rows leak into training, as far as the text tells it: names are followed from what learns on all rows to the split.

A leak is told only where the rows that something learned from are seen to reach the split, or where test rows are seen to be
learned from. What happens in functions and loops over names is left alone: a lint that cries wolf is not read.
"""

import ast

LEARNERS = {
    "StandardScaler", "MinMaxScaler", "RobustScaler", "MaxAbsScaler", "PowerTransformer", "QuantileTransformer", "KBinsDiscretizer", "SimpleImputer", "Imputer", "KNNImputer", "IterativeImputer", "PCA", "KernelPCA",
    "TruncatedSVD", "FastICA", "NMF", "FactorAnalysis", "LinearDiscriminantAnalysis", "SelectKBest", "SelectPercentile", "SelectFromModel", "RFE", "RFECV", "VarianceThreshold", "TfidfVectorizer", "TargetEncoder", "LeaveOneOutEncoder",
    "CatBoostEncoder", "WOEEncoder", "JamesSteinEncoder", "MEstimateEncoder",
}
# These learn from the target itself: the score is then no estimate at all.
FROM_TARGET = {"SelectKBest", "SelectPercentile", "SelectFromModel", "RFE", "RFECV", "TargetEncoder", "LeaveOneOutEncoder", "CatBoostEncoder", "WOEEncoder", "JamesSteinEncoder", "MEstimateEncoder", "LinearDiscriminantAnalysis"}
SAMPLERS = {"SMOTE", "SMOTENC", "SMOTEN", "BorderlineSMOTE", "SVMSMOTE", "KMeansSMOTE", "ADASYN", "RandomOverSampler", "SMOTETomek", "SMOTEENN"}
STATISTICS = {"mean", "median", "mode", "std", "quantile", "min", "max", "var"}
RESAMPLE = {"fit_resample", "fit_sample"}


def collect(cells):
    """[{code, cell, line, message, fix}]"""
    flow = _Flow()
    for cell in cells:
        for statement in cell["tree"].body if cell["tree"] else ():
            flow.statement(statement, cell["number"])
    return flow.found


class _Flow:
    def __init__(self):
        self.kinds = {}  # variable: class of the object it was given
        self.taints = {}  # variable: [leaks that its rows carry]
        self.exprs = {}  # variable: the expression it was last given
        self.dropped = set()  # columns named in a drop, pop or del
        self.test_names = set()
        self.train_names = set()
        self.splits = 0
        self.found = []
        self.cell = None

    def statement(self, node, cell):
        self.cell = cell
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return
        if isinstance(node, (ast.For, ast.While, ast.If, ast.With, ast.Try)):
            for part in node.body + getattr(node, "orelse", []):
                self.statement(part, cell)
            return
        if isinstance(node, ast.Delete):
            for target in node.targets:
                self.dropped |= _strings(target)
        for call in [n for n in ast.walk(node) if isinstance(n, ast.Call)]:
            self._call(call)
        if isinstance(node, ast.Assign):
            self._assign(node)
        elif isinstance(node, ast.AugAssign) and _root(node.target):
            self.taints.setdefault(_root(node.target), []).extend(self._taint(node.value))

    def _assign(self, node):
        taint = self._taint(node.value)
        is_split = isinstance(node.value, ast.Call) and _name(node.value) == "train_test_split"
        for target in node.targets:
            names = [element.id for element in target.elts if isinstance(element, ast.Name)] if isinstance(target, ast.Tuple) else []
            if is_split and names:
                self._split_names(names)
            for name in names:
                # What a split hands out is told at the split: it leaks once.
                self.taints[name] = [] if is_split else list(taint)
                self.exprs.pop(name, None)
            if isinstance(target, ast.Name):
                self._give(target.id, node.value, taint)
            elif not names and _root(target):
                self.taints.setdefault(_root(target), []).extend(taint)

    def _give(self, name, value, taint):
        self.taints[name] = list(taint)
        self.exprs[name] = value
        self.test_names.discard(name)
        self.train_names.discard(name)
        kind = _class_of(value)
        if kind:
            self.kinds[name] = kind

    def _split_names(self, names):
        self.splits += 1
        self.train_names.update(names[0::2])
        self.test_names.update(names[1::2])

    def _taint(self, value):
        """What the rows of an expression carry: of the names in it, and of what it learns itself."""
        found = []
        for node in ast.walk(value):
            if isinstance(node, ast.Name):
                found.extend(self.taints.get(node.id, ()))
            elif isinstance(node, ast.Call):
                found.extend(self._learns(node))
        return list({(leak["code"], leak["cell"], leak["line"]): leak for leak in found}.values())

    def _learns(self, call):
        name = _name(call)
        if isinstance(call.func, ast.Attribute):
            kind = self._kind(call.func.value)
            if name in ("fit_transform", "transform") and kind in LEARNERS and not self._is_train(call):
                return [self._leak(call, "learned_from_all_rows", kind)] if name == "fit_transform" else []
            if name in RESAMPLE and kind in SAMPLERS and not self._is_train(call):
                return [self._leak(call, "resampled_before_split", kind)]
            if name == "fillna" and self._fills_with_statistics(call):
                return [self._leak(call, "filled_from_all_rows", "fillna")]
        return []

    def _fills_with_statistics(self, call):
        value = call.args[0] if call.args else next((w.value for w in call.keywords if w.arg == "value"), None)
        if isinstance(value, ast.Name):
            value = self.exprs.get(value.id)
        return value is not None and any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in STATISTICS for n in ast.walk(value)) and not self._is_train(call)

    def _is_train(self, call):
        """Whether rows of a split are spoken of: then nothing is said here."""
        roots = {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
        return bool(roots & (self.train_names | self.test_names)) or any("train" in root.lower() or "test" in root.lower() for root in roots)

    def _kind(self, node):
        if isinstance(node, ast.Name):
            return self.kinds.get(node.id)
        return _class_of(node)

    def _leak(self, call, code, kind):
        return {"code": code, "cell": self.cell, "line": call.lineno, "kind": kind}

    def _call(self, call):
        name = _name(call)
        if name in ("drop", "pop"):
            self.dropped |= _strings(call)
        if name == "train_test_split":
            self._told_at_split(call)
        if isinstance(call.func, ast.Attribute) and name in ("fit", "fit_transform"):
            self._fitted(call, name)
            if name == "fit_transform" or self._kind(call.func.value) not in LEARNERS:
                return
            # `scaler.fit(X)` now, `scaler.transform(X)` later.
            roots = {n.id for a in call.args for n in ast.walk(a) if isinstance(n, ast.Name)}
            if roots and not self._is_train(call):
                for root in roots:
                    self.taints.setdefault(root, []).append(self._leak(call, "learned_from_all_rows", self._kind(call.func.value)))
        elif name == "fillna" and any(w.arg == "inplace" for w in call.keywords) and self._fills_with_statistics(call):
            self.taints.setdefault(_root(call.func.value) or "", []).append(self._leak(call, "filled_from_all_rows", "fillna"))

    def _told_at_split(self, call):
        # Only what goes in as rows: `random_state=SEED` carries nothing.
        for leak in [leak for arg in call.args for leak in self._taint(arg)]:
            entry = {**MESSAGES[leak["code"]](leak["kind"]), "code": leak["code"], "cell": leak["cell"], "line": leak["line"]}
            if entry not in self.found:
                self.found.append(entry)
        self._target_in(call)

    def _target_in(self, call):
        """`train_test_split(df, df['y'])`, by way of names too, where nothing ever drops y."""
        if len(call.args) < 2:
            return
        x, y = (self._plain(arg) for arg in call.args[:2])
        column = _column(y)
        if column and isinstance(x, ast.Name) and isinstance(y, (ast.Subscript, ast.Attribute)) and _root(y) == x.id and column not in self.dropped:
            self.found.append({"code": "target_in_features", "cell": self.cell, "line": call.lineno, "message": "The features of the split still hold the target column %s." % column, "fix": "Split %s.drop(columns=[%r]) instead of %s." % (x.id, column, x.id)})

    def _plain(self, node):
        """A name that only stands for another expression, one step back."""
        for _ in range(3):
            if isinstance(node, ast.Name) and isinstance(self.exprs.get(node.id), (ast.Subscript, ast.Attribute, ast.Name)) and not _many(self.exprs[node.id]):
                node = self.exprs[node.id]
            elif isinstance(node, ast.Call) and _name(node) == "copy" and isinstance(node.func, ast.Attribute):
                node = node.func.value
            else:
                break
        return node

    def _fitted(self, call, name):
        roots = [arg.id for arg in call.args if isinstance(arg, ast.Name)]
        if not roots or not self.splits or not all(root in self.test_names for root in roots):
            return
        kind = self._kind(call.func.value)
        if name == "fit_transform" or kind in LEARNERS:
            self.found.append({"code": "learned_from_test_rows", "cell": self.cell, "line": call.lineno, "message": "%s learns from the test rows (%s)." % (kind or "A transformer", roots[0]), "fix": "Call transform on %s, not %s: what was learned from the training rows then applies to both." % (roots[0], name)})
        elif len(roots) > 1:
            self.found.append({"code": "trained_on_test_rows", "cell": self.cell, "line": call.lineno, "message": "A model is fitted on the test rows (%s)." % ", ".join(roots), "fix": "Fit on the training rows; keep the test rows for the score."})


MESSAGES = {
    "learned_from_all_rows": lambda kind: {"message": "%s learns from all rows before they are split%s." % (kind, ", the target included: the score is too good" if kind in FROM_TARGET else ""), "fix": "Split first, fit it on the training rows and call transform on the test rows (or put it into a Pipeline)."},
    "resampled_before_split": lambda kind: {"message": "%s makes rows out of all rows before they are split: copies of test rows are trained on." % kind, "fix": "Split first and resample the training rows only."},
    "filled_from_all_rows": lambda kind: {"message": "Missing values are filled with statistics of all rows before they are split.", "fix": "Split first and fill both parts with the training rows' statistics."},
}


def _name(call):
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _class_of(value):
    """The class that `Scaler()` or `Scaler().fit(X)` makes."""
    while isinstance(value, ast.Call):
        name = _name(value)
        if name in LEARNERS or name in SAMPLERS or name[:1].isupper():
            return name
        value = value.func.value if isinstance(value.func, ast.Attribute) else None
    return None


def _root(node):
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _strings(node):
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}


def _key(node):
    key = node.slice
    return getattr(key, "value", None) if type(key).__name__ == "Index" else key


def _many(node):
    """`df[['a', 'b']]`, `df.iloc[:, 1:]`, `df[mask]`: other columns or rows than those of the frame."""
    return isinstance(node, ast.Subscript) and not (isinstance(_key(node), ast.Constant) and isinstance(_key(node).value, str))


def _column(node):
    if isinstance(node, ast.Subscript) and isinstance(_key(node), ast.Constant) and isinstance(_key(node).value, str):
        return _key(node).value
    return node.attr if isinstance(node, ast.Attribute) and node.attr not in ("values", "T", "index") else None
