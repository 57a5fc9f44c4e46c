"""Runs cells as a notebook's kernel does, traced, in a forked process of their own: a trace cannot be taken out again."""

import contextlib
import io
import json
import os
import sys
import tempfile
import traceback

import pandas  # noqa: F401  (loaded once, before the forks)
import sklearn.ensemble  # noqa: F401
import sklearn.linear_model  # noqa: F401
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

IMPORTS = """import os, pickle
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.tree import DecisionTreeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler, LabelEncoder, OneHotEncoder
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.cluster import KMeans
from sklearn.model_selection import train_test_split, GridSearchCV, cross_val_score, KFold
from sklearn.metrics import accuracy_score, mean_squared_error"""


def customers(folder, rows=400):
    """A table with a target in words, a gap and a column of words."""
    import numpy

    rng = numpy.random.RandomState(0)
    frame = pandas.DataFrame({"id": range(rows), "age": rng.randint(18, 80, rows).astype(float), "income": rng.lognormal(10, 1, rows)})
    frame["city"] = rng.choice(["oslo", "paris", "rome"], rows)
    frame["churn"] = numpy.where(frame.age / 80 + frame.income / 50000 + rng.rand(rows) / 2 > 1.2, "yes", "no")
    frame["price"] = frame.age * 2 + frame.income / 1000 + rng.rand(rows)
    frame.loc[5, "age"] = numpy.nan
    frame.to_csv(os.path.join(folder, "churn.csv"), index=False)


READ = """df = pd.read_csv('churn.csv')
df['age'] = df['age'].fillna(df['age'].mean())
df['churn'] = df['churn'].map({'yes': 1, 'no': 0})
df = pd.get_dummies(df, columns=['city'])
X = df.drop(columns=['churn', 'id', 'price']); y = df['churn']
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.25, random_state=0)"""


def run(cells, ask, config=None, prepare=customers):
    """Runs the cells in a folder of their own and gives back what ``ask(shell, trace)`` answers (plain values)."""
    with tempfile.TemporaryDirectory() as work:
        folder = os.path.join(os.path.realpath(work), "src")
        os.mkdir(folder)
        prepare(folder)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            answer = {"failed": "the child ended early"}
            try:
                answer = {"answer": _in_child(folder, cells, ask, config or {})}
            except BaseException:
                answer = {"failed": traceback.format_exc()}
            finally:
                with os.fdopen(writing, "w") as pipe:
                    json.dump(answer, pipe, default=str)
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            answer = json.load(pipe)
        os.waitpid(child, 0)
    if "failed" in answer:
        raise AssertionError(answer["failed"])
    return answer["answer"]


def _in_child(folder, cells, ask, config):
    import levain_runtime.adopt.trace as trace

    os.chdir(folder)
    sys.path.insert(0, folder)
    settings = Config()
    settings.HistoryManager.enabled = False
    shell = InteractiveShell(config=settings)
    trace.install(shell, dict({"root": folder}, **config))
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for number, cell in enumerate(cells, 1):
            trace.next_cell(number)
            shell.run_cell(cell, store_history=True)
    trace.CURRENT.said = said.getvalue()
    return ask(shell, trace.CURRENT)


def report(cells, wanted=None, config=None, prepare=customers):
    """candidates.json of the cells, and the names of what went wrong in the trace itself."""

    def ask(shell, trace):
        from levain_runtime.adopt import candidates

        return candidates.report(shell, os.path.abspath("candidates.json"), wanted)

    found = run(cells, ask, config, prepare)
    if found["faults"]:
        raise AssertionError(found["faults"])
    return found


def chosen(found):
    """The candidate that was chosen, or the reason why none was."""
    return found["reason"] if found["chosen"] is None else found["candidates"][found["chosen"]]
