"""Turns completed calls into records, reads, fits, predictions and metrics."""

import types
import weakref

from . import records as _r
from .paths import WINDOW_BACKENDS, is_address
from .sites import Record

REFCOUNTING = frozenset(["resize", "setflags"])
FIT_METHODS = frozenset("fit fit_transform fit_resample fit_sample fit_predict partial_fit train_on_batch fit_generator fit_regularized".split())
PREDICT_METHODS = frozenset("predict predict_proba predict_log_proba decision_function score predict_classes evaluate".split())
#: Methods of pandas that give back some or all rows of what went in, perhaps in another order.
ROW_METHODS = frozenset(
    "dropna drop_duplicates drop sample sort_values sort_index head tail query nlargest nsmallest filter take reindex reset_index set_index "
    "truncate compress get_group explode first_valid_index align where mask append concat merge join copy pop insert loc iloc".split()
)
MAX_EVENTS = 20000
MAX_KEPT_INPUT = 64 << 20


class Read:
    """Data that the notebook read. cell, site_id, order; written: path as written (text); path: the file, relative to root where it is
    below it; frame: deep copy as read (pandas.DataFrame; None for arrays and where too large); value: the object that was returned, when
    it is no frame (a copy); kind: 'csv'|'excel'|'parquet'|'json'|'other'; rows, columns (names as text, or None)."""

    def __init__(self, **members):
        self.order = self.cell = self.site_id = self.written = self.path = self.frame = self.value = self.kind = self.rows = self.columns = None
        self.__dict__.update(members)

    def __repr__(self):
        return "Read(%r -> %r, %r rows)" % (self.written, self.path, self.rows)


class Fit:
    """A completed fit. order, cell, site_id, method; estimator: the object itself (the results object for statsmodels, the Booster for
    xgb.train and lgb.train); X, y: references to what went in (None where unknown), X_print, y_print: their fingerprints at the time;
    rows: of X; X_columns: names or None; state: fingerprint of the fitted estimator after the call, None where it cannot be pickled;
    fitted(): a copy of the estimator as it was then, or None; name: a variable that held it when the cell ended; record: its Record."""

    def __init__(self, **members):
        self.order = self.cell = self.site_id = self.method = self.estimator = self.X = self.y = self.name = self.record = None
        self.X_print = self.y_print = self.rows = self.X_columns = self.state = self.blob = self.copy = None
        self.__dict__.update(members)

    def fitted(self):
        return unpacked(self.blob, self.copy)

    def __repr__(self):
        return "Fit(%d, cell %d, %s %s)" % (self.order, self.cell, self.name, _r.type_name(self.estimator))


class Prediction:
    """A completed predict, predict_proba, decision_function, score or evaluate. order, cell, site_id, estimator, method; X: a copy as
    it was (None where too large), X_ref: the object itself; X_print; rows; result: copy; y_true: for score and evaluate; state:
    fingerprint of the estimator at that time (equal to Fit.state while nothing refitted it)."""

    def __init__(self, **members):
        self.order = self.cell = self.site_id = self.estimator = self.method = self.X = self.X_ref = self.X_print = None
        self.rows = self.result = self.result_ref = self.y_true = self.state = self.name = None
        self.__dict__.update(members)

    def __repr__(self):
        return "Prediction(%d, cell %d, %s.%s)" % (self.order, self.cell, _r.type_name(self.estimator), self.method)


class Metric:
    """A value that the notebook computed of predictions. order, cell, site_id, name ('accuracy_score', 'score', 'cross_val_score', …),
    value (copy), y_true, y_pred: copies or None; y_true_print, y_pred_print: fingerprints; estimator: for score and cross validation."""

    def __init__(self, **members):
        self.order = self.cell = self.site_id = self.name = self.value = self.y_true = self.y_pred = self.estimator = None
        self.y_true_print = self.y_pred_print = self.rows = None
        self.__dict__.update(members)

    def __repr__(self):
        return "Metric(%d, cell %d, %s = %r)" % (self.order, self.cell, self.name, self.value if isinstance(self.value, float) else "…")


class Save:
    """A fitted object (or anything else) that the notebook saved. order, cell, site_id, value (the object), path (as written or None)."""

    def __init__(self, **members):
        self.order = self.cell = self.site_id = self.value = self.path = self.name = None
        self.__dict__.update(members)


def unpacked(blob, copied):
    if blob is not None:
        import pickle

        try:
            return pickle.loads(blob)
        except Exception:
            return None
    return copied


