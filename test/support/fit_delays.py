"""Fits a small model of late trips, whose features come from features.py, into an MLflow model folder.

usage: fit_delays.py CSV FOLDER ROWS [MODULE_DIR]
"""

import os
import pickle
import sys

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

csv, folder, rows, module_dir = sys.argv[1:5]
sys.path.insert(0, module_dir)
from features import features  # noqa: E402

df = pd.read_csv(csv).head(int(rows))
model = Pipeline(
    [
        (
            "prepare",
            ColumnTransformer(
                [("codes", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["origin"])],
                remainder="passthrough",
            ),
        ),
        ("trees", HistGradientBoostingClassifier(categorical_features=[0], max_iter=40, random_state=0)),
    ]
)
model.fit(features(df), (df["delay"] > 15).astype(int))
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "model.pkl"), "wb") as out:
    pickle.dump(model, out)
with open(os.path.join(folder, "MLmodel"), "w") as out:
    out.write("flavors:\n  sklearn:\n    pickled_model: model.pkl\n    serialization_format: cloudpickle\n")
