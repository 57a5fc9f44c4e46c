"""Lints for production: what would hurt a notebook that runs unattended, each with its cell, line and smallest fix.

Few and sure: a lint is told where the text shows it, not where it might be.
"""

import ast
import re

from . import leaks, secret_text

MAX_LINTS = 200
MAX_OF_ONE = 8
HOME = re.compile(r"^(?:/(?:home|Users|root)/|[A-Za-z]:[\\/]|~[\\/]|/content/|/kaggle/|/mnt/|/media/|/Volumes/|/dbfs/|\\\\)")
RANDOM_ESTIMATORS = {"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor", "DecisionTreeClassifier", "DecisionTreeRegressor", "GradientBoostingClassifier", "GradientBoostingRegressor", "MLPClassifier", "MLPRegressor", "KMeans", "MiniBatchKMeans", "SGDClassifier", "SGDRegressor", "BaggingClassifier", "BaggingRegressor", "AdaBoostClassifier", "AdaBoostRegressor", "RandomizedSearchCV", "SMOTE", "ADASYN", "RandomOverSampler", "RandomUnderSampler", "IsolationForest", "Perceptron"}
WINDOWS = re.compile(r"%matplotlib\s+(?:qt\d?|tk|wx|gtk\d?|osx)\b")
HARMLESS_SHELL = re.compile(r"^!\s*(?:ls|pwd|cd|cat|head|tail|wc|echo|nvidia-smi|python3?\s+(?:--version|-V)|which|df|du|free|lscpu|date|whoami|uname|mkdir|dir|type|pip3?\s+(?:list|freeze|show))\b")
INSTALL = re.compile(r"\b(?:pip3?|conda|mamba)\b.*\binstall\b|\bapt(?:-get)?\b")


def collect(document, result):
    """[{code, cell, line, message, fix}], in order of the cells."""
    cells = document["cells"]
    found = []
    for rule in (_secrets, _paths, _order, _undefined, _random, _blocking, _overwrites, _shell, _network, _installs, _warnings, _today, _errors, _removed, _scored):
        found.extend(rule(cells, result)[:MAX_OF_ONE])
    found.extend(leaks.collect(cells)[:MAX_OF_ONE])
    return sorted(found, key=lambda entry: (entry["cell"] or 0, entry["line"] or 0))[:MAX_LINTS]


def _lint(code, cell, line, message, fix=None):
    return {"code": code, "cell": cell, "line": line, "message": message, "fix": fix}


def _secrets(cells, result):
    found = []
    for entry in secret_text.collect(cells):
        where = "The output of cell %d shows" % entry["cell"] if entry["where"] == "output" else "Cell %d holds" % entry["cell"]
        fix = "Clear that output and make the secret invalid." if entry["where"] == "output" else "Read it from an environment variable (levain secret set NAME) and make this one invalid."
        found.append(_lint("secret", entry["cell"], entry["line"], "%s %s." % (where, entry["what"]), fix))
    return found


def _paths(cells, result):
    found = []
    for entry in result["reads"] + result["writes"] + result["mentions"]:
        path = entry["path"]
        if path and not re.match(r"^\w+://", path) and (HOME.match(path) or path.startswith("/")):
            name = re.split(r"[\\/]", path.rstrip("\\/"))[-1]
            found.append(_lint("absolute_path", entry["cell"], entry["line"], "%s exists on one machine only." % path[:200], "Write %r and keep the file beside the notebook." % name))
    return list({(f["cell"], f["line"], f["message"]): f for f in found}.values())


def _order(cells, result):
    order = result["order"]
    found = []
    if order["ranOutOfOrder"]:
        found.append(_lint("out_of_order", order["cells"][0], None, "It was saved after its cells ran out of order (cell %d ran before the one above it)." % order["cells"][0], "Restart the kernel, run all cells and save."))
    if order["neverRun"]:
        found.append(_lint("never_run", order["neverRun"][0], None, "%s never ran before it was saved." % _cells(order["neverRun"]), "Run them, or take them out."))
    return found


def _cells(numbers):
    shown = ", ".join(str(number) for number in numbers[:5]) + (" …" if len(numbers) > 5 else "")
    return ("Cell %s" if len(numbers) == 1 else "Cells %s") % shown


def _undefined(cells, result):
    """Names used before any cell above defines them. Star imports, %run and %pylab may define anything: then nothing is said."""
    if any("*" in entry["names"] for entry in result["imports"]) or any(re.match(r"%(run|pylab|store|load)\b", magic["text"]) for cell in cells for magic in cell["magics"]):
        return []
    if any(cell["parseError"] for cell in cells) or _namespace_is_written(cells):
        return []
    defined, found = set(), []
    later = {name: cell["number"] for cell in reversed(result["cells"]) for name in cell["defs"]}
    for cell in result["cells"]:
        for use in cell["uses"]:
            if use["name"] in defined or use["maybe"] or use["name"] in _given_by_magics(cell):
                continue
            where = later.get(use["name"])
            if where is not None and where > cell["number"]:
                found.append(_lint("used_before_defined", cell["number"], use["line"], "%s is used before cell %d defines it." % (use["name"], where), "Move cell %d above this one." % where))
            elif where is None:
                found.append(_lint("never_defined", cell["number"], use["line"], "No cell defines %s." % use["name"], "Define it, or take the line out."))
        defined.update(cell["defs"])
    return list({f["message"].split()[0] + f["code"]: f for f in reversed(found)}.values())[::-1]


