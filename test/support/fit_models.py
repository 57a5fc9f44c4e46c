"""Fits scikit-learn models on its bundled data, with missing values and categories, and writes each in several containers.

Usage: fit_models.py DIR. Writes DIR/manifest.json: for every model its files, the rows and what scikit-learn answers.
"""

import json
import math
import pickle
import sys
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pandas as pd
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

out = Path(sys.argv[1])
rng = np.random.default_rng(7)


def frame(loader):
    data = loader(as_frame=True)
    return data.data, data.target


def holes(X, share=0.1):
    X = X.copy()
    X[rng.random(X.shape) < share] = np.nan
    return X


cancer, cancer_y = frame(load_breast_cancer)
wine, wine_y = frame(load_wine)
diabetes, diabetes_y = frame(load_diabetes)
wine_names = pd.Series(np.array(["red", "rosé", "weiß"])[wine_y])

n = 900
flights = pd.DataFrame(
    {
        "origin": rng.choice(["ATL", "ORD", "JFK", "LAX", "DFW"], n),
        "destination": rng.choice(["SEA", "BOS", "MIA", "SFO"], n),
        "hour": rng.integers(0, 24, n),
        "weekday": rng.integers(0, 7, n),
        "distance": rng.integers(100, 2800, n).astype(float),
    }
)
late = (flights.hour / 24 + (flights.origin == "ORD") * 0.4 + rng.normal(0, 0.3, n) > 0.7).astype(int)
odd_flights = flights.head(60).copy()
odd_flights.loc[3, "origin"] = "XXX"
odd_flights.loc[7, "destination"] = None
odd_flights.loc[9, "distance"] = np.nan
flight_types = flights.astype({"origin": "category", "destination": "category"})

churn = pd.DataFrame(
    {
        "plan": rng.choice(["basic", "plus", "pro", None], n, p=[0.4, 0.3, 0.2, 0.1]),
        "region": rng.choice(["north", "south", "east"], n),
        "tenure": rng.integers(0, 72, n).astype(float),
        "monthly": rng.normal(70, 30, n),
    }
)
churn.loc[rng.random(n) < 0.1, "tenure"] = np.nan
churned = np.where((churn.tenure.fillna(5) < 20) & (rng.random(n) < 0.7), "Yes", "No")
numbers = ["tenure", "monthly"]
texts = ["plan", "region"]


def churn_steps(encoder):
    numeric = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    return ColumnTransformer([("numbers", numeric, numbers), ("texts", encoder, texts)])


def flights_pipeline():
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer(
        [
            ("places", encoder, ["origin", "destination"]),
            ("numbers", "passthrough", ["hour", "weekday", "distance"]),
        ]
    )
    boosting = HistGradientBoostingClassifier(categorical_features=[0, 1], max_iter=40, random_state=0)
    return Pipeline([("columns", columns), ("model", boosting)])


