"""Evidence of a notebook's day: when it ran, on which Python, with which versions. Nothing is guessed without being said."""

import json
import os
import re
import subprocess

from .notebook import output_text

MAX_FOUND = 200
GIT_TIMEOUT_S = 10
# When a Python was what people used: first and last day of its years as the newest that common distributions shipped.
PYTHON_DAYS = {"2.7": ("2014-01-01", "2018-12-31"), "3.4": ("2014-09-01", "2015-12-31"), "3.5": ("2015-12-01", "2017-06-30"), "3.6": ("2017-02-01", "2019-12-31"), "3.7": ("2018-10-01", "2021-06-30"), "3.8": ("2020-03-01", "2022-06-30"), "3.9": ("2021-02-01", "2023-03-31"), "3.10": ("2022-03-01", "2024-06-30"), "3.11": ("2023-02-01", "2025-03-31"), "3.12": ("2024-03-01", "2026-03-31"), "3.13": ("2025-03-01", "2026-12-31"), "3.14": ("2026-02-01", "2027-12-31")}
VERSIONED = "pandas|numpy|scipy|scikit-learn|sklearn|matplotlib|seaborn|xgboost|lightgbm|catboost|statsmodels|plotly|tensorflow|keras|torch|imbalanced-learn|imblearn|nltk|spacy|gensim|category[-_]encoders|pandas-profiling"
NAMES = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn", "category_encoders": "category-encoders"}

# (pattern in a stored output, package, specifier, what it shows)
SHOWN = [
    (r"C:\\.*?\\python(\d)(\d+)\\|/python(\d\.\d+)/(?:site|dist)-packages", None, None, "path"),
    (r"will be removed in 0\.20|moved to.*model_selection", "scikit-learn", ">=0.18,<0.20", "a warning of scikit-learn 0.18 or 0.19"),
    (r"The default value of n_estimators will change from 10 in version 0\.20", "scikit-learn", ">=0.20,<0.22", "a warning of scikit-learn 0.20 or 0.21"),
    (r"Default solver will be changed to 'lbfgs' in 0\.22", "scikit-learn", ">=0.20,<0.22", "a warning of scikit-learn 0.20 or 0.21"),
    (r"Default multi_class will be changed to 'auto' in 0\.22", "scikit-learn", ">=0.20,<0.22", "a warning of scikit-learn 0.20 or 0.21"),
    (r"default value of gamma will change from 'auto' to 'scale' in version 0\.22", "scikit-learn", ">=0.20,<0.22", "a warning of scikit-learn 0.20 or 0.21"),
    (r"default value of cv will change from 3 to 5 in version 0\.22|value for cv.*will change from 3 to 5", "scikit-learn", ">=0.20,<0.22", "a warning of scikit-learn 0.20 or 0.21"),
    (r"sklearn\.externals\.joblib is deprecated in 0\.21", "scikit-learn", ">=0.21,<0.23", "a warning of scikit-learn 0.21 or 0.22"),
    (r"keyword args?\. From version 0\.25|Pass .* as keyword args", "scikit-learn", ">=0.23,<1.0", "a warning of scikit-learn 0.23 or 0.24"),
    (r"Function load_boston is deprecated|'normalize' was deprecated in version 1\.0|plot_confusion_matrix is deprecated", "scikit-learn", ">=1.0,<1.2", "a warning of scikit-learn 1.0 or 1.1"),
    (r"default value of `n_init` will change from 10 to 'auto' in 1\.4", "scikit-learn", ">=1.2,<1.4", "a warning of scikit-learn 1.2 or 1.3"),
    (r"`sparse` was renamed to `sparse_output` in version 1\.2", "scikit-learn", ">=1.2,<1.4", "a warning of scikit-learn 1.2 or 1.3"),
    (r"'squared' is deprecated in version 1\.4", "scikit-learn", ">=1.4,<1.6", "a warning of scikit-learn 1.4 or 1.5"),
    (r"The SAMME\.R algorithm \(the default\) is deprecated", "scikit-learn", ">=1.4,<1.6", "a warning of scikit-learn 1.4 or 1.5"),
    (r"min_impurity_split=None", "scikit-learn", "<1.0", "an estimator printed with min_impurity_split"),
    (r"presort=(False|'auto'|'deprecated')", "scikit-learn", "<0.24", "an estimator printed with presort"),
    (r"max_features=None, max_leaf_nodes=None|criterion='gini', max_depth=None,", "scikit-learn", "<0.23", "an estimator printed with all its parameters"),
    (r"\biid=('warn'|True|'deprecated')", "scikit-learn", "<0.24", "a search printed with iid"),
    (r"class=\"sk-top-container\"|sk-container-id-\d", "scikit-learn", ">=0.23", "an estimator drawn as a diagram"),
    (r"\.ix is deprecated", "pandas", ">=0.20,<1.0", "a warning of pandas 0.20 to 0.25"),
    (r"Sorting because non-concatenation axis is not aligned", "pandas", ">=0.23,<1.0", "a warning of pandas 0.23 to 0.25"),
    (r"The frame\.append method is deprecated", "pandas", ">=1.4,<2.0", "a warning of pandas 1.4 or 1.5"),
    (r"default value of numeric_only in DataFrame\.\w+ is deprecated|Dropping of nuisance columns", "pandas", ">=1.3,<2.0", "a warning of pandas 1.3 to 1.5"),
    (r"Downcasting (object|behavior)", "pandas", ">=2.2,<3.0", "a warning of pandas 2.2"),
    (r"chained assignment using an inplace method|ChainedAssignmentError", "pandas", ">=2.2", "a warning of pandas 2.2"),
    (r"use_inf_as_na option is deprecated|is_categorical_dtype is deprecated", "pandas", ">=2.1,<3.0", "a warning of pandas 2.1 or 2.2"),
    (r"SettingWithCopyWarning", "pandas", "<3.0", "SettingWithCopyWarning, which pandas 3 no longer gives"),
    (r"`np\.(int|float|bool|object)` is a deprecated alias", "numpy", ">=1.20,<1.24", "a warning of numpy 1.20 to 1.23"),
    (r"`distplot` is a deprecated function", "seaborn", ">=0.11", "a warning of seaborn 0.11"),
    (r"Pass the following variables? as (a )?keyword args?: x", "seaborn", ">=0.11,<0.12", "a warning of seaborn 0.11"),
    (r"`factorplot` function has been renamed", "seaborn", ">=0.9,<0.12", "a warning of seaborn 0.9 to 0.11"),
    (r"'normed' kwarg is deprecated", "matplotlib", ">=2.1,<3.1", "a warning of matplotlib 2.1 to 3.0"),
    (r"seaborn styles shipped by Matplotlib are deprecated since 3\.6", "matplotlib", ">=3.6,<3.8", "a warning of matplotlib 3.6 or 3.7"),
    (r"reg:linear is now deprecated", "xgboost", ">=0.83,<2.0", "a warning of xgboost 0.83 to 1.7"),
    (r"default evaluation metric used with the objective 'binary:logistic' was changed", "xgboost", ">=1.3,<1.6", "a warning of xgboost 1.3 to 1.5"),
    (r"use of label encoder in XGBClassifier is deprecated", "xgboost", ">=1.3,<1.6", "a warning of xgboost 1.3 to 1.5"),
    (r"Parameters: \{ .*use_label_encoder.* \} (might not be used|are not used)", "xgboost", ">=1.6", "a warning of xgboost 1.6 or later"),
]