def _namespace_is_written(cells):
    return any(re.search(r"\bglobals\(\)|\blocals\(\)\[|\bexec\(|\bvars\(\)\[|get_ipython\(\)\.(run_line_magic|magic)\(['\"](run|pylab)", cell["code"]) for cell in cells)


def _given_by_magics(cell):
    """`%%capture out`, `%%bash --out x`, `%%sql x <<`."""
    return {name for magic in cell["magics"] for name in re.findall(r"\b[A-Za-z_]\w*\b", magic["text"]) if magic["kind"] in ("cell", "shell", "line")}


def _calls(cells):
    for cell in cells:
        for node in ast.walk(cell["tree"]) if cell["tree"] else ():
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield cell["number"], node, name, {word.arg for word in node.keywords}


def _random(cells, result):
    text = "\n".join(cell["code"] for cell in cells)
    if re.search(r"random\.seed\(|set_seed\(|seed_everything\(|RandomState\(|np\.random\.default_rng\(\s*\d", text):
        return []
    found = []
    for cell, node, name, words in _calls(cells):
        if words & {"random_state", "seed", None}:
            continue
        if name == "train_test_split" and not _is_false(node, "shuffle"):
            found.append(_lint("unseeded", cell, node.lineno, "train_test_split draws other rows each time.", "Add random_state=0."))
        elif name in RANDOM_ESTIMATORS and isinstance(node.func, (ast.Name, ast.Attribute)):
            found.append(_lint("unseeded", cell, node.lineno, "%s trains another model each time." % name, "Add random_state=0."))
        elif name == "sample" and words & {"frac", "n"} and isinstance(node.func, ast.Attribute):
            found.append(_lint("unseeded", cell, node.lineno, "sample draws other rows each time.", "Add random_state=0."))
    return list({(f["cell"], f["message"]): f for f in found}.values())


def _is_false(node, name):
    return any(word.arg == name and isinstance(word.value, ast.Constant) and word.value.value is False for word in node.keywords)


def _blocking(cells, result):
    found = []
    for cell in cells:
        for magic in cell["magics"]:
            if WINDOWS.match(magic["text"]):
                found.append(_lint("blocks", cell["number"], magic["line"], "%s opens windows, which no server has." % magic["text"].split("#")[0].strip(), "Write %matplotlib inline."))
    for cell, node, name, words in _calls(cells):
        owner = node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else None
        if name in ("input", "raw_input") and owner is None or name == "getpass":
            found.append(_lint("blocks", cell, node.lineno, "%s() waits for a person." % name, "Give the value a name in the first cell."))
        elif name in ("set_trace", "breakpoint", "mainloop", "waitKey", "run_server") or (name == "run" and owner in ("app", "server", "uvicorn")):
            found.append(_lint("blocks", cell, node.lineno, "%s() never comes back by itself." % name, "Take the line out."))
        elif name == "show" and owner == "plt" and any(word.arg == "block" and not _is_false(node, "block") for word in node.keywords):
            found.append(_lint("blocks", cell, node.lineno, "plt.show(block=…) waits until its window is closed.", "Write plt.show()."))
    return found


def _overwrites(cells, result):
    """Read first and written then; what the notebook wrote itself before it read it is its own."""
    read = {}
    for entry in result["reads"]:
        if entry["path"]:
            read.setdefault(_plain(entry["path"]), (entry["cell"], entry["line"]))
    return [
        _lint("overwrites_its_data", entry["cell"], entry["line"], "%s is written over the file that was read: run again, it reads something else." % entry["path"], "Write to another name.")
        for entry in result["writes"]
        if entry["path"] and entry["kind"] == "data" and entry["call"] != "to_sql" and read.get(_plain(entry["path"]), (1 << 30,)) < (entry["cell"], entry["line"])
    ]


def _plain(path):
    return re.sub(r"^\./", "", path.replace("\\", "/"))


def _shell(cells, result):
    found = []
    for cell in cells:
        for magic in cell["magics"]:
            if magic["kind"] == "shell" and not HARMLESS_SHELL.match(magic["text"]) and not INSTALL.search(magic["text"]):
                found.append(_lint("shell", cell["number"], magic["line"], "A shell command: %s" % _without_secrets(magic["text"][:120]), "Do it in Python, or before the notebook."))
    return found