# name → estimator, rows to fit, target, rows to predict, columns that are categories
MODELS = {
    "linear": (LinearRegression(), diabetes, diabetes_y, diabetes),
    "ridge": (Ridge(), diabetes, diabetes_y, diabetes),
    "lasso": (Lasso(alpha=0.1), diabetes, diabetes_y, diabetes),
    "sgd-regressor": (make_pipeline(StandardScaler(), SGDRegressor(random_state=0)), diabetes, diabetes_y, diabetes),
    "logistic": (make_pipeline(StandardScaler(), LogisticRegression()), cancer, cancer_y, cancer),
    "logistic-many": (make_pipeline(MinMaxScaler(), LogisticRegression()), wine, wine_names, wine),
    "sgd-log": (make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)), wine, wine_y, wine),
    "sgd-huber": (make_pipeline(StandardScaler(), SGDClassifier(loss="modified_huber", random_state=0)), wine, wine_y, wine),
    "sgd-huber-two": (
        make_pipeline(StandardScaler(), SGDClassifier(loss="modified_huber", random_state=0)),
        cancer,
        cancer_y,
        cancer,
    ),
    "sgd-hinge": (make_pipeline(RobustScaler(), SGDClassifier(random_state=0)), cancer, cancer_y, cancer),
    "ridge-classifier": (RidgeClassifier(), wine, wine_names, wine),
    "scalers": (
        make_pipeline(MaxAbsScaler(), RobustScaler(), MinMaxScaler(clip=True), LinearRegression()),
        diabetes.head(300),
        diabetes_y.head(300),
        diabetes,
    ),
    "imputed": (
        make_pipeline(SimpleImputer(add_indicator=True), StandardScaler(), LogisticRegression(max_iter=500)),
        holes(cancer),
        cancer_y,
        holes(cancer),
    ),
    "onehot": (
        make_pipeline(churn_steps(OneHotEncoder(handle_unknown="ignore", min_frequency=120)), LogisticRegression()),
        churn,
        churned,
        churn,
    ),
    "onehot-drop": (
        make_pipeline(churn_steps(OneHotEncoder(drop="first")), LogisticRegression()),
        churn,
        churned,
        churn,
    ),
    "union": (
        make_pipeline(
            FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())], transformer_weights={"a": 0.5}),
            FunctionTransformer(np.abs),
            FunctionTransformer(np.log1p),
            LinearRegression(),
        ),
        diabetes,
        diabetes_y,
        diabetes,
    ),
    "tree": (DecisionTreeClassifier(random_state=0), holes(wine), wine_names, holes(wine)),
    "tree-regressor": (DecisionTreeRegressor(max_depth=6, random_state=0), holes(diabetes), diabetes_y, holes(diabetes)),
    "forest": (RandomForestClassifier(30, random_state=0), holes(cancer), cancer_y, holes(cancer)),
    "forest-many": (RandomForestClassifier(17, random_state=0), wine, wine_names, wine),
    "forest-regressor": (RandomForestRegressor(20, random_state=0), diabetes, diabetes_y, diabetes),
    "extra": (ExtraTreesClassifier(15, random_state=0), holes(wine), wine_y, holes(wine)),
    "extra-regressor": (ExtraTreesRegressor(15, random_state=0), diabetes, diabetes_y, diabetes),
    "boosting": (GradientBoostingClassifier(n_estimators=40, random_state=0), cancer, cancer_y, cancer),
    "boosting-exponential": (
        GradientBoostingClassifier(n_estimators=20, loss="exponential", random_state=0),
        cancer,
        cancer_y,
        cancer,
    ),
    "boosting-many": (GradientBoostingClassifier(n_estimators=20, random_state=0), wine, wine_names, wine),
    "boosting-init": (
        GradientBoostingClassifier(n_estimators=10, init=RandomForestClassifier(5, random_state=1), random_state=0),
        wine,
        wine_y,
        wine,
    ),
    "boosting-zero": (GradientBoostingClassifier(n_estimators=10, init="zero", random_state=0), cancer, cancer_y, cancer),
    "boosting-regressor": (
        GradientBoostingRegressor(n_estimators=30, loss="huber", random_state=0),
        diabetes,
        diabetes_y,
        diabetes,
    ),
    "hist": (HistGradientBoostingClassifier(max_iter=30, random_state=0), holes(cancer), cancer_y, holes(cancer)),
    "hist-many": (HistGradientBoostingClassifier(max_iter=10, random_state=0), holes(wine), wine_names, holes(wine)),
    "hist-poisson": (
        HistGradientBoostingRegressor(max_iter=20, loss="poisson", random_state=0),
        diabetes,
        diabetes_y,
        diabetes,
    ),
    "hist-regressor": (HistGradientBoostingRegressor(max_iter=20, random_state=0), holes(diabetes), diabetes_y, holes(diabetes)),
    "flights": (flights_pipeline(), flights, late, odd_flights),
    "flights-types": (
        HistGradientBoostingClassifier(categorical_features="from_dtype", max_iter=40, random_state=0),
        flight_types,
        late,
        odd_flights.astype({"origin": flight_types.origin.dtype, "destination": flight_types.destination.dtype}),
    ),
    "calibrated-sigmoid": (
        CalibratedClassifierCV(make_pipeline(StandardScaler(), LogisticRegression()), cv=3),
        cancer,
        cancer_y,
        cancer,
    ),
    "calibrated-isotonic": (
        CalibratedClassifierCV(RandomForestClassifier(5, random_state=0), cv=3, method="isotonic"),
        wine,
        wine_names,
        wine,
    ),
    "calibrated-hist": (
        CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=5, random_state=0), cv=2, method="isotonic"),
        cancer,
        cancer_y,
        cancer,
    ),
    "search": (
        GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [0.1, 1]}, cv=3),
        cancer,
        cancer_y,
        cancer,
    ),
    "selector": (
        make_pipeline(
            ColumnTransformer(
                [
                    ("n", SimpleImputer(strategy="mean"), make_column_selector(dtype_include="number")),
                    ("t", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), texts),
                ],
            ),
            RandomForestClassifier(10, random_state=0),
        ),
        churn,
        churned,
        churn,
    ),
    "remainder": (
        make_pipeline(
            ColumnTransformer([("t", OrdinalEncoder(encoded_missing_value=-2), texts)], remainder="passthrough"),
            HistGradientBoostingClassifier(max_iter=10, random_state=0),
        ),
        churn,
        churned,
        churn,
    ),
    "no-names": (RandomForestClassifier(5, random_state=0), wine.to_numpy(), wine_y, wine.to_numpy()),
    "true-false": (LogisticRegression(max_iter=5000), wine, wine_y == 1, wine),
}


def plain(value):
    if value is None or value is pd.NA:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else None
    return str(value)


def columns_of(rows):
    if isinstance(rows, np.ndarray):
        rows = pd.DataFrame(rows, columns=["x%d" % i for i in range(rows.shape[1])])
    return [{"name": str(name), "values": [plain(v) for v in rows[name]]} for name in rows.columns]


def write(model, name):
    files = []
    for protocol in (range(6) if name in ("forest", "flights", "onehot") else (2, 5)):
        files.append("%s.p%d.pkl" % (name, protocol))
        (out / files[-1]).write_bytes(pickle.dumps(model, protocol=protocol))
    files.append(name + ".joblib")
    joblib.dump(model, out / files[-1])
    files.append(name + ".z.joblib")
    joblib.dump(model, out / files[-1], compress=("zlib", 3))
    files.append(name + ".gz.joblib")
    joblib.dump(model, out / files[-1], compress=("gzip", 3))
    files.append(name + ".cloudpickle")
    (out / files[-1]).write_bytes(cloudpickle.dumps(model))
    try:
        skops.io.dump(model, out / (name + ".skops"))
        files.append(name + ".skops")
    except Exception as error:  # skops cannot store everything that pickle can
        print("skops refuses", name, error, file=sys.stderr)
    return files


manifest = []
for name, (model, X, y, rows) in MODELS.items():
    model.fit(X, y)
    entry = {
        "name": name,
        "files": write(model, name),
        "rowCount": len(rows),
        "columns": columns_of(rows),
        "predict": [plain(v) for v in model.predict(rows)],
    }
    if hasattr(model, "classes_"):
        entry["classes"] = [plain(v) for v in model.classes_]
    if hasattr(model, "predict_proba"):
        entry["probabilities"] = model.predict_proba(rows).T.tolist()
    manifest.append(entry)
(out / "manifest.json").write_text(json.dumps(manifest))
