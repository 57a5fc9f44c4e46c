"""Keeps what a kernel holds after a long cell, so that a notebook can be taken up there again in a fresh kernel.

    save(shell, folder)     writes state.pkl and files/ (what the run wrote in the copy); raises where not all of it can be kept
    load(shell, folder)     into a kernel in which the trace was just installed

All or nothing: a name that is lost, a function that sees other globals or a generator at another place would be another run. So
whatever does not pickle, and libraries whose state lies outside of Python, make that no checkpoint is kept.
"""

import marshal
import os
import pickle
import random
import re
import shutil
import sys
import types

from . import trace as _trace

STATE, FILES = "state.pkl", "files"
MAX_BYTES = 4 << 30
#: Their random states and device memory are not ours to carry over.
FOREIGN = ("torch", "tensorflow", "jax", "mxnet", "h2o", "pyspark", "cudf")
HISTORY = re.compile(r"^_(i+|\d+|i\d+|ih|oh|dh|_|__|levain\w*)?$")
OWN = ("shell", "config", "root", "paths", "observer")


class NotKept(Exception):
    pass


def save(shell, folder):
    trace = _trace.CURRENT
    loaded = [name for name in FOREIGN if name in sys.modules]
    if loaded:
        raise NotKept("%s keeps state of its own" % loaded[0])
    if any(site.module for site in trace.sites.values()):
        raise NotKept("modules beside the notebook keep state of their own")
    state = {
        "sites": len(_trace._off),
        "off": bytes(_trace._off),
        "reads_paths": bytes(_trace._reads_paths),
        "trace": {name: value for name, value in vars(trace).items() if name not in OWN},
        "used": dict(trace.paths.used),
        "observer": {name: value for name, value in vars(trace.observer).items() if name != "trace"},
        "names": _names(shell),
        "count": shell.execution_count,
        "process": _process(),
    }
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, STATE), "wb") as out:
        Keeper(Bounded(out), shell, trace).dump(state)
    _keep_files(trace, os.path.join(folder, FILES))


def load(shell, folder):
    trace = _trace.CURRENT
    with open(os.path.join(folder, STATE), "rb") as source:
        state = Restorer(source, shell, trace).load()
    _trace._off[:] = state["off"]
    _trace._reads_paths[:] = state["reads_paths"]
    for name, value in state["trace"].items():
        old = getattr(trace, name, None)
        # Others hold these lists and tables too.
        if isinstance(old, list) and isinstance(value, list):
            old[:] = value
        elif isinstance(old, dict) and isinstance(value, dict):
            old.clear()
            old.update(value)
        else:
            setattr(trace, name, value)
    trace.paths.used.update(state["used"])
    vars(trace.observer).update(state["observer"])
    made = getattr(trace.observer, "made", None)
    if isinstance(made, dict):  # by the number of the object, which is another one now
        trace.observer.made = {id(held[0]): held for held in made.values()}
    shell.user_ns.update(state["names"])
    shell.execution_count = state["count"]
    _take_up(state["process"])


def _names(shell):
    hidden = shell.user_ns_hidden
    return {name: value for name, value in shell.user_ns.items() if name not in hidden and not HISTORY.match(name)}


def _process():
    found = {"random": random.getstate(), "folder": os.getcwd(), "path": list(sys.path), "environment": dict(os.environ)}
    numpy, pandas, sklearn = (sys.modules.get(name) for name in ("numpy", "pandas", "sklearn"))
    if numpy is not None:
        found["numpy"] = numpy.random.get_state()
    if pandas is not None:
        found["pandas"] = _pandas_options()
    if sklearn is not None and hasattr(sklearn, "get_config"):
        found["sklearn"] = sklearn.get_config()
    return found


def _pandas_options():
    from pandas._config import config

    return {name: config.get_option(name) for name in config._registered_options if not name.startswith("plotting.") and name not in config._deprecated_options}