def _without_secrets(text):
    """What follows a word like token, and long runs of letters and digits, are left out."""
    return re.sub(r"[A-Za-z0-9_+/=-]{24,}|(?<=:)[^\s:@/]+(?=@)", "…", text)


def _network(cells, result):
    found = [_lint("network_read", entry["cell"], entry["line"], "%s is read over the network: it may change or vanish." % _without_query(entry["path"]), "Keep the file beside the notebook.") for entry in result["reads"] if entry["url"]]
    found += [_lint("network_read", entry["cell"], entry["line"], "%s fetches its data over the network." % entry["call"], "Save it once and read the file.") for entry in result["datasets"] if entry["network"]]
    for cell, node, name, words in _calls(cells):
        owner = node.func.value.id if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) else None
        if (name in ("get", "post") and owner == "requests") or name in ("urlretrieve", "urlopen") or (name == "download" and owner in ("nltk", "wget", "gdown", "api")):
            found.append(_lint("network_read", cell, node.lineno, "%s asks the network." % (("%s.%s" % (owner, name)) if owner else name), "Keep what it fetches beside the notebook."))
    return list({(f["cell"], f["line"]): f for f in found}.values())


def _without_query(path):
    return re.sub(r"//[^/@\s]*@", "//", path.split("?")[0])[:200]


def _installs(cells, result):
    loose = [entry for entry in result["installs"] if not entry["spec"]]
    if not loose:
        return []
    names = ", ".join(dict.fromkeys(entry["name"] for entry in loose))
    return [_lint("unpinned_install", loose[0]["cell"], loose[0]["line"], "Installs without a version: %s." % names[:200], "requirements.lock has the versions; take the line out.")]


def _warnings(cells, result):
    for cell, node, name, words in _calls(cells):
        if name in ("filterwarnings", "simplefilter") and node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == "ignore" and len(node.args) == 1 and not words & {"category", "module", "message"}:
            return [_lint("warnings_off", cell, node.lineno, "All warnings are silenced, those about changed results too.", "Silence one category, where it is known to be harmless.")]
    return []


def _today(cells, result):
    found = []
    for cell, node, name, words in _calls(cells):
        owner = node.func.value if isinstance(node.func, ast.Attribute) else None
        last = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        if name in ("now", "today", "utcnow") and last in ("datetime", "date", "Timestamp", "dt", "pd", "pandas") and not node.args and not words:
            found.append(_lint("depends_on_today", cell, node.lineno, "The result depends on the day it runs (%s.%s())." % (last, name), "Give the day a name, with the value of the training day."))
    return [entry for entry in found if _feeds_data(cells, entry)]


def _feeds_data(cells, entry):
    """Timing a cell is harmless: only what is subtracted from, or put into, columns counts."""
    cell = next(c for c in cells if c["number"] == entry["cell"])
    for node in ast.walk(cell["tree"]):
        if getattr(node, "lineno", None) == entry["line"] and isinstance(node, ast.Assign):
            return any(isinstance(target, ast.Subscript) for target in node.targets) or any(isinstance(n, ast.Subscript) for n in ast.walk(node.value))
    return False


def _errors(cells, result):
    return [_lint("stored_error", cell["number"], None, "It was saved with an error here: %s" % _without_secrets(cell["stoppedWith"][:200]), "Mend the cell, or take it out.") for cell in result["cells"] if cell["stoppedWith"]]


def _removed(cells, result):
    first = {}
    for entry in result["removed"]:
        if entry["sure"]:
            first.setdefault(entry["name"], entry)
    return [_lint("removed_interface", entry["cell"], entry["line"], "%s is gone since %s %s." % (entry["name"], entry["package"], entry["below"]), entry["fix"][:1].upper() + entry["fix"][1:] + ".") for entry in first.values()]


SPLITTERS = re.compile(r"train_test_split|cross_val|KFold|ShuffleSplit|SearchCV|TimeSeriesSplit|validation_split|\btest\b|X_test|x_test|holdout|\.sample\(frac|iloc\[")


def _scored(cells, result):
    """The score is of the rows that were trained on, and no other rows are anywhere."""
    if any(SPLITTERS.search(cell["code"]) for cell in cells):
        return []
    fitted = {}
    for cell, node, name, words in _calls(cells):
        if not isinstance(node.func, ast.Attribute) or not node.args or not isinstance(node.args[0], ast.Name) or not isinstance(node.func.value, ast.Name):
            continue
        if name == "fit" and len(node.args) > 1:
            fitted[node.func.value.id] = node.args[0].id
        elif name in ("score", "predict") and fitted.get(node.func.value.id) == node.args[0].id:
            return [_lint("scored_on_training_rows", cell, node.lineno, "%s is measured on the rows that it was trained on." % node.func.value.id, "Keep rows apart with train_test_split, and score on those.")]
    return []
