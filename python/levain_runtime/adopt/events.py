"""What a run of a notebook did, one class a kind of event."""

from . import records as _r


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
    it was (None where too large), X_ref: the object itself; X_print; rows; result: copy; result_ref: the object that was returned; y_true: for score and evaluate; name:
    a variable that held the estimator when the cell ended."""

    def __init__(self, **members):
        self.order = self.cell = self.site_id = self.estimator = self.method = self.X = self.X_ref = self.X_print = None
        self.rows = self.result = self.result_ref = self.result_print = self.y_true = self.name = None
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
    """A fitted object (or anything else) that the notebook saved or, with ``loaded``, read back. order, cell, site_id, value (the
    object itself), path (where it went, None for texts in memory)."""

    def __init__(self, **members):
        self.order = self.cell = self.site_id = self.value = self.path = self.name = None
        self.loaded = False
        self.__dict__.update(members)


class Split:
    """A completed train_test_split. order, cell, site_id; inputs: the objects that went in; parts: [(train, test)] for each input."""

    def __init__(self, order, cell, site_id, inputs, parts):
        self.order, self.cell, self.site_id, self.inputs, self.parts = order, cell, site_id, inputs, parts


class Printed:
    """What a print() of a cell said, as far as it was texts and numbers. order, cell, site_id, text."""

    def __init__(self, order, cell, site_id, text):
        self.order, self.cell, self.site_id, self.text = order, cell, site_id, text


def unpacked(blob, copied):
    """A fresh object out of a pickle; the copy where there is none; None where it does not load."""
    if blob is not None:
        import pickle

        try:
            return pickle.loads(blob)
        except Exception:
            return None
    return copied
