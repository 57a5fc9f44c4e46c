"""The everyday workflow of scikit-learn users, with an unchanged client. Prints one JSON object; a failed check raises."""
import json
import math
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

# The requirements of a model are inferred by importing it in a fresh process, a minute here; they are given instead.
PIP = ["scikit-learn"]
EXPERIMENT = f"workflow-{os.getpid()}"


def raises(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, str(error))
        return str(error)
    raise AssertionError(f"expected {code}")


def tracking(out):
    experiment = mlflow.get_experiment_by_name(EXPERIMENT)
    assert experiment.artifact_location.startswith("mlflow-artifacts:/")
    with mlflow.start_run(run_name="parent", description="a parent") as parent:
        mlflow.log_param("lr", 0.1)
        mlflow.log_params({"depth": 3, "long": "x" * 7000})
        mlflow.set_tags({"team": "red", "my tag": "1"})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"nan": float("nan"), "inf": float("inf")}, step=1)
        for i in range(3):
            with mlflow.start_run(run_name=f"child-{i}", nested=True):
                mlflow.log_metric("acc", i / 10)
                mlflow.log_param("i", i)
        raises("INVALID_PARAMETER_VALUE", mlflow.log_param, "lr", 0.2)
        frame = pd.DataFrame({"x": [1.0, 2.0], "y": [0, 1]})
        mlflow.log_input(mlflow.data.from_pandas(frame, name="frame", targets="y"), context="training")
    run = mlflow.get_run(parent.info.run_id)
    assert run.info.status == "FINISHED" and run.info.end_time is not None
    assert run.data.params["depth"] == "3" and len(run.data.params["long"]) == 6000
    assert run.data.metrics["loss"] == 0.2 and math.isnan(run.data.metrics["nan"])
    assert run.data.metrics["inf"] == sys.float_info.max
    assert run.data.tags["mlflow.note.content"] == "a parent"
    assert run.inputs.dataset_inputs[0].dataset.name == "frame"
    history = MlflowClient().get_metric_history(parent.info.run_id, "loss")
    assert [m.step for m in history] == [0, 1, 2, 3, 4]
    children = mlflow.search_runs(
        filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'", order_by=["metrics.acc DESC"]
    )
    assert list(children["metrics.acc"]) == [0.2, 0.1, 0.0], children
    assert list(children["params.i"]) == ["2", "1", "0"]
    assert len(mlflow.search_runs(filter_string="metrics.acc > 0.05 and params.i LIKE '1'")) == 1
    assert len(mlflow.search_runs(filter_string="dataset.name = 'frame'")) == 1
    assert len(mlflow.search_runs(search_all_experiments=True, max_results=2)) == 2
    raises("INVALID_PARAMETER_VALUE", mlflow.search_runs, filter_string="metrics.acc > 'a'")
    out["parent"] = parent.info.run_id


def batches(out):
    client = MlflowClient()
    run = client.create_run(mlflow.get_experiment_by_name(EXPERIMENT).experiment_id)
    run_id = run.info.run_id
    metrics = [Metric("m", float(i), 1000 + i, i) for i in range(2500)]
    params = [Param(f"p{i}", str(i)) for i in range(250)]
    tags = [RunTag(f"t{i}", str(i)) for i in range(250)]
    mlflow.log_metrics({f"k{i}": float(i) for i in range(1200)}, run_id=run_id, synchronous=True)
    for at in range(0, 2500, 1000):
        client.log_batch(run_id, metrics=metrics[at : at + 1000])
        client.log_batch(run_id, metrics=metrics[at : at + 1000])
    for at in range(0, 250, 100):
        client.log_batch(run_id, params=params[at : at + 100], tags=tags[at : at + 100])
    read = client.get_run(run_id)
    assert len(read.data.params) == 250 and len(read.data.tags) >= 250
    assert len(read.data.metrics) == 1201 and read.data.metrics["m"] == 2499.0
    assert len(client.get_metric_history(run_id, "m")) == 2500
    client.log_batch(run_id)
    message = raises("INVALID_PARAMETER_VALUE", client.log_batch, run_id, params=[Param("p1", "other")])
    assert "was already logged" in message or "were already logged" in message, message
    client.set_terminated(run_id, "FAILED")
    client.delete_run(run_id)
    raises("INVALID_PARAMETER_VALUE", client.log_metric, run_id, "m", 1.0)
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1.0, step=9999)
    raises("RESOURCE_DOES_NOT_EXIST", client.get_run, "nope")
    out["batch"] = run_id


