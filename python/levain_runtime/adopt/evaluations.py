"""What a run tells of how good a fitted object is: on which rows it was asked, and what the notebook computed of the answers."""

from . import records as _r

MAX_ROWS = 50000
#: Share of rows that training has seen too from which on rows count as training rows. Coded tables repeat rows, so it is high.
SEEN = 0.9
#: Higher is better but for these.
LOSSES = ("error", "loss", "deviance", "mse", "mae", "rmse")
#: Metrics that sum a whole test up in one number, the customary ones first.
NUMBERS = (
    "accuracy_score accuracy score r2_score roc_auc_score f1_score balanced_accuracy_score mean_squared_error root_mean_squared_error mean_absolute_error "
    "mean_squared_log_error mean_absolute_percentage_error median_absolute_error explained_variance_score precision_score recall_score "
    "average_precision_score log_loss brier_score_loss matthews_corrcoef cohen_kappa_score jaccard_score fbeta_score hamming_loss max_error"
).split()

#: Means that the notebook wrote out itself: the truth went in, but was not seen.
BY_HAND = ("accuracy", "mean_squared_error", "mean_absolute_error")


class Evaluation:
    """prediction: the Prediction; held_out: True (rows that the fit had not seen), False, or None; metrics: [Metric] of its answers;
    labelled: whether the truth of the rows is known; y_true: it, where it was kept; covers: it asked for all rows, those of training too."""

    def __init__(self, prediction, held_out, metrics):
        self.prediction, self.held_out, self.metrics = prediction, held_out, metrics
        self.y_true = next((m.y_true for m in metrics if m.y_true is not None), prediction.y_true)
        self.labelled = self.y_true is not None or any(m.y_true_print or m.name in BY_HAND for m in metrics)

    @property
    def score(self):
        """(name, value) of the number that sums it up, or None."""
        best = None
        for metric in self.metrics:
            value = number(metric.value)
            if value is None or metric.name not in NUMBERS:
                continue
            rank = NUMBERS.index(metric.name)
            if best is None or rank <= best[0]:
                best = (rank, metric.name, value)
        return None if best is None else best[1:]


def number(value):
    try:
        return float(value) if not isinstance(value, (str, bytes)) and getattr(value, "ndim", 0) == 0 else None
    except (TypeError, ValueError):
        return None


def is_loss(name):
    return any(word in name for word in LOSSES)


def better(name, one, other):
    return one < other if is_loss(name) else one > other


class Evaluations:
    """Links predictions with the fits before them and the metrics after them."""

    def __init__(self, trace):
        self.trace = trace
        self._owner = self._metric_owners()
        self._rows = {}

    def of(self, value, aliases, fits, since=0):
        """[Evaluation] of an object's answers after an order, each against the fit before it; aliases answer the same."""
        ids = {id(value)} | {id(alias) for alias in aliases}
        found = []
        for p in self.trace.predictions:
            if id(p.estimator) in ids and p.order > since:
                fit = next((fit for fit in reversed(fits) if fit.order < p.order), None)
                found.append(Evaluation(p, self.held_out(p, fit), self._owner.get(p.order, [])))
        return found

    def _metric_owners(self):
        """{order of a prediction: [metrics of its answers]}: by the answers themselves, else the newest with as many rows."""
        owners, by_print, by_rows, by_order = {}, {}, {}, {}
        for event in sorted(self.trace.predictions + self.trace.metrics, key=lambda event: (event.order, hasattr(event, "y_pred"))):
            if not hasattr(event, "y_pred"):
                by_order[event.order] = event
                if event.rows is not None:
                    by_rows[event.rows] = event
                if event.result_print is not None:
                    by_print[event.result_print] = event
                continue
            if event.estimator is not None:
                owner = by_order.get(event.order)
            else:
                owner = by_print.get(event.y_pred_print) or by_rows.get(event.rows)
            if owner is not None:
                owners.setdefault(owner.order, []).append(event)
        return owners

    def held_out(self, prediction, fit):
        if fit is None or prediction.rows is None:
            return None
        if prediction.X_print is not None and prediction.X_print == fit.X_print:
            return False
        by_index = _share_by_index(prediction.X_ref, fit.X)
        if by_index is not None:
            return by_index < 0.5
        asked, trained = self._digests(prediction.X, prediction.order), self._digests(fit.X, -fit.order)
        if not asked or not trained:
            return None
        # All rows at once, those of training among them.
        if prediction.rows > (fit.rows or 0) and len(trained & asked) >= SEEN * len(trained):
            return False
        return len(asked & trained) < SEEN * len(asked)

    def _digests(self, value, key):
        if key not in self._rows:
            self._rows[key] = row_digests(value)
        return self._rows[key]


