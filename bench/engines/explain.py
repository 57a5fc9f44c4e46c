"""Fits models of 100 trees over 20 features and times the shap package on them, one row at a time and many at once.

Usage: explain.py DIR. Writes DIR/results.json and a pickle a model.
"""

import json
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import shap
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier

# shap keeps at most 100 background rows of its own accord.
BACKGROUND, ROWS = 100, 50
out = Path(sys.argv[1])
X, y = make_classification(6000, 20, n_informative=12, random_state=1)
X = X.astype(np.float32).astype(float)
background, rows = X[:BACKGROUND], X[-ROWS:]


def micros(explain, rows, one):
    """Median µs of CPU a row over repeated calls."""
    explain(rows[:1])
    times = []
    end = time.perf_counter() + 1.5
    while time.perf_counter() < end or len(times) < 5:
        part = rows[len(times) % len(rows)][None] if one else rows
        start = time.process_time()
        explain(part)
        times.append((time.process_time() - start) * 1e6 / len(part))
    return float(np.median(times))


results = []
for name, model in [
    ("boosting-100-depth-5", GradientBoostingClassifier(n_estimators=100, max_depth=5, random_state=0)),
    ("forest-100-depth-8", RandomForestClassifier(100, max_depth=8, random_state=0)),
]:
    model.fit(X, y)
    with open(out / f"{name}.pkl", "wb") as file:
        pickle.dump(model, file)
    same = shap.TreeExplainer(model, data=background, feature_perturbation="interventional")
    path = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    values = np.asarray(same.shap_values(rows, check_additivity=False))
    results.append(
        {
            "name": name,
            "file": str(out / f"{name}.pkl"),
            "background": background.tolist(),
            "rows": rows.tolist(),
            "values": (values[..., 1] if values.ndim == 3 else values).tolist(),
            "times": {
                "same, one row": micros(lambda r: same.shap_values(r, check_additivity=False), rows, True),
                "same, 50 rows": micros(lambda r: same.shap_values(r, check_additivity=False), rows, False),
                "path-dependent, one row": micros(lambda r: path.shap_values(r, check_additivity=False), rows, True),
                "path-dependent, 50 rows": micros(lambda r: path.shap_values(r, check_additivity=False), rows, False),
            },
        }
    )
(out / "results.json").write_text(json.dumps(results))