def _take_up(found):
    random.setstate(found["random"])
    os.chdir(found["folder"])
    sys.path[:] = found["path"]
    os.environ.clear()
    os.environ.update(found["environment"])
    if "numpy" in found:
        import numpy

        numpy.random.set_state(found["numpy"])
    if "pandas" in found:
        import pandas

        for name, value in found["pandas"].items():
            if pandas.get_option(name) != value:
                pandas.set_option(name, value)
    if "sklearn" in found:
        import sklearn

        sklearn.set_config(**found["sklearn"])


def _keep_files(trace, folder):
    """What the notebook itself has written so far, at its place."""
    for path in sorted(set(map(str, trace.writes))):
        source = os.path.realpath(os.path.join(trace.root, path))
        if not source.startswith(trace.root + os.sep) or not os.path.isfile(source):
            continue
        target = os.path.join(folder, os.path.relpath(source, trace.root))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(source, target)


class Bounded:
    """A file that refuses to grow beyond the bound."""

    def __init__(self, file):
        self.file, self.size = file, 0

    def write(self, data):
        self.size += memoryview(data).nbytes
        if self.size > MAX_BYTES:
            raise NotKept("it holds more than %d GB" % (MAX_BYTES >> 30))
        return self.file.write(data)


class Keeper(pickle.Pickler):
    """Functions and classes of the notebook by value, with the kernel's namespace as their globals; modules by name."""

    def __init__(self, file, shell, trace):
        super().__init__(file, protocol=4)
        self.shell, self.trace = shell, trace
        self.known = {id(shell): "shell", id(trace): "trace", id(trace.observer): "observer", id(shell.user_ns): "names"}

    def persistent_id(self, value):
        if isinstance(value, types.ModuleType):
            if value.__name__ == "__main__":
                raise NotKept("the notebook holds itself as a module")
            return ("module", value.__name__)
        known = self.known.get(id(value))
        return ("known", known) if known is not None else None

    def reducer_override(self, value):
        if isinstance(value, types.CodeType):
            return marshal.loads, (marshal.dumps(value),)
        if type(value) is types.FunctionType and value.__globals__ is self.shell.user_ns:
            cells = None if value.__closure__ is None else tuple(cell.cell_contents for cell in value.__closure__)
            arguments = (self.shell.user_ns, value.__code__, value.__name__, value.__defaults__, cells)
            return function_of, arguments, (value.__kwdefaults__, value.__qualname__, value.__doc__, dict(value.__dict__), dict(value.__annotations__)), None, None, finish_function
        if isinstance(value, type) and value.__module__ == "__main__":
            return self._class(value)
        return NotImplemented

    def _class(self, value):
        import abc

        if type(value) not in (type, abc.ABCMeta) or "__slots__" in vars(value):
            raise NotKept("the class %s is not a plain one" % value.__name__)
        left = ("__dict__", "__weakref__", "_abc_impl")
        members = {name: member for name, member in vars(value).items() if name not in left}
        return class_of, (type(value), value.__name__, value.__bases__), members, None, None, finish_class


class Restorer(pickle.Unpickler):
    def __init__(self, file, shell, trace):
        super().__init__(file)
        self.known = {"shell": shell, "trace": trace, "observer": trace.observer, "names": shell.user_ns}

    def persistent_load(self, key):
        kind, name = key
        return self.known[name] if kind == "known" else __import__(name, fromlist=["*"])


def function_of(names, code, name, defaults, cells):
    closure = None if cells is None else tuple(types.CellType(content) for content in cells)
    return types.FunctionType(code, names, name, defaults, closure)


def finish_function(function, state):
    function.__kwdefaults__, function.__qualname__, function.__doc__, attributes, function.__annotations__ = state
    function.__dict__.update(attributes)


def class_of(kind, name, bases):
    return kind(name, bases, {"__module__": "__main__"})


def finish_class(value, members):
    for name, member in members.items():
        if name not in ("__module__", "__abstractmethods__"):
            setattr(value, name, member)
    if "__abstractmethods__" in members:
        value.__abstractmethods__ = members["__abstractmethods__"]


__all__ = ["save", "load", "NotKept"]