def _share_by_index(asked, trained):
    """Share of asked rows whose label training has, where both are frames of one numbering; None where labels say nothing."""
    one, other = _r.index_of(asked), _r.index_of(trained)
    if one is None or other is None or len(one) == 0 or not one.is_unique or not other.is_unique:
        return None
    if _r._is_range(one) or _r._is_range(other):
        return None
    try:
        return float(one.isin(other).mean())
    except Exception:
        return None


def row_digests(value):
    """A set of the rows' contents; None where they cannot be told."""
    numpy = _r.module("numpy")
    if value is None or numpy is None:
        return None
    try:
        if _r.is_sparse(value):
            csr = value.tocsr()[:MAX_ROWS]
            return {csr.indices[a:b].tobytes() + csr.data[a:b].tobytes() for a, b in zip(csr.indptr, csr.indptr[1:])}
        values = value.values if hasattr(value, "values") else numpy.asarray(value)
        values = values[:MAX_ROWS]
        if values.dtype.kind in "biuf":
            values = numpy.ascontiguousarray(values, dtype="float64")
            return {row.tobytes() for row in values}
        return {repr(row.tolist()) if hasattr(row, "tolist") else repr(row) for row in values}
    except Exception:
        return None


def holds_printed(value, evaluations, fit=None):
    """Whether the object still answers as it did when the notebook asked it last; None where that cannot be tried."""
    for evaluation in reversed(evaluations):
        p = evaluation.prediction
        if p.X is None:
            continue
        if p.method in ("predict", "predict_proba", "decision_function", "predict_classes") and p.result is not None:
            again = _quietly(lambda: getattr(value, p.method)(_as_asked(value, p.X)))
            return None if again is None else _same(again, p.result)
        if p.method == "score" and p.y_true is not None:
            # Two objects may have one score: their answers are compared where the object was kept as it was then.
            if fit is not None and fit.order < p.order:
                then = fit.fitted()
                answers = _quietly(lambda: then.predict(p.X)) if then is not None else None
                if answers is not None:
                    return _same(_quietly(lambda: value.predict(p.X)), answers)
            return _same(_quietly(lambda: value.score(p.X, p.y_true)), p.result)
    return None


def _as_asked(value, X):
    """xgboost's own Booster takes a DMatrix."""
    if type(value).__module__ == "xgboost.core":
        return _r.module("xgboost").DMatrix(X)
    return X


def _quietly(call):
    import contextlib
    import io
    import warnings

    numpy = _r.module("numpy")
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            with numpy.errstate(all="ignore") if numpy is not None else contextlib.nullcontext():
                return call()
    except Exception:
        return None


def _same(one, other):
    numpy = _r.module("numpy")
    if one is None:
        return None
    try:
        one, other = numpy.asarray(one), numpy.asarray(other)
        if one.shape != other.shape:
            return False
        if one.dtype.kind in "biufc" and other.dtype.kind in "biufc":
            return bool(numpy.allclose(one.astype(float), other.astype(float), rtol=1e-6, atol=1e-9, equal_nan=True))
        return bool((one.astype(str) == other.astype(str)).all())
    except Exception:
        return None
