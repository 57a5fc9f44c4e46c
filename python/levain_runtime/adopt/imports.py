"""From imports to packages of PyPI: what a notebook needs, what lies beside it, and what is nowhere to be found."""

import ast
import os
import re
import sys

from .notebook import parse, read, NotReadable
from .packages import KNOWN, NEEDED, PRIVATE, PYTHON2, SAME, STDLIB, WITH

MAX_LOCAL_FILES = 200
MAX_LOCAL_BYTES = 1024 * 1024
REQUIREMENT = re.compile(r"^([A-Za-z0-9][\w.-]*)(\[[\w,.-]*\])?\s*((?:[=<>!~]=?=?|@)\s*[^\s;]+)?$")
PACKAGES_OF_CONDA = {"pytorch": "torch", "py-xgboost": "xgboost", "tensorflow-gpu": "tensorflow", "pytables": "tables", "python-graphviz": "graphviz", "matplotlib-base": "matplotlib", "msgpack-python": "msgpack", "dask-core": "dask"}


def collect(cells, folder, root=None):
    """{imports, packages, local, missing, installs, runs, python2}: every package with where it comes from and its pin, if any."""
    imports = [entry for cell in cells for entry in of_tree(cell["tree"], cell["number"])]
    runs = [entry for cell in cells for entry in _runs(cell)]
    paths = [folder] + _extra_paths(cells, folder)
    local, inner = _local(imports, runs, paths, root or folder)
    installs = [entry for cell in cells for entry in installed(cell)]
    found = {"imports": imports, "local": local, "installs": installs, "runs": runs, "missing": [], "python2": []}
    found["packages"] = _packages(found, imports + inner, {entry["module"] for entry in local}, cells)
    return found


def of_tree(tree, cell, file=None):
    """Each import once: {module (as written), top, cell, line, names, optional}."""
    found = []
    if tree is None:
        return found
    optional = {id(node) for block in ast.walk(tree) if isinstance(block, ast.Try) for part in block.body for node in ast.walk(part)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [(node.module or "", [alias.name for alias in node.names])]
        else:
            continue
        for module, members in names:
            entry = {"module": module, "top": module.split(".")[0], "cell": cell, "line": node.lineno, "names": members[:50], "optional": id(node) in optional}
            if file:
                entry["file"] = file
            found.append(entry)
    return found


def _runs(cell):
    """`%run other.py` and `%run other.ipynb`."""
    found = []
    for magic in cell["magics"]:
        match = re.match(r"%run\s+(?:-\w+\s+)*['\"]?([^\s'\"]+)", magic["text"])
        if match and magic["kind"] == "line":
            found.append({"cell": cell["number"], "line": magic["line"], "path": match.group(1)})
    return found


def _extra_paths(cells, folder):
    """Folders put on sys.path by a literal, and modules written by %%writefile lie in the folder itself."""
    paths = []
    for cell in cells:
        for node in ast.walk(cell["tree"]) if cell["tree"] else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "insert"):
                if "sys.path" in ast.dump(node.func.value) or _is_sys_path(node.func.value):
                    paths.extend(os.path.normpath(os.path.join(folder, arg.value)) for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
    return [path for path in paths if os.path.isdir(path)][:10]


def _is_sys_path(node):
    return isinstance(node, ast.Attribute) and node.attr == "path" and isinstance(node.value, ast.Name) and node.value.id == "sys"


def _local(imports, runs, paths, root):
    """Modules that lie beside the notebook, and what they import in turn."""
    local, inner, queue, seen = [], [], list(imports), set()
    for run in runs:
        path = os.path.normpath(os.path.join(paths[0], run["path"]))
        path = path if os.path.exists(path) else path + ".py"
        inner.extend(_imports_of(path, paths[0]))
    queue.extend(inner)
    while queue and len(seen) < MAX_LOCAL_FILES:
        entry = queue.pop(0)
        if entry["top"] in seen or not entry["top"]:
            continue
        seen.add(entry["top"])
        where = _find(entry["top"], paths)
        if where is None or (entry["top"] in STDLIB and entry["top"] not in ("test", "code")):
            continue
        local.append({"module": entry["top"], "path": os.path.relpath(where, paths[0]), "cell": entry["cell"], "inside": os.path.abspath(where).startswith(os.path.abspath(root) + os.sep)})
        more = [found for file in _files(where) for found in _imports_of(file, paths[0])]
        inner.extend(more)
        queue.extend(more)
    return local, inner


def _find(module, paths):
    for path in paths:
        for candidate in (os.path.join(path, module + ".py"), os.path.join(path, module)):
            if candidate.endswith(".py") and os.path.isfile(candidate):
                return candidate
            if os.path.isdir(candidate) and any(name.endswith(".py") for name in _names(candidate)):
                return candidate
    return None


def _names(folder):
    try:
        return sorted(os.listdir(folder))[:1000]
    except OSError:
        return []


def _files(where):
    if os.path.isfile(where):
        return [where]
    found = []
    for folder, folders, names in os.walk(where):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))[:50]
        found.extend(os.path.join(folder, name) for name in sorted(names) if name.endswith(".py"))
        if len(found) > MAX_LOCAL_FILES:
            break
    return found[:MAX_LOCAL_FILES]


