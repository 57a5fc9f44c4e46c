"""Which files a notebook reads and writes, told from its text: literals, constants put together, loops over literals.

Names are resolved where they are assigned texts that can be known; what cannot be known is left to the run.
"""

import ast
import os
import re

MAX_VALUES = 32
MAX_FOUND = 500
MAX_DEPTH = 12
# Expressions looked at for one path: chains of names assigned many times over would never end.
MAX_STEPS = 2000

READERS = {
    "read_csv": "csv", "read_table": "csv", "read_fwf": "csv", "read_excel": "excel", "ExcelFile": "excel", "read_json": "json", "read_parquet": "parquet", "read_feather": "feather",
    "read_pickle": "pickle", "read_hdf": "hdf", "HDFStore": "hdf", "read_html": "html", "read_stata": "stata", "read_sas": "sas", "read_spss": "spss", "read_orc": "orc", "read_xml": "xml",
    "read_sql": "sql", "read_sql_query": "sql", "read_sql_table": "sql", "read_clipboard": "clipboard", "read_gbq": "sql", "loadtxt": "csv", "genfromtxt": "csv", "fromfile": "other", "fromtxt": "csv",
    "from_csv": "csv", "loadarff": "arff", "loadmat": "mat", "load_svmlight_file": "svmlight", "load_files": "folder", "imread": "image", "scan_csv": "csv", "read_file": "other", "load_workbook": "excel",
    "memmap": "other", "mem_map": "other", "open_dataset": "other", "read_ipc": "feather", "fread": "csv", "import_file": "other", "sniff_csv": "csv",
}
# `load` is a reader where its argument is a path (np.load, joblib.load), `open` where its mode is not a writer's.
OPENERS = {"open", "ZipFile", "TarFile", "urlopen", "urlretrieve", "connect", "load", "Path", "gzip", "is_zipfile", "DictReader", "unpack_archive"}
NETWORK_LOADERS = {"fetch_openml", "fetch_california_housing", "fetch_20newsgroups", "fetch_20newsgroups_vectorized", "fetch_olivetti_faces", "fetch_lfw_people", "fetch_covtype", "fetch_kddcup99", "fetch_rcv1", "fetch_mldata", "load_dataset", "get_rdataset", "fetch_ucirepo", "DataReader"}
BUILT_IN = {"load_iris", "load_digits", "load_wine", "load_breast_cancer", "load_diabetes", "load_boston", "load_linnerud", "make_classification", "make_regression", "make_blobs", "make_moons", "make_circles"}
WRITERS = {
    "to_csv": "data", "to_excel": "data", "to_json": "data", "to_parquet": "data", "to_feather": "data", "to_pickle": "data", "to_hdf": "data", "to_html": "report", "to_sql": "data", "savetxt": "data", "save": "data",
    "savez": "data", "savez_compressed": "data", "dump": "model", "save_model": "model", "savefig": "figure", "write_image": "figure", "write_html": "figure", "to_file": "report", "imsave": "figure", "export_graphviz": "figure",
    "save_weights": "model", "save_raw": "model",
}
DATA_EXTENSIONS = {".csv", ".tsv", ".txt", ".data", ".dat", ".xls", ".xlsx", ".xlsm", ".xlsb", ".json", ".jsonl", ".ndjson", ".parquet", ".feather", ".pkl", ".pickle", ".h5", ".hdf5", ".hdf", ".arff", ".mat", ".npy", ".npz", ".zip", ".gz", ".bz2", ".tar", ".db", ".sqlite", ".sqlite3", ".dta", ".sas7bdat", ".sav", ".xml", ".names", ".all-data", ".test", ".train", ".rda", ".orc"}
MODEL_EXTENSIONS = {".pkl", ".pickle", ".joblib", ".sav", ".model", ".h5", ".keras", ".pt", ".pth", ".onnx", ".skops", ".json", ".ubj", ".bin", ".txt", ".cbm", ".bst", ".dat", ".mdl", ".sav", ".save", ".p", ".pk", ".hdf5"}
URL = re.compile(r"^(https?|ftp|s3|gs|wasbs?|abfss?|hdfs|dbfs|kaggle)://", re.I)


def collect(cells, folder):
    """{reads, writes, mentions, datasets, unknown}: reads and writes are {cell, line, call, path, kind, url, exists, …}, in order;
    unknown are those whose path the text does not tell."""
    names = Names(cells)
    found = {"reads": [], "writes": [], "mentions": [], "datasets": [], "unknown": []}
    for cell in cells:
        if cell["tree"] is None:
            continue
        for node in ast.walk(cell["tree"]):
            if isinstance(node, ast.Call):
                _call(found, node, cell, names, folder)
    seen = {entry["path"] for entry in found["reads"] + found["writes"]}
    for cell in cells:
        _mentions(found, cell, folder, seen)
    for key in found:
        found[key] = sorted(found[key], key=lambda entry: (entry["cell"], entry["line"]))[:MAX_FOUND]
    return found