class Observer:
    def __init__(self, trace):
        self.trace = trace
        self.written = {}  # id of a path or file object -> path as the notebook wrote it

    # Before the call.

    def called(self, site, entry, value):
        entry.owner = value if isinstance(value, (type, types.ModuleType)) else type(value)
        source = None if isinstance(value, (type, types.ModuleType)) else _r.data_behind(value)
        if source is not None:
            entry.before = _r.Input(source)
            if site.inplace or site.attribute in REFCOUNTING:
                # pandas and numpy count references to tell a lasting object from a passing one: none of ours may count.
                entry.after = weakref.ref(source)
                return
        entry.callee = value

    def path_argument(self, site, entry, value, kind):
        if isinstance(value, (bytes, int)) or not (isinstance(value, str) or hasattr(value, "__fspath__")):
            return value
        if kind == 3:
            return "agg" if isinstance(value, str) and value.lower() in WINDOW_BACKENDS else value
        writes = kind == 2 or (site.attribute == "open" and _opens_to_write(site))
        led = self.trace.paths.to_write(value) if writes else self.trace.paths.to_read(value)
        if led is not value:
            self.written[str(led)] = str(value)
        return led

    # After the call.

    def observe(self, site, entry, result):
        called = callable_of(site, entry)
        name = callee_name(site, entry, called)
        order = self.trace.next_order()
        record = Record(order, site.id, "other", name)
        record.result_type = _r.type_name(result)
        source = self._source(entry)
        if source is not None:
            record.receiver_rows = source.rows
        data = _r.data_behind(result)
        if data is not None:
            record.result_rows = _r.count_rows(data)
            record.lazy = data is not result
        self._changed_in_place(entry, record)
        fit = self._fit(site, entry, name, record, result)
        if fit is None:
            self._classify(site, record, source, result, data, name)
        self._events(site, entry, name, record, result)
        return record

    def _source(self, entry):
        if entry.before is not None:
            return entry.before
        for value in entry.arguments.values():
            data = _r.rows_in(value)
            if data is not None:
                return _r.Input(data)
        return None

    def _changed_in_place(self, entry, record):
        receiver = entry.after() if entry.after is not None else _r.data_behind(entry.callee) if entry.before is not None else None
        if receiver is not None and _r.count_rows(receiver) != entry.before.rows:
            record.rows_after = _r.count_rows(receiver)

    def _classify(self, site, record, source, result, data, name):
        if source is None or result is None or record.lazy:
            return
        if name.endswith(".train_test_split") and isinstance(result, (list, tuple)):
            record.kind, record.parts = "filter", ["filter"] * len(result)
            return
        if data is not None:
            kind = _r.kind_of(source, data)
            if kind == "filter" and name.startswith("pandas.") and site.attribute not in ROW_METHODS:
                kind = None  # numbered results, such as a mode or means of groups 0, 1, 2, look like rows
            if kind is not None and not (kind == "aligned" and source.rows <= 1):
                record.kind = kind
                if kind == "aligned" or kind == "filter":
                    return
        if isinstance(result, (list, tuple)) and result and all(_r.data_behind(part) is not None for part in result[:64]):
            record.parts = [_r.kind_of(source, _r.data_behind(part)) or "reduce" for part in result[:64]]
            if all(part != "reduce" for part in record.parts):
                record.kind = "filter" if "filter" in record.parts else "aligned"
                return
        if not _r.is_plain(result):
            return
        size = _r.size_of(result)
        if size > _r.MAX_COPY_BYTES or not self.trace.keep(site, size):
            record.kind = "big"
            return
        record.kind, record.value = "reduce", _r.copy_of(result)

    # Fits.

    def _fit(self, site, entry, name, record, result):
        found = self._fitted(site, entry, name, result)
        if found is None:
            return None
        estimator, X, y = found
        record.kind = "fit"
        data = _r.data_behind(result)
        source = _r.data_behind(X)
        if data is not None and source is not None:
            record.aligned = _r.kind_of(_r.Input(source), data) == "aligned"
        blob, copied = _r.fitted_copy(estimator)
        if blob is not None and not self.trace.keep(None, len(blob)):
            blob = None
        fit = Fit(order=record.order, cell=site.cell, site_id=site.id, method=site.attribute, estimator=estimator, X=X, y=y, record=record)
        fit.blob, fit.copy, fit.state = blob, copied, _r.digest(blob)
        fit.X_print, fit.y_print, fit.rows = _r.fingerprint(X), _r.fingerprint(y), _r.count_rows(source) if source is not None else None
        fit.X_columns = columns_of(X)
        record.value = Fitted(blob, copied) if blob is not None or copied is not None else None
        self._append(self.trace.fits, fit)
        return fit

    def _fitted(self, site, entry, name, result):
        """(estimator, X, y) where the call was a fit."""
        if site.attribute in FIT_METHODS and entry.callee is not None and not isinstance(entry.callee, types.ModuleType):
            receiver = entry.callee
            if not callable(getattr(type(receiver), "fit", None)) and not hasattr(receiver, "fit"):
                return None
            if name.startswith("statsmodels.") and result is not None and result is not receiver:
                model = receiver
                data = getattr(model, "data", None)
                X = getattr(data, "orig_exog", None)
                y = getattr(data, "orig_endog", None)
                return result, X if X is not None else getattr(model, "exog", None), y if y is not None else getattr(model, "endog", None)
            return receiver, argument(entry, 0, "X", "x", "raw_documents", "X_train"), argument(entry, 1, "y", "Y")
        if name in ("xgboost.training.train", "lightgbm.engine.train"):
            data = argument(entry, 1, "dtrain", "train_set")
            return result, self.made.get(id(data), (None, None, None))[1], self.made.get(id(data), (None, None, None))[2]
        return None

    # Reads, predictions, metrics, saves.

    made = {}

    def _events(self, site, entry, name, record, result):
        last = name.rsplit(".", 1)[-1]
        if last.startswith("read_") or last in ("loadtxt", "genfromtxt"):
            self._read(site, entry, name, record, result)
        if site.attribute in PREDICT_METHODS and entry.callee is not None and not isinstance(entry.callee, types.ModuleType):
            self._prediction(site, entry, record, result)
        if name.startswith("sklearn.metrics."):
            self._metric(site, entry, last, record, result)
        if last in ("cross_val_score", "cross_validate", "cross_val_predict"):
            estimator = argument(entry, 0, "estimator")
            self._append(self.trace.metrics, Metric(order=record.order, cell=site.cell, site_id=site.id, name=last, value=record.value, estimator=estimator))
        if name.startswith(("xgboost.core.DMatrix", "xgboost.core.QuantileDMatrix", "lightgbm.basic.Dataset")):
            self.made[id(result)] = (result, argument(entry, 0, "data"), argument(entry, 1, "label"))

    def _read(self, site, entry, name, record, result):
        path = argument(entry, 0, "filepath_or_buffer", "io", "path", "path_or_buf", "fname", "filepath")
        text = path_text(path)
        frame = _r.copy_of(result) if _r.is_frame(result) and self.trace.keep(None, _r.size_of(result)) else None
        value = None if _r.is_frame(result) or not _r.is_plain(result) else _r.copy_of(result)
        read = Read(order=record.order, cell=site.cell, site_id=site.id, frame=frame, value=value, kind=_kind(name, text))
        read.written = self.written.get(text, text)
        read.path = self._relative(text)
        read.rows = record.result_rows if record.result_rows is not None else (_r.count_rows(result) if _r.is_data(result) else None)
        read.columns = columns_of(result)
        self._append(self.trace.reads, read)

    def _relative(self, text):
        import os

        if text is None or is_address(text):
            return text
        real = os.path.realpath(text)
        root = self.trace.root
        return os.path.relpath(real, root) if real.startswith(root + os.sep) else real

    def _prediction(self, site, entry, record, result):
        receiver = entry.callee
        if not hasattr(receiver, "predict"):
            return
        X = argument(entry, 0, "X", "x", "data", "exog")
        made = self.made.get(id(X))
        X = made[1] if made else X
        y = argument(entry, 1, "y") if site.attribute in ("score", "evaluate") else None
        p = Prediction(order=record.order, cell=site.cell, site_id=site.id, estimator=receiver, method=site.attribute, X_ref=X, y_true=_small_copy(self, y))
        p.X_print, p.rows = _r.fingerprint(X), _r.count_rows(X) if _r.is_data(X) or isinstance(X, list) else None
        p.X, p.result, p.result_ref = _small_copy(self, X), _small_copy(self, result), result
        self._append(self.trace.predictions, p)
        if site.attribute == "score":
            metric = Metric(order=record.order, cell=site.cell, site_id=site.id, name="score", value=result, y_true=p.y_true, estimator=receiver)
            metric.rows = p.rows
            self._append(self.trace.metrics, metric)

    def _metric(self, site, entry, name, record, result):
        y_true = argument(entry, 0, "y_true", "labels_true")
        y_pred = argument(entry, 1, "y_pred", "y_score", "y_prob", "y_proba", "labels_pred")
        metric = Metric(order=record.order, cell=site.cell, site_id=site.id, name=name, value=_small_copy(self, result))
        metric.y_true, metric.y_pred = _small_copy(self, y_true), _small_copy(self, y_pred)
        metric.y_true_print, metric.y_pred_print = _r.fingerprint(y_true), _r.fingerprint(y_pred)
        metric.rows = _r.count_rows(y_true) if _r.is_data(y_true) or isinstance(y_true, list) else None
        self._append(self.trace.metrics, metric)

    def _append(self, events, event):
        if len(events) < MAX_EVENTS:
            events.append(event)

    def name_objects(self, namespace):
        """Gives fits the name of a variable that holds their estimator when the cell ends."""
        by_id = {}
        for name, value in list(namespace.items()):
            if not name.startswith("_"):
                by_id.setdefault(id(value), name)
        for event in self.trace.fits + self.trace.predictions:
            if id(event.estimator) in by_id:
                event.name = by_id[id(event.estimator)]


