"""Turns completed calls into records, reads, fits, predictions and metrics."""

import os
import types
import weakref

from . import records as _r
from .calls import argument, callable_of, callee_name, columns_of, is_loader, kind_of_read, name_by_hand, opens_to_write, path_text
from .events import Fit, Metric, Prediction, Printed, Read, Save, Split, unpacked
from .paths import WINDOW_BACKENDS, is_address
from .sites import Record

#: Methods of arrays that refuse where anything else refers to the array.
REFCOUNTING = frozenset(["resize", "setflags"])
FIT_METHODS = frozenset("fit fit_transform fit_resample fit_sample fit_predict partial_fit train_on_batch fit_generator fit_regularized".split())
PREDICT_METHODS = frozenset("predict predict_proba predict_log_proba decision_function score predict_classes evaluate".split())
#: Methods of pandas that give back some or all rows of what went in, perhaps in another order.
ROW_METHODS = frozenset(
    "dropna drop_duplicates drop sample sort_values sort_index head tail query nlargest nsmallest filter take reindex reset_index set_index "
    "truncate compress get_group explode first_valid_index align where mask append concat merge join copy pop insert loc iloc".split()
)
SAVE_FUNCTIONS = frozenset("dump dumps log_model save_model_to_file".split())
SAVE_METHODS = frozenset("save_model save save_weights save_pretrained to_pickle".split())
LOAD_FUNCTIONS = frozenset("load loads load_model load_learner".split())
READ_FUNCTIONS = frozenset("loadtxt genfromtxt reader DictReader loadarff load_svmlight_file fromfile".split())
DATA_HOLDERS = ("xgboost.core.DMatrix", "xgboost.core.QuantileDMatrix", "lightgbm.basic.Dataset", "catboost.core.Pool")
MAX_EVENTS = 20000
MAX_PRINTED = 20000
#: Of one site; a loop of fits that takes longer to copy is followed without copies.
MAX_COPYING_SECONDS = 3.0
MAX_KEPT_INPUT = 64 << 20


