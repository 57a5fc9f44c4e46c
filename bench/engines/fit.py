"""Fits the benchmark's models, times scikit-learn on 1 and 100 rows (median of many), and writes models, rows and times to DIR."""

import json
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, StandardScaler

out = Path(sys.argv[1])
rng = np.random.default_rng(0)
n, features = 5000, 20
X = pd.DataFrame(rng.normal(size=(n, features)), columns=["f%d" % i for i in range(features)])
y = (X.f0 + X.f1 * X.f2 + rng.normal(size=n) > 0).astype(int)
places = pd.DataFrame({"origin": rng.choice(list("abcdefgh"), n), "destination": rng.choice(list("stuvwxyz"), n)})
mixed = pd.concat([places, X.iloc[:, :3]], axis=1)
encode = ColumnTransformer(
    [
        ("t", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["origin", "destination"]),
        ("n", "passthrough", ["f0", "f1", "f2"]),
    ]
)
MODELS = {
    "logistic regression, scaled": (make_pipeline(StandardScaler(), LogisticRegression()), X),
    "gradient boosting 100 x depth 5": (GradientBoostingClassifier(n_estimators=100, max_depth=5), X),
    "histogram boosting 100 x 31 leaves": (HistGradientBoostingClassifier(), X),
    "encoders + histogram boosting": (
        make_pipeline(encode, HistGradientBoostingClassifier(categorical_features=[0, 1])),
        mixed,
    ),
    "forest of 150 full trees": (RandomForestClassifier(150), X),
}


def median_us(run, seconds=0.6):
    run()
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 7:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2] * 1e6


results = []
for i, (name, (model, rows)) in enumerate(MODELS.items()):
    model.fit(rows, y)
    path = out / ("model%d.pkl" % i)
    path.write_bytes(pickle.dumps(model, protocol=5))
    times = {str(k): median_us(lambda k=k: model.predict_proba(rows.iloc[:k])) for k in (1, 100, 5000)}
    columns = [{"name": c, "values": rows[c].tolist()} for c in rows]
    results.append({"name": name, "file": str(path), "rowCount": n, "columns": columns, "times": times})
(out / "results.json").write_text(json.dumps(results))