def artifacts(out):
    with mlflow.start_run(run_name="files") as run:
        mlflow.log_text("hällo", "texts/a b.txt")
        mlflow.log_dict({"a": 1}, "conf/a.json")
        mlflow.log_table({"x": [1, 2]}, "table.json")
        with tempfile.TemporaryDirectory() as folder:
            os.makedirs(os.path.join(folder, "deep/er"))
            blob = np.random.default_rng(1).bytes(3_000_000)
            with open(os.path.join(folder, "deep/er/blob.bin"), "wb") as file:
                file.write(blob)
            mlflow.log_artifacts(folder, "folder")
    run_id = run.info.run_id
    client = MlflowClient()
    listed = sorted((f.path, f.is_dir) for f in client.list_artifacts(run_id))
    assert listed == [("conf", True), ("folder", True), ("table.json", False), ("texts", True)], listed
    assert [f.path for f in client.list_artifacts(run_id, "folder/deep")] == ["folder/deep/er"]
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/texts/a b.txt") == "hällo"
    assert mlflow.artifacts.load_dict(f"runs:/{run_id}/conf/a.json") == {"a": 1}
    assert len(mlflow.load_table("table.json", run_ids=[run_id])) == 2
    local = mlflow.artifacts.download_artifacts(f"runs:/{run_id}/folder")
    with open(os.path.join(local, "deep/er/blob.bin"), "rb") as file:
        assert file.read() == blob
    out["files"] = run_id


def models(out):
    x, y = load_iris(return_X_y=True, as_frame=True)
    with mlflow.start_run(run_name="explicit") as run:
        model = LogisticRegression(max_iter=300).fit(x, y)
        mlflow.log_metric("training_by_hand", 1.0)
        skops = mlflow.sklearn.log_model(model, name="model", pip_requirements=PIP, serialization_format="skops")
        cloud = mlflow.sklearn.log_model(model, name="cloud", pip_requirements=PIP, serialization_format="cloudpickle")
        mlflow.log_metric("late", 0.5, model_id=skops.model_id)
    for info in (skops, cloud):
        assert (mlflow.sklearn.load_model(info.model_uri).predict(x) == model.predict(x)).all()
        assert (mlflow.pyfunc.load_model(info.model_uri).predict(x) == model.predict(x)).all()
    logged = mlflow.get_logged_model(skops.model_id)
    assert logged.status == "READY" and logged.source_run_id == run.info.run_id
    found = mlflow.search_logged_models(filter_string=f"source_run_id = '{run.info.run_id}'", output_format="list")
    assert {m.model_id for m in found} == {skops.model_id, cloud.model_id}
    best = mlflow.search_logged_models(
        filter_string="metrics.late > 0.4", order_by=[{"field_name": "metrics.late", "ascending": False}], output_format="list"
    )
    assert [m.model_id for m in best] == [skops.model_id]
    mlflow.set_logged_model_tags(skops.model_id, {"a": "b"})
    mlflow.delete_logged_model_tag(skops.model_id, "a")
    assert len(mlflow.get_run(run.info.run_id).outputs.model_outputs) == 2
    out["explicit"] = run.info.run_id
    mlflow.sklearn.autolog(log_model_signatures=False, extra_tags={"auto": "1"})
    with mlflow.start_run(run_name="autolog") as run:
        search = GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1.0]}, cv=2).fit(x, y)
        mine = mlflow.sklearn.log_model(search.best_estimator_, name="model", pip_requirements=PIP)
    mlflow.sklearn.autolog(disable=True)
    out["autolog"] = run.info.run_id
    out["mine"] = mine.model_id
    read = mlflow.get_run(run.info.run_id)
    assert "training_accuracy_score" in read.data.metrics and read.data.params["best_C"]
    assert read.data.tags["estimator_name"] == "GridSearchCV"


def experiments(out):
    client = MlflowClient()
    made = client.create_experiment("second", tags={"k": "v"})
    raises("RESOURCE_ALREADY_EXISTS", client.create_experiment, "second")
    client.rename_experiment(made, "renamed")
    assert client.get_experiment_by_name("second") is None
    assert [e.name for e in client.search_experiments(filter_string="tags.k = 'v'")] == ["renamed"]
    client.delete_experiment(made)
    raises("INVALID_PARAMETER_VALUE", client.create_run, made)
    client.restore_experiment(made)
    client.set_experiment_tag(made, "k", "w")
    assert client.get_experiment(made).tags == {"k": "w"}
    out["second"] = made


