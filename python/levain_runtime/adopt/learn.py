"""Watches a run of a notebook for what its model's version needs beside the model: its own test rows, and what features.py learns.

Runs inside the kernel of a step. Only calls named in SITES of features.py, and calls that fit, predict or measure, are instrumented:
all else runs as it is. Nothing of the user's is changed, and a failure in here never fails a cell.
"""

import ast
import collections
import copy
import json
import os
import pickle
import re
import sys
import threading
import time

from .. import reaching
from . import freeze, testrows
from .keeping import MAX_KEPT_BYTES, Call, Prediction, argument_text, keep, rows_of, truth_of
from .ownrows import OwnRows, read_raw
from .records import copy_of, is_data, size_of
from .sites import ARG, BEGIN, CALLEE, END, _Finder, _Wrapper

PREDICT = frozenset(["predict", "predict_proba", "predict_log_proba", "decision_function", "score"])
FIT = frozenset(["fit", "fit_transform", "fit_predict", "fit_resample", "partial_fit"])
TRAIN = frozenset(["train"])
MEASURE = re.compile(r"(_score|_error|_report|_matrix|_loss|_curve|_deviance)$")
MAX_PREDICTIONS = 24
MAX_FITS = 64
MAX_TRUTHS = 48
#: Copies of training rows stop when they have taken so long: knowing less is better than a slow notebook.
MAX_COPY_SECONDS = 10.0
CURRENT = None


class NotFound(Exception):
    """What features.py learned cannot be learned from this run."""


def install(ip, config):
    """Watches from here on. config: {"features": path of features.py or None}."""
    global CURRENT
    CURRENT = Recorder(ip, plan_of(config.get("features")))
    CURRENT.install()


def begin(number):
    if CURRENT is None:
        return None
    stack = CURRENT.stack()
    stack.append(Call(CURRENT.sites[number]))
    return len(stack) - 1


def callee(number, value):
    call = _running(number)
    if call is not None:
        call.receiver = value
    return value


def arg(number, position, value):
    call = _running(number)
    if call is not None:
        call.args[position] = value
    return value


def end(depth, result):
    if depth is None or CURRENT is None:
        return result
    stack = CURRENT.stack()
    call = stack[depth] if depth < len(stack) else None
    del stack[depth:]
    if call is not None:
        try:
            CURRENT.note(call, result)
        except Exception:  # knowing less, never failing the user's cell
            pass
    return result


def _running(number):
    """The call of a site under way; a failed one may have been left above it."""
    if CURRENT is None:
        return None
    return next((call for call in reversed(CURRENT.stack()) if call.site.id == number), None)


def next_cell(number):
    CURRENT.cell = number


def export(namespace, name, folder, facts_path, config):
    """After ``inspect.save_variable``: puts ``levain/`` into the model's folder; a features.py that learned nothing fails the export."""
    with open(facts_path) as file:
        facts = json.load(file)
    if not facts.get("ok"):
        return
    recorder, CURRENT.cell = CURRENT, None
    try:
        facts["learned"] = recorder.write_learned(folder, config["notebook"])
        found = recorder.write_rows(namespace, name, folder, config)
        facts["testRows"] = {"matched": found["matched"], "of": found["of"], "reason": found["reason"]}
    except Exception as error:
        message = str(error) if isinstance(error, NotFound) else "what features.py learned could not be kept: %s" % describe(error)
        facts = {"ok": False, "kind": "features", "message": message}
    temporary = facts_path + ".tmp"
    with open(temporary, "w") as file:
        json.dump(facts, file)
    os.replace(temporary, facts_path)


def describe(error):
    return "%s: %s" % (type(error).__name__, error)


class Plan:
    """What features.py asks of a run: literals of its text, read without running it."""

    def __init__(self, sites, test_rows, notebook):
        self.sites, self.test_rows, self.notebook = sites, test_rows, notebook

    def names_of(self, cell, code, occurrence):
        return [name for name, site in self.sites.items() if site == (cell, code, occurrence)]