def _imports_of(path, folder):
    try:
        if os.path.getsize(path) > MAX_LOCAL_BYTES and not path.endswith(".ipynb"):
            return []
        if path.endswith(".ipynb"):
            return [entry for cell in read(path)["cells"] for entry in of_tree(cell["tree"], None, os.path.relpath(path, folder))]
        with open(path, "rb") as source:
            tree, _ = parse(source.read().decode("utf-8", "replace"))
    except (OSError, NotReadable):
        return []
    return of_tree(tree, None, os.path.relpath(path, folder))


def installed(cell):
    """Requirements of `!pip install`, `%pip`, `%conda` and their like in one cell: {name, spec, text, cell, line, tool}."""
    found = []
    for magic in cell["magics"]:
        for text in [magic["text"]] + magic.get("body", "").splitlines():
            match = re.search(r"\b(pip3?|conda|mamba)\b(?:\s+-\S+)*\s+install\s+(.*)", text)
            if not match or magic["kind"] == "help":
                continue
            for name, spec in _requirements(match.group(2), match.group(1)):
                found.append({"name": name, "spec": spec, "cell": cell["number"], "line": magic["line"], "tool": match.group(1), "text": text[:500]})
    return found


def _requirements(text, tool):
    text = re.split(r"\s#|[;&|]{1,2}\s|\s>", text)[0]
    words = re.findall(r"\"[^\"]*\"|'[^']*'|\S+", text)
    skip = False
    for word in words:
        word = word.strip("\"'")
        if skip or word.startswith("-"):
            # Options that take a value of their own.
            skip = not skip and word in ("-r", "--requirement", "-c", "--channel", "-n", "--name", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--target", "-t", "--prefix", "-p")
            continue
        if "/" in word or "{" in word or word.endswith((".whl", ".txt", ".gz", ".zip")):
            git = re.match(r"git\+.*?/([\w.-]+?)(?:\.git)?(?:@.*)?$", word)
            if git:
                yield git.group(1), None
            continue
        match = REQUIREMENT.match(word.replace(" ", ""))
        if match:
            spec = (match.group(3) or "").replace(" ", "") or None
            if spec and tool not in ("pip", "pip3") and re.match(r"=[^=]", spec):
                spec = "=" + spec
            yield (PACKAGES_OF_CONDA.get(match.group(1), match.group(1)) if tool not in ("pip", "pip3") else match.group(1)), spec


def _packages(found, imports, local, cells):
    packages = {}
    for entry in imports:
        _add_import(packages, entry, local, found)
    for cell in cells:
        for name, why in needed(cell["code"]):
            _add(packages, name, {"from": "needed", "cell": cell["number"], "why": why})
    for name in list(packages):
        for other in WITH.get(name, ()):
            _add(packages, other, {"from": "needed", "cell": packages[name]["cell"], "why": "%s needs it" % name})
    for entry in found["installs"]:
        name = entry["name"].lower().replace("_", "-")
        _add(packages, name, {"from": "install", "cell": entry["cell"], "why": entry["text"]})
        if entry["spec"] and not packages[name]["spec"]:
            packages[name]["spec"] = entry["spec"]
    return [packages[name] for name in sorted(packages)]


def _add_import(packages, entry, local, found):
    top = entry["top"]
    if not top or top in local:
        return
    if top in PYTHON2 and entry["cell"] is not None:
        found["python2"].append({"cell": entry["cell"], "line": entry["line"], "what": "import %s" % top, "optional": entry["optional"]})
        return
    if top in STDLIB or top in PYTHON2:
        return
    package = package_of(entry["module"])
    if package is None:
        return
    installs = {item["name"].lower().replace("_", "-") for item in found["installs"]}
    is_known = top in KNOWN or top in SAME or package.lower() in installs
    if top in PRIVATE and not is_known:
        found["missing"].append({"module": entry["module"], "cell": entry["cell"], "line": entry["line"], "file": entry.get("file"), "optional": entry["optional"]})
        return
    _add(packages, package, {"from": "import", "cell": entry["cell"], "why": "import %s" % entry["module"], "module": top, "known": is_known, "optional": entry["optional"]})


def package_of(module):
    """The package of PyPI that provides a module; None where none is needed."""
    parts = module.split(".")
    for size in range(min(3, len(parts)), 0, -1):
        name = ".".join(parts[:size])
        if name in KNOWN:
            return KNOWN[name]
    return parts[0].replace("_", "-") if parts[0] not in SAME else parts[0]


def _add(packages, name, entry):
    if name not in packages:
        packages[name] = {"name": name, "spec": None, "known": True, "optional": False, **entry}
    elif packages[name]["optional"] and not entry.get("optional"):
        packages[name]["optional"] = False


def needed(code):
    """Packages that a call needs though nothing imports them."""
    for pattern, name, why in NEEDED:
        if re.search(pattern, code):
            yield name, why


def stdlib():
    """For tests: the names that this Python itself calls its own."""
    return set(getattr(sys, "stdlib_module_names", ()))