def collect(document, path):
    """{python, dates, versions, suggestion}: each entry names where it was seen."""
    metadata = document["metadata"]
    dates, versions = [], []
    for cell in document["cells"]:
        dates.extend(_cell_dates(cell))
        for output in cell["outputs"]:
            versions.extend(_shown(output_text(output), cell["number"]))
    dates.extend(_git(path))
    python = _python(metadata) or _shown_python(versions)
    unique = list({(v["package"], v["spec"]): v for v in versions}.values())
    found = {"python": python, "dates": sorted(dates, key=lambda d: d["date"])[-MAX_FOUND:], "versions": unique[:MAX_FOUND], "widgets": _widgets(metadata), "made": _maker(document)}
    found["suggestion"] = suggest(found)
    return found


def _python(metadata):
    info = metadata.get("language_info")
    version = info.get("version") if isinstance(info, dict) else None
    if isinstance(version, str) and re.match(r"\d+\.\d+", version):
        return {"version": version, "from": "the notebook's metadata"}
    papermill = metadata.get("papermill")
    kernel = metadata.get("kernelspec")
    name = " ".join(str(kernel.get(key)) for key in ("name", "display_name")) if isinstance(kernel, dict) else ""
    match = re.search(r"[Pp]ython ?(\d\.\d+)", name)
    if match:
        return {"version": match.group(1), "from": "its kernel, %s" % name[:100]}
    return None if not isinstance(papermill, dict) else None


def _shown_python(versions):
    for entry in versions:
        if entry["package"] == "python":
            return {"version": entry["spec"].lstrip("=").rstrip(".*"), "from": "an output of cell %d" % entry["cell"]}
    return None


