"""Finds a finished notebook's own test rows in the file that its step saw."""

import copy
import re

from . import testrows
from .keeping import equal, is_column, of_model
from .records import is_array, is_frame, is_series
from .refusal import Refused
from .run import Features, run_over

MAX_TRIES = 6
MAX_TRUTHS = 12
#: Fewer rows are examples that were typed in; the test rows are looked for before them.
FEW_ROWS = 20


class OwnRows:
    """Of one recorder (learn.py): what its model was asked, and what it was fitted on."""

    def __init__(self, recorder):
        self.recorder = recorder

    def find(self, raw, namespace, model, config):
        target, fitted, features = config.get("target"), self._fitted_rows(model), None
        try:
            features = self._features(config, raw)
            return self._find_rows(raw, features, fitted, namespace, model, target)
        except testrows.NotFound as error:
            found = testrows.nothing(str(error))
            if fitted is not None and target is not None:
                found["target"] = testrows.coding(raw, fitted, target, features)
            return found

    def _find_rows(self, raw, features, fitted, namespace, model, target):
        reason, few, tried = "the notebook measures its model on no rows of its own", None, []
        for prediction in self._candidates(model):
            if len(tried) == MAX_TRIES:
                break
            if any(equal(prediction.X, other) for other in tried):
                continue
            tried.append(prediction.X)
            is_named = prediction is self.recorder.at_test_rows
            if fitted is None and not is_named:
                raise testrows.NotFound("how the model was fitted was not seen")
            try:
                found = self._match(raw, features, prediction, namespace, target, fitted)
            except testrows.NotFound as error:
                reason = str(error) if len(tried) == 1 or testrows.row_count(prediction.X) >= FEW_ROWS else reason
                continue
            if is_named or len(found["rows"]) >= FEW_ROWS:
                return found
            few = few or found
        if few is None:
            raise testrows.NotFound(reason)
        return few

    def _candidates(self, model):
        """Predictions of this model, the last first; the one that features.py names alone, where it names one."""
        if self.recorder.plan.test_rows is not None:
            return [self.recorder.at_test_rows] if self.recorder.at_test_rows is not None else []
        return of_model(model, [(one.receiver, one) for one in reversed(self.recorder.predictions)])

    def _fitted_rows(self, model):
        """The X and y that the model was fitted on last; None where that was not seen."""
        found = of_model(model, list(reversed(list(self.recorder.fits.values()))))
        return found[0] if found else None

    def _match(self, raw, features, prediction, namespace, target, fitted):
        truths = ([prediction.y] if prediction.y is not None else []) + self._truths_for(prediction, namespace) + [None]
        best, failure = None, None
        for y in truths:
            try:
                found = testrows.find(raw, prediction.X, y, target=target, features=features, fitted=fitted)
            except testrows.NotFound as error:
                failure = failure or error
                continue
            if found["target"] and found["target"]["rule"]:
                return found
            best = best or found
        if best is None:
            raise failure
        return best

    def _truths_for(self, prediction, namespace):
        """Columns that may be the truth of these rows: what was measured, and what stands beside X under a name with y."""
        total = testrows.row_count(prediction.X)
        text = prediction.text or ""
        paired = [text.replace("X", "y", 1), text.replace("x", "y", 1)] if text.isidentifier() else []
        named = [namespace[name] for name in paired if name in namespace and name != text]
        others = [v for k, v in list(namespace.items()) if re.match(r"_?(y|target|label)", k, re.I) and k not in paired]
        found = []
        for value in named + list(reversed(self.recorder.truths)) + others:
            if (is_array(value) or is_series(value) or is_frame(value) or isinstance(value, list)) and is_column(value, total):
                if not any(equal(value, other) for other in found):
                    found.append(value)
        return found[:MAX_TRUTHS]

    def _features(self, config, raw):
        """(what features.py makes of the raw rows with what this run learned, which rows those are); None without features.py."""
        path = config.get("features")
        if not path:
            return None
        with open(path, encoding="utf-8") as file:
            text = file.read()
        features = Features(text, copy.deepcopy(self.recorder.learned))
        wanted = [name for name in raw.columns if name != config.get("target")]
        try:
            made, known, _ = run_over(features, raw[wanted])
        except Refused as refused:
            raise testrows.NotFound("features.py fails on the file: %s" % refused)
        return made, known


def read_raw(dataset):
    """The file as a frame in its own order, as it is read for endpoints: {"path", "format", "delimiter", "quote", "texts"}."""
    import pandas

    path, form = dataset["path"], dataset.get("format", "csv")
    if form == "parquet":
        return pandas.read_parquet(path).reset_index(drop=True)
    if form == "json":
        return pandas.read_json(path, lines=bool(re.search(r"(jsonl|ndjson)(\.gz)?$", path)))
    texts = {name: str for name in dataset.get("texts", ())}
    zipped = {"compression": "gzip"} if path.endswith(".gz") or dataset.get("name", "").endswith(".gz") else {}
    return pandas.read_csv(
        path,
        sep=dataset.get("delimiter", ","),
        quotechar=dataset.get("quote", '"'),
        decimal=dataset.get("decimal", "."),
        dtype=texts,
        low_memory=False,
        **zipped,
    )