class Observer:
    def __init__(self, trace):
        self.trace = trace
        self.made = {}  # id of a DMatrix, Dataset or Pool -> (it, its data, its label)
        self.written = {}  # id of a path or file object -> path as the notebook wrote it

    # Before the call.

    def called(self, site, entry, value):
        entry.owner = value if isinstance(value, (type, types.ModuleType)) else type(value)
        if site.attribute in REFCOUNTING:
            return
        source = None if isinstance(value, (type, types.ModuleType)) else _r.data_behind(value)
        if source is not None:
            entry.before = _r.Input(source)
            if site.inplace:
                # pandas counts references to tell a lasting object from a passing one: none of ours may count.
                entry.after = weakref.ref(source)
                return
        entry.callee = value

    def path_argument(self, site, entry, value, kind):
        if isinstance(value, (bytes, int)) or not (isinstance(value, str) or hasattr(value, "__fspath__")):
            return value
        if kind == 3:
            return "agg" if isinstance(value, str) and value.lower() in WINDOW_BACKENDS else value
        writes = kind == 2 or (site.attribute == "open" and opens_to_write(site))
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
        blob, copied = _r.fitted_copy(estimator) if site.spent < MAX_COPYING_SECONDS else (None, None)
        if blob is not None and not self.trace.keep(None, len(blob)):
            blob = None
        fit = Fit(order=record.order, cell=self.trace.running, site_id=site.id, method=site.attribute, estimator=estimator, X=X, y=y, record=record)
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
                data = getattr(receiver, "data", None)
                X, y = getattr(data, "orig_exog", None), getattr(data, "orig_endog", None)
                return result, X if X is not None else getattr(receiver, "exog", None), y if y is not None else getattr(receiver, "endog", None)
            X, y = argument(entry, 0, "X", "x", "raw_documents", "X_train", "trainX"), argument(entry, 1, "y", "Y")
            held = self.made.get(id(X))
            return (receiver, held[1], held[2]) if held else (receiver, X, y)
        if name in ("xgboost.training.train", "lightgbm.engine.train", "catboost.core.train"):
            held = self.made.get(id(argument(entry, 1, "dtrain", "train_set") if name[0] != "c" else argument(entry, 0, "pool", "dtrain")))
            return result, held and held[1], held and held[2]
        return None

    # Reads, predictions, metrics, saves.

    def _events(self, site, entry, name, record, result):
        last = name.rsplit(".", 1)[-1]
        if name == "builtins.print":
            self._printed(site, entry, record)
        elif last in READ_FUNCTIONS or last.startswith("read_") or name == "pandas.ExcelFile.parse" or is_loader(name, last):
            self._read(site, entry, name, record, result)
        elif last in SAVE_FUNCTIONS or last in SAVE_METHODS:
            self._save(site, entry, last, record)
        elif last in LOAD_FUNCTIONS and not _r.is_data(result):
            path = self._as_written(path_text(argument(entry, 0, "file", "filename", "filepath")))
            self._append(self.trace.saves, Save(order=record.order, cell=self.trace.running, site_id=site.id, value=result, path=path, loaded=True))
        elif site.attribute in PREDICT_METHODS and entry.callee is not None and not isinstance(entry.callee, types.ModuleType):
            self._prediction(site, entry, record, result)
        elif name.startswith(("sklearn.metrics.", "sklearn.inspection.")):
            self._metric(site, entry, last, record, result)
        elif last in ("cross_val_score", "cross_validate", "cross_val_predict"):
            metric = Metric(order=record.order, cell=self.trace.running, site_id=site.id, name=last, value=record.value)
            metric.estimator = argument(entry, 0, "estimator")
            self._append(self.trace.metrics, metric)
        elif last == "train_test_split" and isinstance(result, (list, tuple)):
            self._split(site, entry, record, result)
        elif site.attribute in ("mean", "average") and record.kind == "reduce":
            self._metric_by_hand(site, record, result)
        elif name in DATA_HOLDERS:
            self.made[id(result)] = (result, argument(entry, 0, "data"), argument(entry, 1, "label"))

    def _printed(self, site, entry, record):
        texts = [str(value) for value in entry.arguments.values() if isinstance(value, _r.SCALARS) or _r.is_scalar(value)]
        if texts and len(self.trace.printed) < MAX_PRINTED:
            self.trace.printed.append(Printed(record.order, self.trace.running, site.id, " ".join(texts)[:1000]))

    def _split(self, site, entry, record, result):
        inputs = [entry.arguments[key] for key in sorted(key for key in entry.arguments if isinstance(key, int))]
        inputs += list(entry.arguments.get("*") or ())
        if len(result) == 2 * len(inputs):
            parts = [(result[2 * i], result[2 * i + 1]) for i in range(len(inputs))]
            self._append(self.trace.splits, Split(record.order, self.trace.running, site.id, inputs, parts))

    def _save(self, site, entry, last, record):
        if last in SAVE_METHODS:
            value, path = entry.callee, argument(entry, 0, "fname", "filename", "filepath")
            if isinstance(value, types.ModuleType) or not hasattr(value, "predict"):
                return
        else:
            value, path = argument(entry, 0, "obj", "value", "sk_model", "model", "estimator"), argument(entry, 1, "file", "filename", "artifact_path")
        path = self._as_written(path_text(path))
        self._append(self.trace.saves, Save(order=record.order, cell=self.trace.running, site_id=site.id, value=value, path=path))

    def _as_written(self, text):
        return self.written.get(text, text)

    def _read(self, site, entry, name, record, result):
        path = argument(entry, 0, "filepath_or_buffer", "io", "path", "path_or_buf", "fname", "filepath", "csvfile", "file")
        if name.startswith("pathlib.") or name == "pandas.ExcelFile.parse":
            path = getattr(entry.callee, "io", entry.callee)
        text = path_text(path)
        if is_loader(name, name.rsplit(".", 1)[-1]):
            text = name
        frame = _r.copy_of(result) if _r.is_frame(result) and self.trace.keep(None, _r.size_of(result)) else None
        value = None if _r.is_frame(result) or not _r.is_plain(result) else _r.copy_of(result)
        read = Read(order=record.order, cell=self.trace.running, site_id=site.id, frame=frame, value=value, kind=kind_of_read(name, text))
        read.written, read.path = self._as_written(text), self._relative(text)
        read.rows = record.result_rows if record.result_rows is not None else (_r.count_rows(result) if _r.is_data(result) else None)
        read.columns = columns_of(result)
        self._append(self.trace.reads, read)

    def _relative(self, text):
        if text is None or is_address(text) or not os.path.exists(text):
            return text
        real = os.path.realpath(text)
        root = self.trace.root
        return os.path.relpath(real, root) if real.startswith(root + os.sep) else real

    def _prediction(self, site, entry, record, result):
        receiver = entry.callee
        if not hasattr(receiver, "predict"):
            return
        X = argument(entry, 0, "X", "x", "data", "exog", "X_test", "params")
        y = argument(entry, 1, "y") if site.attribute in ("score", "evaluate") else None
        p = self._predicted(site, record, receiver, site.attribute, X, result, y, site.spent < MAX_COPYING_SECONDS)
        self._append(self.trace.predictions, p)
        if site.attribute == "score":
            metric = Metric(order=record.order, cell=self.trace.running, site_id=site.id, name="score", value=result, y_true=p.y_true)
            metric.estimator, metric.rows, metric.y_true_print = receiver, p.rows, _r.fingerprint(y)
            self._append(self.trace.metrics, metric)

    def _predicted(self, site, record, estimator, method, X, result, y, keeps=True):
        made = self.made.get(id(X))
        X = made[1] if made else X
        p = Prediction(order=record.order, cell=self.trace.running, site_id=site.id, estimator=estimator, method=method, X_ref=X)
        p.y_true, p.X_print = _small_copy(self, y), _r.fingerprint(X) if keeps else None
        p.rows = _r.count_rows(X) if _r.is_data(X) or isinstance(X, list) else None
        p.X = _small_copy(self, X) if keeps else None
        p.result, p.result_ref, p.result_print = _small_copy(self, result), result, _r.fingerprint(result)
        return p

    def _metric(self, site, entry, name, record, result):
        first = argument(entry, 0, "y_true", "labels_true", "estimator")
        if hasattr(first, "predict"):  # a curve or a matrix drawn of an estimator's answers
            X = argument(entry, 1, "X")
            self._append(self.trace.predictions, self._predicted(site, record, first, name, X, None, argument(entry, 2, "y")))
            return
        y_pred = argument(entry, 1, "y_pred", "y_score", "y_prob", "y_proba", "labels_pred")
        metric = Metric(order=record.order, cell=self.trace.running, site_id=site.id, name=name, value=_small_copy(self, result))
        metric.y_true, metric.y_pred = _small_copy(self, first), _small_copy(self, y_pred)
        metric.y_true_print, metric.y_pred_print = _r.fingerprint(first), _r.fingerprint(y_pred)
        metric.rows = _r.count_rows(first) if _r.is_data(first) or isinstance(first, list) else None
        self._append(self.trace.metrics, metric)

    def _metric_by_hand(self, site, record, result):
        """``(model.predict(X) == y).mean()``, ``np.mean((p - y) ** 2)``."""
        name = name_by_hand(site.node)
        value = result.item() if _r.is_scalar(result) and hasattr(result, "item") else result
        if name is not None and isinstance(value, float):
            metric = Metric(order=record.order, cell=self.trace.running, site_id=site.id, name=name, value=value, rows=record.receiver_rows)
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


def _small_copy(observer, value):
    if value is None:
        return None
    if _r.is_data(value) or _r.is_plain(value):
        size = _r.size_of(value, MAX_KEPT_INPUT)
        if size <= MAX_KEPT_INPUT and observer.trace.keep(None, size):
            return _r.copy_of(value)
    return None