def _cell_dates(cell):
    metadata = cell["metadata"]
    for key, value in (("execution", metadata.get("execution")), ("ExecuteTime", metadata.get("ExecuteTime")), ("papermill", metadata.get("papermill"))):
        for text in value.values() if isinstance(value, dict) else ():
            match = re.match(r"(\d{4}-\d\d-\d\d)T", text) if isinstance(text, str) else None
            if match:
                yield {"date": match.group(1), "what": "cell %d ran" % cell["number"]}
                break
    info = metadata.get("executionInfo")
    stamp = info.get("timestamp") if isinstance(info, dict) else None
    if isinstance(stamp, (int, float)) and 1.3e12 < stamp < 4e12:
        import datetime

        yield {"date": datetime.datetime.utcfromtimestamp(stamp / 1000).strftime("%Y-%m-%d"), "what": "cell %d ran in Colab" % cell["number"]}
    for output in cell["outputs"]:
        # Logs of libraries and shells carry their day; a table of data does not count.
        if output.get("output_type") == "stream" and output.get("name") == "stderr":
            match = re.search(r"\b(20[12]\d-[01]\d-[0-3]\d)[ T]\d\d:\d\d:\d\d", output_text(output))
            if match:
                yield {"date": match.group(1), "what": "a log line under cell %d" % cell["number"]}


def _shown(text, cell):
    found = []
    if not text:
        return found
    match = re.search(r"/python(\d\.\d+)/(?:site|dist)-packages", text) or re.search(r"[Pp]ython(\d)(\d+)?\\lib\\site-packages|envs[\\/]py(\d)(\d+)", text)
    if match:
        parts = [part for part in match.groups() if part]
        version = parts[0] if "." in parts[0] else ".".join(parts)
        if "." in version:
            found.append({"package": "python", "spec": "==%s.*" % version, "cell": cell, "why": "a path in the output of cell %d" % cell})
    for pattern, package, spec, why in SHOWN:
        if package and re.search(pattern, text):
            found.append({"package": package, "spec": spec, "cell": cell, "why": "%s, under cell %d" % (why, cell)})
    for match in re.finditer(r"\b(%s)(?:[ \t]*(?:==|-|\s|version|__version__|:|=|'|\")+[ \t]*v?)(\d+\.\d+(?:\.\d+)?)\b(?!\.?\d*%%)" % VERSIONED, text, re.I):
        if re.search(r"Successfully installed|already satisfied|Collecting|[Vv]ersion|^[\w.-]+\s+\d+\.\d+(\.\d+)?\s*$", text[max(0, match.start() - 400) : match.end() + 40], re.M):
            name = match.group(1).lower()
            found.append({"package": NAMES.get(name, name), "spec": "==" + match.group(2), "cell": cell, "why": "its version, printed under cell %d" % cell})
    return found


def _git(path):
    """The day of the file's last commit, where it lies in a Git repository."""
    try:
        done = subprocess.run(["git", "log", "-1", "--format=%cs", "--", os.path.basename(path)], cwd=os.path.dirname(os.path.abspath(path)) or ".", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=GIT_TIMEOUT_S, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
    except (OSError, subprocess.SubprocessError):
        return []
    text = done.stdout.decode("ascii", "replace").strip()
    return [{"date": text, "what": "its last commit"}] if re.match(r"^\d{4}-\d\d-\d\d$", text) else []


def _widgets(metadata):
    """Versions of the widget libraries that the notebook kept the state of."""
    text = json.dumps(metadata.get("widgets", {}))[:2000000] if metadata.get("widgets") else ""
    return sorted(set(re.findall(r'"(?:model|_model|view|_view)_module_version": "([\^~]?\d[\d.]*)"', text)))[:10]


def _maker(document):
    metadata = document["metadata"]
    if "colab" in metadata or any("colab" in cell["metadata"] for cell in document["cells"]):
        return "colab"
    if "kaggle" in metadata or any("_cell_guid" in cell["metadata"] or "_uuid" in cell["metadata"] for cell in document["cells"]):
        return "kaggle"
    return "vscode" if "vscode" in str(metadata)[:5000] else None


def suggest(found):
    """{date, python, why}: the day whose packages would be tried, or None where nothing tells it."""
    python = found["python"]["version"] if found["python"] else None
    minor = ".".join(python.split(".")[:2]) if python else None
    ran = [entry for entry in found["dates"] if entry["what"] != "its last commit"]
    window = PYTHON_DAYS.get(minor)
    if ran:
        return {"date": ran[-1]["date"], "python": minor, "why": "%s on %s" % (ran[-1]["what"], ran[-1]["date"])}
    committed = [entry for entry in found["dates"] if entry["what"] == "its last commit"]
    if window:
        date = min(max(committed[-1]["date"], window[0]), window[1]) if committed else _middle(window)
        return {"date": date, "python": minor, "why": "Python %s (%s)" % (python, found["python"]["from"])}
    if committed:
        return {"date": committed[-1]["date"], "python": None, "why": "its last commit on %s" % committed[-1]["date"]}
    return None


def _middle(window):
    import datetime

    first, last = (datetime.date(*map(int, day.split("-"))) for day in window)
    return (first + (last - first) / 2).isoformat()
