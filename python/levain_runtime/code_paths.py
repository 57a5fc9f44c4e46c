"""Modules of the user's own that a saved model needs: copied into the model's folder, so that it loads where the notebook is not."""

import ast
import os
import pickletools
import shutil
import sys
import sysconfig

FOLDER = "code"
MAX_MODULES = 200
MAX_BYTES = 20 * 1024 * 1024


def copy_modules(pickle_path, folder):
    """Copies what the pickle names, and what that imports in turn, into ``folder/code``; gives the names of the modules."""
    wanted = _with_imports(sorted(name for name in _named_in(pickle_path) if is_own(name)))
    copied, size = [], 0
    for top in sorted({name.split(".")[0] for name in wanted}):
        size += _copy(top, os.path.join(folder, FOLDER))
        copied.append(top)
        if size > MAX_BYTES:
            raise ValueError("the modules beside the notebook that the model needs have more than %d MB" % (MAX_BYTES >> 20))
    return copied


def is_own(name):
    """Whether a module is a file of the user's: of no installed package, not Python's, not ours."""
    module = sys.modules.get(name.split(".")[0])
    path = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", [])), None)
    if module is None or not isinstance(path, str) or name.split(".")[0] in ("levain_runtime", "__main__"):
        return False
    path = os.path.realpath(path)
    parts = path.split(os.sep)
    if "site-packages" in parts or "dist-packages" in parts or (os.path.isfile(path) and not path.endswith(".py")):
        return False
    return not any(path.startswith(os.path.realpath(base) + os.sep) for base in _python_folders())


def _python_folders():
    paths = sysconfig.get_paths()
    return {paths[key] for key in ("stdlib", "platstdlib", "purelib", "platlib") if paths.get(key)}


def _named_in(path):
    """Names of loaded modules among the texts of a pickle. Read, never run."""
    names = set()
    with open(path, "rb") as source:
        for opcode, argument, _ in pickletools.genops(source):
            if isinstance(argument, str) and len(argument) < 400:
                # GLOBAL holds "module name" in one text, STACK_GLOBAL two texts.
                word = argument.split(" ")[0]
                if word.split(".")[0] in sys.modules:
                    names.add(word)
    return names


def _with_imports(names):
    found, queue = [], list(names)
    while queue and len(found) < MAX_MODULES:
        name = queue.pop(0)
        if name in found or not is_own(name):
            continue
        found.append(name)
        for path in _files(name.split(".")[0]):
            queue.extend(_imports(path))
    return found


def _files(top):
    module = sys.modules.get(top)
    path = getattr(module, "__file__", None)
    roots = list(getattr(module, "__path__", []))
    if not roots:
        return [path] if path else []
    return [os.path.join(folder, name) for root in roots for folder, _, names in os.walk(root) for name in sorted(names) if name.endswith(".py")][:MAX_MODULES]


def _imports(path):
    try:
        with open(path, "rb") as source:
            tree = ast.parse(source.read())
    except (OSError, SyntaxError, ValueError):
        return []
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.append(node.module)
    return [name for name in names if name.split(".")[0] in sys.modules]


def _copy(top, target):
    """One module or package, its .py files only."""
    module = sys.modules[top]
    size = 0
    roots = list(getattr(module, "__path__", []))
    for path in _files(top):
        relative = os.path.join(top, os.path.relpath(path, next(root for root in roots if path.startswith(root)))) if roots else os.path.basename(path)
        destination = os.path.join(target, relative)
        os.makedirs(os.path.dirname(destination), exist_ok=True)
        shutil.copyfile(path, destination)
        size += os.path.getsize(path)
    return size
