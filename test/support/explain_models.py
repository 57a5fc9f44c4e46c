"""Fits models and writes what the shap package says of their answers, beside the same background rows.

Usage: explain_models.py DIR. Writes DIR/manifest.json: for every model its file, rows, background, base values and contributions.
"""

import json
import pickle
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import shap
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

out = Path(sys.argv[1])
BACKGROUND, ROWS = 40, 6
manifest = []


def data(loader, columns=8):
    found = loader(as_frame=True)
    # shap compares with thresholds in float64 where scikit-learn rounds to float32: values that are the same in both, and apart from each other.
    frame = (found.data.iloc[:, :columns].sample(frac=1, random_state=3) * 1024).round() / 1024
    return frame, found.target.loc[frame.index]


def keep(name, model, X, base, values, scale):
    """`base` and `values` by class for classifiers: rows x columns x classes; else rows x columns."""
    with open(out / f"{name}.pkl", "wb") as file:
        pickle.dump(model, file)
    background, rows = X.iloc[:BACKGROUND], X.iloc[-ROWS:]
    manifest.append(
        {
            "name": name,
            "file": f"{name}.pkl",
            "scale": scale,
            "columns": list(X.columns),
            "background": background.astype(float).values.tolist(),
            "rows": rows.astype(float).values.tolist(),
            "predict": [x.item() if hasattr(x, "item") else x for x in model.predict(rows)],
            "base": np.atleast_1d(base).tolist(),
            "values": np.asarray(values).tolist(),
        }
    )


def trees(name, model, X, y, scale):
    model.fit(X, y)
    explainer = shap.TreeExplainer(model, data=X.iloc[:BACKGROUND], feature_perturbation="interventional")
    values = explainer.shap_values(X.iloc[-ROWS:], check_additivity=False)
    keep(name, model, X, explainer.expected_value, values, scale)


def linear(name, model, X, y, scale):
    model.fit(X, y)
    explainer = shap.LinearExplainer(model, shap.maskers.Independent(X.iloc[:BACKGROUND], max_samples=BACKGROUND))
    keep(name, model, X, explainer.expected_value, explainer.shap_values(X.iloc[-ROWS:]), scale)


def pipeline(name, model, X, y, scale, ask):
    """Exact Shapley values over the raw columns of a whole pipeline, by every mixture of them."""
    model.fit(X, y)
    masker = shap.maskers.Independent(X.iloc[:BACKGROUND].values.astype(float), max_samples=BACKGROUND)
    explain = shap.explainers.Exact(lambda v: ask(model, pd.DataFrame(v, columns=X.columns)), masker)
    found = explain(X.iloc[-ROWS:].values.astype(float))
    keep(name, model, X, found.base_values[0], found.values, scale)


cancer, wine, diabetes = data(load_breast_cancer), data(load_wine), data(load_diabetes)
trees("tree", DecisionTreeClassifier(max_depth=4, random_state=0), *cancer, "probability")
trees("tree-three", DecisionTreeClassifier(random_state=0), *wine, "probability")
trees("tree-number", DecisionTreeRegressor(max_depth=6, random_state=0), *diabetes, "response")
trees("forest", RandomForestClassifier(20, random_state=0), *cancer, "probability")
trees("forest-three", RandomForestClassifier(20, random_state=0), *wine, "probability")
trees("forest-number", RandomForestRegressor(20, random_state=0), *diabetes, "response")
trees("extra-number", ExtraTreesRegressor(20, random_state=0), *diabetes, "response")
trees("boosting", GradientBoostingClassifier(n_estimators=40, random_state=0), *cancer, "logit")
trees("boosting-number", GradientBoostingRegressor(n_estimators=40, random_state=0), *diabetes, "response")
trees("hist", HistGradientBoostingClassifier(max_iter=30, random_state=0), *cancer, "logit")
trees("hist-three", HistGradientBoostingClassifier(max_iter=15, random_state=0), *wine, "score")
trees("hist-number", HistGradientBoostingRegressor(max_iter=30, random_state=0), *diabetes, "response")
linear("ridge", Ridge(), *diabetes, "response")
linear("logistic", LogisticRegression(max_iter=5000), *cancer, "logit")
linear("logistic-three", LogisticRegression(max_iter=5000), *wine, "score")


def mixed(frame, target, seed=5):
    rng = np.random.default_rng(seed)
    X = frame.iloc[:, :4].copy()
    X["plan"] = rng.integers(0, 4, len(X)).astype(float)
    X["city"] = rng.integers(0, 3, len(X)).astype(float)
    return X, target


def prepared(estimator):
    encode = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_pipeline(
        ColumnTransformer([("codes", encode, ["plan", "city"])], remainder=StandardScaler()), estimator
    )


X, y = mixed(*cancer)
decision = lambda model, frame: model.decision_function(frame)  # noqa: E731
pipeline("pipe-logistic", prepared(LogisticRegression(max_iter=5000)), X, y, "logit", decision)
pipeline("pipe-boosting", prepared(GradientBoostingClassifier(n_estimators=30, random_state=0)), X, y, "logit", decision)
probability = lambda model, frame: model.predict_proba(frame)[:, 1]  # noqa: E731
pipeline("pipe-forest", prepared(RandomForestClassifier(15, random_state=0)), X, y, "probability", probability)
X, y = mixed(*diabetes)
value = lambda model, frame: model.predict(frame)  # noqa: E731
pipeline("pipe-number", prepared(HistGradientBoostingRegressor(max_iter=20, random_state=0)), X, y, "response", value)

(out / "manifest.json").write_text(json.dumps(manifest))