class Fitted:
    """The value of a 'fit' record: ``get()`` gives a fresh copy of the fitted object as it was after the call, None where it is lost."""

    __slots__ = ("blob", "copied")

    def __init__(self, blob, copied):
        self.blob, self.copied = blob, copied

    def get(self):
        return unpacked(self.blob, self.copied)


def argument(entry, position, *names):
    for name in names:
        if name in entry.arguments:
            return entry.arguments[name]
    if position in entry.arguments:
        return entry.arguments[position]
    star = entry.arguments.get("*")
    return star[position] if isinstance(star, (list, tuple)) and len(star) > position else None


def callable_of(site, entry):
    """What was called: the callee, or the attribute of the receiver, looked up on its type so that no property runs."""
    if entry.callee is None or site.node is None or not _is_method(site):
        return entry.callee
    if isinstance(entry.callee, types.ModuleType) or isinstance(entry.callee, type):
        return getattr(entry.callee, site.attribute, None)
    return getattr(type(entry.callee), site.attribute, None)


def callee_name(site, entry, called):
    if _is_method(site) and isinstance(entry.owner, type):
        owner = entry.owner
        return "%s.%s.%s" % (_public(owner.__module__), owner.__qualname__, site.attribute)
    if called is None:
        return site.attribute or ""
    module = getattr(called, "__module__", None)
    name = getattr(called, "__qualname__", None) or getattr(called, "__name__", None) or site.attribute or ""
    if module is None and isinstance(entry.callee, types.ModuleType):
        module = entry.callee.__name__
    return "%s.%s" % (_public(module), name) if isinstance(module, str) else str(name)




