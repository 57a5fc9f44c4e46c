"""Models in their libraries' own formats: XGBoost, LightGBM, CatBoost, ONNX, Keras. Such files hold numbers and no code.

A booster with an objective of classes answers as a classifier does: it keeps no labels, so classes are numbers from 0.
"""

import json

HEAD_BYTES = 4096


def is_booster(path):
    return format_of(path) is not None


def format_of(path):
    """By the first bytes; names lie, and `.json` and `.txt` may be anything."""
    with open(path, "rb") as source:
        head = source.read(HEAD_BYTES)
    if head.startswith(b"CBM1"):
        return "catboost"
    if head.startswith((b"tree\nversion=", b"tree\r\nversion=")):
        return "lightgbm"
    if head.startswith(b"binf") or (head[:2] in (b"{L", b'{"', b"{\n", b"{ ") and b"learner" in head):
        return "xgboost"
    if head.startswith(b"\x89HDF") or (head.startswith(b"PK") and path.lower().endswith(".keras")):
        return "keras"
    if path.lower().endswith(".onnx") and head[:1] == b"\x08":
        return "onnx"
    return None


def load(path):
    return {"xgboost": _xgboost, "lightgbm": _lightgbm, "catboost": _catboost, "keras": _keras, "onnx": Onnx}[format_of(path)](path)


def _xgboost(path):
    import xgboost

    booster = xgboost.Booster(model_file=path)
    if "classifier" in str(booster.attr("scikit_learn") or ""):
        model = xgboost.XGBClassifier()
        model.load_model(path)
        return model
    objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
    if objective in ("binary:logistic", "multi:softprob"):
        return Classifier(booster, lambda frame: _xgboost_scores(booster, frame))
    return booster


def _xgboost_scores(booster, frame):
    from . import forms

    return forms.answer(booster, frame)


def _lightgbm(path):
    import lightgbm

    booster = lightgbm.Booster(model_file=path)
    with open(path, encoding="utf-8", errors="replace") as source:
        head = source.read(HEAD_BYTES)
    objective = next((line.split("=", 1)[1].split(" ")[0] for line in head.splitlines() if line.startswith("objective=")), "")
    if objective in ("binary", "multiclass", "multiclassova"):
        return Classifier(booster, booster.predict)
    return booster


def _catboost(path):
    import catboost

    model = catboost.CatBoost()
    model.load_model(path)
    # The plain class answers with raw scores, whatever it was trained for.
    is_classifier = len(getattr(model, "classes_", ())) > 0
    model = catboost.CatBoostClassifier() if is_classifier else catboost.CatBoostRegressor()
    return model.load_model(path)


def _keras(path):
    from . import forms

    return forms.load_keras(path)


class Classifier:
    """A booster that answers with probabilities, one a row for two classes, one a class for more."""

    def __init__(self, booster, scores):
        self.booster = booster
        self._scores = scores
        self.classes_ = range(self._count())

    def _count(self):
        if hasattr(self.booster, "num_model_per_iteration"):
            return max(2, self.booster.num_model_per_iteration())
        parameters = json.loads(self.booster.save_config())["learner"]["learner_model_param"]
        return max(2, int(parameters.get("num_class", "0")))

    @property
    def feature_names_in_(self):
        names = self.booster.feature_name() if hasattr(self.booster, "feature_name") else self.booster.feature_names
        return list(names) if names else None

    def predict_proba(self, frame):
        import numpy

        scores = numpy.asarray(self._scores(frame), dtype="float64")
        return numpy.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores

    def predict(self, frame):
        return self.predict_proba(frame).argmax(axis=1)


class Onnx:
    """An ONNX graph as skl2onnx and its kind make it: one input, or one a column; labels first, then probabilities."""

    def __init__(self, path):
        import onnxruntime

        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.inputs = self.session.get_inputs()
        outputs = [output.name for output in self.session.get_outputs()]
        self.label = outputs[0]
        self.scores = outputs[1] if len(outputs) > 1 else None

    @property
    def feature_names_in_(self):
        return [each.name for each in self.inputs] if len(self.inputs) > 1 else None

    def _feed(self, frame):
        import numpy

        if len(self.inputs) == 1:
            return {self.inputs[0].name: numpy.asarray(frame, dtype=_numpy_type(self.inputs[0].type))}
        return {each.name: frame[[each.name]].to_numpy().astype(_numpy_type(each.type)) for each in self.inputs}

    def predict(self, frame):
        return self.session.run([self.label], self._feed(frame))[0]

    def __getattr__(self, name):
        # A regressor's graph has one output, and no probabilities.
        if name == "predict_proba" and self.__dict__.get("scores"):
            return self._probabilities
        raise AttributeError(name)

    def _probabilities(self, frame):
        import numpy

        scores = self.session.run([self.scores], self._feed(frame))[0]
        if isinstance(scores, list):
            self.classes_ = list(scores[0])
            return numpy.array([[row[key] for key in self.classes_] for row in scores], dtype="float64")
        return numpy.asarray(scores, dtype="float64")


def _numpy_type(text):
    return {"tensor(double)": "float64", "tensor(int64)": "int64", "tensor(string)": "object", "tensor(bool)": "bool"}.get(text, "float32")