def registry(out):
    client = MlflowClient()
    x, y = load_iris(return_X_y=True, as_frame=True)
    model = LogisticRegression(max_iter=300).fit(x, y)
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(model, name="model", pip_requirements=PIP, registered_model_name="iris")
        again = mlflow.sklearn.log_model(model, name="other", pip_requirements=PIP, registered_model_name="iris")
    assert (int(info.registered_model_version), int(again.registered_model_version)) == (1, 2)
    raises("RESOURCE_ALREADY_EXISTS", client.create_registered_model, "iris")
    raises("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, "nope")
    raises("RESOURCE_DOES_NOT_EXIST", client.get_model_version, "iris", "9")
    raises("INVALID_PARAMETER_VALUE", client.set_registered_model_alias, "iris", "v1", "1")
    client.set_registered_model_alias("iris", "champion", "1")
    client.set_registered_model_alias("iris", "champion", "2")
    client.set_registered_model_alias("iris", "old", "1")
    assert client.get_model_version_by_alias("iris", "champion").version == "2"
    assert client.get_registered_model("iris").aliases == {"champion": "2", "old": "1"}
    client.delete_registered_model_alias("iris", "old")
    client.set_model_version_tag("iris", "1", "quality", "good")
    client.set_registered_model_tag("iris", "team", "red")
    client.update_registered_model("iris", "flowers")
    client.update_model_version("iris", "1", "the first")
    version = client.get_model_version("iris", "1")
    assert version.tags == {"quality": "good"} and version.description == "the first"
    assert version.run_id == run.info.run_id and version.status == "READY" and version.current_stage == "None"
    for uri in ("models:/iris/1", "models:/iris@champion", "models:/iris/latest"):
        assert (mlflow.pyfunc.load_model(uri).predict(x) == model.predict(x)).all(), uri
    client.transition_model_version_stage("iris", "1", "production")
    client.transition_model_version_stage("iris", "2", "Production", archive_existing_versions=True)
    assert client.get_model_version("iris", "1").current_stage == "Archived"
    assert [v.version for v in client.get_latest_versions("iris", ["Production"])] == ["2"]
    raises("INVALID_PARAMETER_VALUE", client.transition_model_version_stage, "iris", "1", "bogus")
    assert (mlflow.sklearn.load_model("models:/iris/Production").predict(x) == model.predict(x)).all()
    assert [m.name for m in client.search_registered_models("name LIKE 'ir%' AND tags.team = 'red'")] == ["iris"]
    found = client.search_model_versions("name = 'iris'", order_by=["version_number ASC"])
    assert [v.version for v in found] == ["1", "2"]
    assert [v.version for v in client.search_model_versions(f"run_id = '{run.info.run_id}' and tags.quality = 'good'")] == ["1"]
    copied = client.copy_model_version("models:/iris/1", "iris-copy")
    assert copied.version == "1"
    assert (mlflow.pyfunc.load_model("models:/iris-copy/1").predict(x) == model.predict(x)).all()
    registrations = json.loads(mlflow.get_logged_model(info.model_id).tags["mlflow.modelVersions"])
    assert {(r["name"], int(r["version"])) for r in registrations} >= {("iris", 1)} and len(registrations) == len(
        {(r["name"], int(r["version"])) for r in registrations}
    ), registrations
    client.rename_registered_model("iris-copy", "iris-two")
    raises("RESOURCE_DOES_NOT_EXIST", client.get_registered_model, "iris-copy")
    client.delete_model_version("iris-two", "1")
    raises("RESOURCE_DOES_NOT_EXIST", client.get_model_version, "iris-two", "1")
    client.delete_registered_model("iris-two")
    raises("INVALID_PARAMETER_VALUE", client.create_model_version, "iris", "/etc/passwd")
    prompt = mlflow.genai.register_prompt(name="greeting", template="Hello {{name}}")
    assert prompt.version == 1 and mlflow.genai.load_prompt("prompts:/greeting/1").template == "Hello {{name}}"
    assert [m.name for m in client.search_registered_models()] == ["iris"]
    out["version"] = "2"


if __name__ == "__main__":
    result = {}
    mlflow.set_experiment(EXPERIMENT)
    for part in sys.argv[1:]:
        globals()[part](result)
    print(json.dumps(result))