def _public(module):
    """pandas moved its classes between versions; all of its own are named pandas.X here."""
    return "pandas" if module.startswith("pandas.") else module


def _is_method(site):
    return type(site.node.func).__name__ == "Attribute"


def columns_of(value):
    return [str(name) for name in value.columns] if _r.is_frame(value) else None


def path_text(path):
    if isinstance(path, str):
        return path
    name = getattr(path, "name", None)
    return name if isinstance(name, str) else str(path) if hasattr(path, "__fspath__") else None


def _kind(name, text):
    for word, kind in (("csv", "csv"), ("table", "csv"), ("fwf", "csv"), ("excel", "excel"), ("parquet", "parquet"), ("json", "json")):
        if word in name.rsplit(".", 1)[-1]:
            return kind
    return "csv" if isinstance(text, str) and text.lower().endswith((".csv", ".tsv", ".txt")) else "other"


def _small_copy(observer, value):
    if value is None:
        return None
    if _r.is_data(value) or _r.is_plain(value):
        size = _r.size_of(value, MAX_KEPT_INPUT)
        if size <= MAX_KEPT_INPUT and observer.trace.keep(None, size):
            return _r.copy_of(value)
    return None


def _opens_to_write(site):
    """The mode stands after the path: a literal in the text of the call is looked at."""
    import ast

    modes = [k.value for k in site.node.keywords if k.arg == "mode"] + list(site.node.args[1:2])
    return any(isinstance(m, ast.Constant) and isinstance(m.value, str) and set(m.value) & set("wax+") for m in modes)