class Names:
    """Values that names can have, as far as they are texts: {name: [expressions]} over the whole notebook."""

    def __init__(self, cells):
        self.values = {}
        self.changed = set()
        self.steps = 0
        self.active = set()
        self.functions = functions = {}
        for cell in cells:
            for node in ast.walk(cell["tree"]) if cell["tree"] else ():
                self._assigned(node)
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    functions[node.name] = node
        for cell in cells:
            for node in ast.walk(cell["tree"]) if cell["tree"] else ():
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
                    self._bind(functions[node.func.id], node)

    def _assigned(self, node):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._target(target, node.value)
        elif isinstance(node, ast.Call) and _name_of(node) in ("add_argument", "option"):
            self._option(node)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._target(node.target, node.value)
        elif isinstance(node, (ast.For, ast.comprehension)):
            self._loop(node.target, node.iter)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.changed.add(node.target.id)

    def _option(self, node):
        """`add_argument("--data", default="churn.csv")`: what `args.data` is without arguments."""
        default = next((word.value for word in node.keywords if word.arg == "default"), None)
        given = next((word.value.value for word in node.keywords if word.arg == "dest" and isinstance(word.value, ast.Constant)), None)
        flags = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if default is not None and flags:
            self._put(given or max(flags, key=len).lstrip("-").replace("-", "_"), default)

    def _target(self, target, value):
        if isinstance(target, ast.Name):
            self._put(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)) and isinstance(value, (ast.Tuple, ast.List)) and len(target.elts) == len(value.elts):
            for one, part in zip(target.elts, value.elts):
                self._target(one, part)

    def _loop(self, target, values):
        if isinstance(values, ast.Call) and isinstance(values.func, ast.Name) and values.func.id == "enumerate" and values.args:
            if isinstance(target, ast.Tuple) and len(target.elts) == 2:
                self._loop(target.elts[1], values.args[0])
            return
        if isinstance(target, ast.Name):
            self._put(target.id, ast.Starred(value=values, ctx=ast.Load()))

    def _put(self, name, value):
        self.values.setdefault(name, [])
        if len(self.values[name]) < MAX_VALUES:
            self.values[name].append(value)

    def _bind(self, function, call):
        names = [arg.arg for arg in function.args.args]
        for name, value in list(zip(names, call.args)) + [(word.arg, word.value) for word in call.keywords if word.arg]:
            self._put(name, value)
        for name, value in zip(names[len(names) - len(function.args.defaults) :], function.args.defaults):
            self._put(name, value)

    def texts(self, node, depth=0):
        """Every text that an expression can be, at most MAX_VALUES; empty where it cannot be known."""
        self.steps = 0 if depth == 0 else self.steps + 1
        if depth > MAX_DEPTH or node is None or self.steps > MAX_STEPS:
            return []
        handler = getattr(self, "_" + type(node).__name__.lower(), None)
        return _unique(handler(node, depth + 1))[:MAX_VALUES] if handler else []

    def _constant(self, node, depth):
        return [str(node.value)] if isinstance(node.value, (str, int)) and not isinstance(node.value, bool) else []

    def _attribute(self, node, depth):
        """`args.data`, `Config.DATA`, `Path(__file__).parent`."""
        if node.attr == "parent":
            return [_folder_of(text) for text in self.texts(node.value, depth)]
        return self._name(ast.Name(id=node.attr, ctx=ast.Load()), depth) if isinstance(node.value, (ast.Name, ast.Attribute)) else []

    def _name(self, node, depth):
        if node.id == "__file__":
            return ["./__file__"]
        if node.id in self.changed or node.id in self.active:
            return []
        self.active.add(node.id)
        found = []
        for value in self.values.get(node.id, ()):
            found.extend(self.items(value.value, depth) if isinstance(value, ast.Starred) else self.texts(value, depth))
        self.active.discard(node.id)
        return found

    def items(self, node, depth):
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            return [text for part in node.elts for text in self.texts(part, depth)]
        if isinstance(node, ast.Dict):
            return [text for part in node.keys for text in self.texts(part, depth)]
        if isinstance(node, ast.Name):
            return [text for value in self.values.get(node.id, ()) if not isinstance(value, ast.Starred) and depth < MAX_DEPTH for text in self.items(value, depth + 1)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range" and len(node.args) == 1 and isinstance(node.args[0], ast.Constant):
            return [str(i) for i in range(min(int(node.args[0].value), MAX_VALUES))] if isinstance(node.args[0].value, int) else []
        return []

    def _binop(self, node, depth):
        left = self.texts(node.left, depth)
        if isinstance(node.op, ast.Mod):
            parts = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
            return _product(left, [self.texts(part, depth) for part in parts], lambda text, values: re.sub(r"%[sd]", lambda _: values.pop(0) if values else "", text))
        right = self.texts(node.right, depth)
        join = {ast.Add: lambda a, b: a + b, ast.Div: lambda a, b: _joined([a, b])}.get(type(node.op))
        return [join(a, b) for a in left for b in right] if join else []

    def _joinedstr(self, node, depth):
        found = [""]
        for part in node.values:
            texts = self.texts(part.value if isinstance(part, ast.FormattedValue) else part, depth)
            found = [a + b for a in found for b in texts][:MAX_VALUES]
        return found

    def _subscript(self, node, depth):
        key = node.slice.value if isinstance(node.slice, ast.Index) and hasattr(node.slice, "value") else node.slice
        if not isinstance(node.value, ast.Name) or not isinstance(key, ast.Constant):
            return []
        found = []
        for value in self.values.get(node.value.id, ()):
            if isinstance(value, ast.Dict):
                found.extend(text for k, v in zip(value.keys, value.values) if isinstance(k, ast.Constant) and k.value == key.value for text in self.texts(v, depth))
            elif isinstance(value, (ast.List, ast.Tuple)) and isinstance(key.value, int) and -len(value.elts) <= key.value < len(value.elts):
                found.extend(self.texts(value.elts[key.value], depth))
        return found

    def _call(self, node, depth):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        args = [self.texts(arg, depth) for arg in node.args]
        if name in ("join", "joinpath") and isinstance(node.func, ast.Attribute):
            if isinstance(node.func.value, ast.Constant):
                return []
            base = [] if ast.dump(node.func.value).endswith("attr='path', ctx=Load())") else [self.texts(node.func.value, depth)]
            return _product([""], base + args, lambda _, values: _joined(values))
        if name in ("Path", "PurePath", "str", "abspath", "expanduser", "normpath", "Path.cwd", "realpath", "open", "urlopen", "r") and args:
            return _product([""], args[:1] if name in ("open", "urlopen", "str") else args, lambda _, values: _joined(values))
        if name == "dirname" and args:
            return [_folder_of(text) for text in args[0]]
        if name == "getcwd" or name == "cwd":
            return ["."]
        if name in ("strip", "lower", "resolve", "as_posix", "rstrip") and isinstance(node.func, ast.Attribute):
            return self.texts(node.func.value, depth)
        if name == "format" and isinstance(node.func, ast.Attribute):
            return self._format(node, args, depth)
        if name in ("BytesIO", "StringIO", "TextIOWrapper") and node.args:
            return []
        return []

    def _format(self, node, args, depth):
        words = {word.arg: self.texts(word.value, depth) for word in node.keywords if word.arg}
        if any(len(values) != 1 for values in words.values()):
            return []
        plain = {key: values[0] for key, values in words.items()}
        return _product(self.texts(node.func.value, depth), args, lambda text, values: _formatted(text, values, plain))


def _folder_of(text):
    """The script's own folder is `.`, the one above it `..`."""
    return ".." if text in (".", "") else text + "/.." if text.endswith("..") else os.path.dirname(text) or "."


def _formatted(text, values, words):
    try:
        return text.format(*values, **words)
    except (IndexError, KeyError, ValueError, AttributeError):
        return ""


def _product(texts, parts, join):
    combined = [[]]
    for part in parts:
        combined = [values + [one] for values in combined for one in part][:MAX_VALUES]
    return [join(text, list(values)) for text in texts for values in combined]


def _joined(parts):
    """os.path.join on any system: an absolute part starts anew."""
    path = ""
    for part in parts:
        path = part if not path or part.startswith("/") or re.match(r"^[A-Za-z]:", part) else path.rstrip("/\\") + "/" + part
    return path


def _unique(values):
    return list(dict.fromkeys(values))


def _call(found, node, cell, names, folder):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if isinstance(node.func, ast.Name) and name in names.functions:
        # The notebook's own `load`: what it reads is told inside it.
        return
    place = {"cell": cell["number"], "line": node.lineno, "call": name}
    if name in NETWORK_LOADERS or name in BUILT_IN:
        found["datasets"].append({**place, "network": name in NETWORK_LOADERS, "path": (names.texts(node.args[0]) or [None])[0] if node.args else None})
    elif name in WRITERS or _opens_to_write(node, name):
        _written(found, node, name, place, names, folder)
    elif name in READERS or name in OPENERS or name in ("glob", "iglob", "listdir", "scandir", "walk", "rglob"):
        _read(found, node, name, place, names, folder)


PATH_WORDS = ("filepath_or_buffer", "path_or_buf", "path", "io", "fname", "filename", "file", "path_or_buffer", "source", "name")


def _path_argument(node, first=0):
    for word in node.keywords:
        if word.arg in PATH_WORDS:
            return word.value
    return node.args[first] if len(node.args) > first else None


def _mode(node):
    values = [node.args[1]] if len(node.args) > 1 else []
    values += [word.value for word in node.keywords if word.arg == "mode"]
    return values[-1].value if values and isinstance(values[-1], ast.Constant) and isinstance(values[-1].value, str) else None


def _opens_to_write(node, name):
    mode = _mode(node)
    return name in ("open", "ZipFile") and mode is not None and any(letter in mode for letter in "wax+")


def _read(found, node, name, place, names, folder):
    argument = _path_argument(node)
    if isinstance(argument, ast.Call) and _name_of(argument) in OPENERS:
        # The inner call is met by itself.
        return
    if name in ("load", "Path", "connect", "gzip") and not any(_looks_like_file(text) for text in names.texts(argument)):
        return
    kind = READERS.get(name, "folder" if name in ("glob", "iglob", "listdir", "scandir", "walk", "rglob") else "other")
    options = {word.arg: word.value.value for word in node.keywords if word.arg in ("sep", "delimiter", "header", "index_col", "sheet_name", "encoding", "nrows", "skiprows", "compression", "decimal") and isinstance(word.value, ast.Constant)}
    texts = names.texts(argument)
    for text in texts:
        if text.strip() and len(text) < 2000:
            found["reads"].append({**place, "path": _here(text), "kind": kind, "url": bool(URL.match(text)), "exists": _exists(text, folder), "options": options})
    if not texts and argument is not None and kind != "folder":
        found["unknown"].append({**place, "does": "read", "kind": kind})


def _here(text):
    """`./data.csv` out of the script's own folder is `data.csv`."""
    return text[2:] if text.startswith("./") and len(text) > 2 else text


def _name_of(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _looks_like_file(text):
    return os.path.splitext(text)[1].lower() in DATA_EXTENSIONS | MODEL_EXTENSIONS


def _written(found, node, name, place, names, folder):
    dumps = name == "dump"
    argument = _path_argument(node, 1 if dumps or name == "to_sql" else 0)
    if dumps and isinstance(argument, ast.Call) and _name_of(argument) == "open":
        argument = argument.args[0] if argument.args else None
    variable = node.args[0].id if dumps and node.args and isinstance(node.args[0], ast.Name) else None
    if name in ("save_model", "save", "save_weights", "save_raw") and isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        owner = node.func.value.id
        variable = owner if owner not in ("np", "numpy", "torch", "joblib", "pickle", "plt") else (node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else None)
    kind = WRITERS.get(name, "other")
    texts = names.texts(argument)
    for text in texts:
        model = os.path.splitext(text)[1].lower() in MODEL_EXTENSIONS and name in ("save", "dump", "save_model")
        found["writes"].append({**place, "path": _here(text), "kind": "model" if model else kind, "variable": variable, "exists": _exists(text, folder)})
    if not texts:
        found["unknown"].append({**place, "does": "write", "kind": kind, "variable": variable})


def _mentions(found, cell, folder, seen):
    """Texts that name a data file, wherever they stand: readers of the user's own, lists of files."""
    if cell["tree"] is None:
        return
    for node in ast.walk(cell["tree"]):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and 3 < len(node.value) < 500 and "\n" not in node.value and node.value not in seen:
            extension = os.path.splitext(node.value)[1].lower()
            if extension in DATA_EXTENSIONS and not node.value.startswith(".") or _exists(node.value, folder) and os.sep in node.value:
                seen.add(node.value)
                found["mentions"].append({"cell": cell["number"], "line": node.lineno, "path": node.value, "url": bool(URL.match(node.value)), "exists": _exists(node.value, folder)})


def _exists(text, folder):
    try:
        return bool(text.strip()) and not URL.match(text) and os.path.exists(os.path.join(folder, text))
    except ValueError:
        return False