def plan_of(path):
    if path is None or not os.path.isfile(path):
        return Plan({}, None, None)
    with open(path, "rb") as file:
        tree = ast.parse(file.read())
    found = {"SITES": {}, "TEST_ROWS": None}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            name = getattr(statement.targets[0], "id", None)
            if name in found:
                found[name] = ast.literal_eval(statement.value)
    sites = {name: _site(site) for name, site in (found["SITES"] or {}).items()}
    return Plan(sites, found["TEST_ROWS"] and _site(found["TEST_ROWS"]), path)


def _site(written):
    cell, code, occurrence = (tuple(written) + (0,))[:3]
    return int(cell), str(code), int(occurrence)


class Recorder:
    def __init__(self, ip, plan):
        self.ip, self.plan, self.cell, self.sources = ip, plan, None, []
        self.sites, self.names, self.learned = {}, {}, {}
        self.seen = set()
        self.fits = collections.OrderedDict()
        self.predictions = collections.deque(maxlen=MAX_PREDICTIONS)
        self.at_test_rows = None
        self.truths = collections.deque(maxlen=MAX_TRUTHS)
        self.spent = 0.0
        self.local = threading.local()

    def install(self):
        import builtins

        # In the namespace, so that what is sent to other processes finds them by their module; in builtins where that is emptied.
        for name, hook in ((BEGIN, begin), (CALLEE, callee), (ARG, arg), (END, end)):
            setattr(builtins, name, hook)
            self.ip.user_ns[name] = hook
            self.ip.user_ns_hidden[name] = hook
        self.ip.events.register("pre_run_cell", self.before_cell)
        self.ip.ast_transformers.append(self)

    # Instrumenting

    def before_cell(self, info=None):
        raw = getattr(info, "raw_cell", None) or ""
        self.sources = [raw]
        for text in (raw, raw.split("\n", 1)[-1]):
            try:
                self.sources.append(self.ip.transform_cell(text))
            except Exception:  # IPython itself will complain
                pass

    def visit(self, tree):
        """IPython hands over every tree before it is compiled; inner ones too, as of a %%time cell."""
        if self.cell is None or not isinstance(tree, ast.Module):
            return tree
        try:
            wanted = self._wanted(tree)
        except Exception:  # a cell that we cannot read runs as it is
            return tree
        if wanted:
            _Wrapper(wanted).visit(tree)
            ast.fix_missing_locations(tree)
        return tree

    def _wanted(self, tree):
        finder = _Finder(self._source_of(tree), self.cell, len(self.sites) + 1, None)
        finder.visit(tree)
        inside = _inside_classes(tree)
        wanted = {}
        for site in finder.sites:
            names = self.plan.names_of(self.cell, site.code, site.occurrence)
            self.seen.update(names)
            is_test = self.plan.test_rows == (self.cell, site.code, site.occurrence)
            if names or is_test or (_is_watched(site.attribute) and site.node not in inside):
                wanted[site.id] = self.sites[site.id] = site
                self.names[site.id] = names
            else:
                del site.node.levain_site
        return wanted

    def _source_of(self, tree):
        """The text that the tree was made of."""
        shape = ast.dump(tree)
        for source in self.sources:
            try:
                if ast.dump(ast.parse(source)) == shape:
                    return source
            except (SyntaxError, ValueError):
                continue
        return "\n".join(self.sources[:1])

    def stack(self):
        stack = getattr(self.local, "stack", None)
        if stack is None:
            stack = self.local.stack = []
        return stack

    # What is kept

    def note(self, call, result):
        site = call.site
        for name in self.names.get(site.id, ()):
            self.learned.setdefault(name, []).append(_named(name, call, _learned(call, result)))
        attribute = site.attribute or ""
        if attribute in FIT or attribute in TRAIN:
            self._note_fit(call, result)
        elif attribute in PREDICT:
            self._note_prediction(call)
        elif MEASURE.search(attribute):
            self._note_truths(call)

    def _note_fit(self, call, result):
        X = rows_of(call.args, ("X", "x", "data", "dtrain", "train_set", "pool"))
        if X is None:
            X = getattr(call.receiver, "exog", None)
        started = time.perf_counter()
        kept = keep(X) if self.spent < MAX_COPY_SECONDS else None
        kept = kept if kept is None else (kept, keep(truth_of(call.args)))
        self.spent += time.perf_counter() - started
        # Of a function such as xgboost.train the result is what was fitted.
        fitted = [result] if call.site.attribute in TRAIN else [call.receiver, result]
        for one in fitted:
            if not is_data(one) and one is not None:
                self.fits.pop(id(one), None)
                self.fits[id(one)] = (one, kept)
        while len(self.fits) > MAX_FITS:
            self.fits.popitem(last=False)

    def _note_prediction(self, call):
        X = rows_of(call.args, ("X", "x", "data", "T"))
        kept = keep(X)
        if kept is None:
            return
        y = truth_of(call.args) if call.site.attribute == "score" else None
        prediction = Prediction(call.receiver, call.site, kept, y, argument_text(call.site))
        if self.plan.test_rows == (call.site.cell, call.site.code, call.site.occurrence):
            self.at_test_rows = prediction
        self.predictions.append(prediction)

    def _note_truths(self, call):
        for value in list(call.args.values())[:2]:
            if testrows.row_count(value) > 1 and size_of(value) <= MAX_KEPT_BYTES:
                self.truths.append(copy_of(value) if is_data(value) else list(value))

    # What is written

    def write_learned(self, folder, notebook):
        """``levain/learned.pkl``; the number of learned values, or None where features.py learns nothing."""
        if not self.plan.sites:
            return None
        for name, (cell, code, _) in self.plan.sites.items():
            if name not in self.learned:
                what = "no longer has" if name not in self.seen else "no longer runs"
                raise NotFound(
                    "features.py was made for another %s: cell %d %s %s; run levain adopt again" % (notebook, cell, what, code)
                )
        path = os.path.join(folder, "levain")
        os.makedirs(path, exist_ok=True)
        _dump(self.learned, os.path.join(path, "learned.pkl"))
        return sum(len(values) for values in self.learned.values())

    def write_rows(self, namespace, name, folder, config):
        """``levain/notebook_rows.json``; always written, with the reason where the rows are not told."""
        dataset, rows = config.get("dataset"), None
        if not dataset:
            found = testrows.nothing("the step sees no single file of rows")
        else:
            try:
                raw = read_raw(dataset)
                rows = len(raw)
                found = OwnRows(self).find(raw, namespace, reaching.reach(namespace, name)[1], config)
            except Exception as error:  # the user's data decides what comparing it may raise
                found = testrows.nothing("the rows could not be compared: %s" % describe(error))
        testrows.write(folder, found, dataset and dataset["name"], rows)
        return found

def _inside_classes(tree):
    """Calls of methods of the notebook's own classes: a model may hold them, and takes them where no hooks are."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call)
    }


def _is_watched(attribute):
    attribute = attribute or ""
    return attribute in PREDICT or attribute in FIT or attribute in TRAIN or bool(MEASURE.search(attribute))


def _learned(call, result):
    """The fitted object, what a call hides that gives back rows, else its result."""
    if (call.site.attribute or "") in FIT:
        return copy.deepcopy(call.receiver)
    hidden = freeze.learn(call.site.attribute, call.receiver, call.args, result)
    return hidden.value if hidden is not None else copy_of(result)


def _named(name, call, value):
    """Of functions that run once a group or column: the value by its group's name."""
    return {freeze.group_of(call.receiver, call.args): value} if name.endswith(freeze.BY_GROUP) else value


def _dump(value, path):
    """By value where a class stands in the notebook itself."""
    cloud = sys.modules.get("cloudpickle")
    if cloud is None:
        try:
            import cloudpickle as cloud
        except ImportError:
            cloud = pickle
    with open(path, "wb") as file:
        cloud.dump(value, file, protocol=4)
