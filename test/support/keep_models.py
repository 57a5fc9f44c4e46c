"""Saves models of many libraries as a finished kernel would (`save FOLDER`), and answers with them in another process (`load FOLDER`).

`load` prints {name: {"answers": as many as rows, "same": whether they are those of the kernel, "alone": whether one row asked alone
gives the same, "errors": [...]}}.
"""

import json
import os
import pickle
import sys
import warnings

warnings.filterwarnings("ignore")


def rows():
    import numpy
    import pandas

    rng = numpy.random.RandomState(0)
    X = pandas.DataFrame({"a": rng.randn(120), "b": rng.randn(120), "c": rng.randint(0, 3, 120)})
    return X, ((X.a + X.c) > 1).astype(int), pandas.Series(numpy.where(X.a > 0.5, "hi", numpy.where(X.b > 0, "mid", "lo")))


def fitted(folder):
    import lightgbm
    import pandas
    import statsmodels.api as sm
    import statsmodels.formula.api as smf
    import xgboost
    from imblearn.over_sampling import SMOTE
    from imblearn.pipeline import Pipeline
    from sklearn.linear_model import LogisticRegression

    X, y, words = rows()
    named = X.assign(k=pandas.Categorical(words))
    with open(os.path.join(folder, "helper.py"), "w") as file:
        file.write("import second\n\nclass Doubled:\n    def predict(self, X):\n        return X.iloc[:, 0] * second.FACTOR\n")
    with open(os.path.join(folder, "second.py"), "w") as file:
        file.write("FACTOR = 2\n")
    sys.path.insert(0, folder)
    import helper

    class Own:
        def fit(self, X, y):
            self.inner = LogisticRegression().fit(X, y)
            return self

        def predict(self, X):
            return self.inner.predict(X) * helper.second.FACTOR

    Own.__module__ = "__main__"
    quiet = {"n_estimators": 5, "verbose": -1}
    return {
        "xgb": (xgboost.XGBClassifier(n_estimators=5).fit(X, y), X),
        "xgb_booster": (xgboost.train({"objective": "binary:logistic"}, xgboost.DMatrix(X, label=y), 5), X),
        "xgb_softprob": (xgboost.train({"objective": "multi:softprob", "num_class": 3}, xgboost.DMatrix(X, label=X.c), 5), X),
        "xgb_array": (xgboost.train({}, xgboost.DMatrix(X.values, label=y), 5), X),
        "xgb_categories": (xgboost.XGBClassifier(n_estimators=5, enable_categorical=True).fit(named, y), named),
        "lgb_words": (lightgbm.LGBMClassifier(**quiet).fit(X, words), X),
        "lgb_categories": (lightgbm.LGBMClassifier(**quiet).fit(named, y), named),
        "lgb_booster": (lightgbm.train({"verbose": -1}, lightgbm.Dataset(X, label=y), 5), X),
        "ols": (sm.OLS(y, X).fit(), X),
        "logit": (smf.logit("y ~ b", data=X.assign(y=(X.b + X.c > 1.2).astype(int))).fit(disp=0), X),
        "imblearn": (Pipeline([("s", SMOTE(random_state=0)), ("m", LogisticRegression())]).fit(X, y), X),
        "own": (Own().fit(X, y), X),
        "helper": (helper.Doubled(), X),
        "unfitted_ols": (sm.OLS(y, X), X),
        "unfitted_xgb": (xgboost.XGBClassifier(), X),
    }


def save(folder):
    from levain_runtime import forms, inspect

    facts, kept = {}, {}
    for name, (model, X) in fitted(folder).items():
        target = os.path.join(folder, "models", name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        inspect.save_variable({"X": X, "model": model}, "model", target, target + ".json")
        with open(target + ".json") as file:
            facts[name] = json.load(file)
        if facts[name]["ok"]:
            answers = forms.answer(model, X)
            kept[name] = (getattr(answers, "to_numpy", lambda: answers)().tolist(), X)
    with open(os.path.join(folder, "kept.pkl"), "wb") as file:
        pickle.dump(kept, file)
    print(json.dumps(facts))


def cells(X):
    for name in X.columns:
        if X[name].dtype.kind in "if":
            yield name, "f8", X[name].astype("float64").to_numpy()
        else:
            yield name, "text", [str(value) for value in X[name]]


def load(folder):
    from levain_runtime.models import Loaded

    with open(os.path.join(folder, "kept.pkl"), "rb") as file:
        kept = pickle.load(file)
    told = {}
    for name, (wanted, X) in kept.items():
        loaded = Loaded(None, os.path.join(folder, "models", name))
        results, errors = loaded.run("model", list(cells(X)), len(X))
        alone, _ = loaded.run("model", list(cells(X.iloc[7:8])), 1)
        answers = list(dict(results)["predict"])
        wanted = [max(range(len(w)), key=w.__getitem__) if isinstance(w, list) else w for w in wanted]
        told[name] = {"answers": len(answers), "same": all(equal(*pair) for pair in zip(answers, wanted)), "alone": equal(list(dict(alone)["predict"])[0], answers[7]), "errors": errors}
    print(json.dumps(told))


def equal(a, b):
    return bool(a == b if isinstance(a, str) else abs(a - b) < 1e-9)


if __name__ == "__main__":
    {"save": save, "load": load}[sys.argv[1]](sys.argv[2])
