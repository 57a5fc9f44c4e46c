"""Modules beside the notebook are instrumented as its cells are: they read data and fit models too.

Also takes the instruments out again: functions that were defined while they were in get the code that they would have without.
"""

import gc
import importlib.abc
import importlib.machinery
import os
import sys
import types

from . import sites as _sites

MAX_SOURCE = 400000


class HelperFinder(importlib.abc.MetaPathFinder):
    def __init__(self, trace):
        self.trace = trace

    def find_spec(self, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        loader = getattr(spec, "loader", None)
        if type(loader) is not importlib.machinery.SourceFileLoader or not self._is_beside(loader.path):
            return None
        spec.loader = _Loader(loader.name, loader.path, self.trace)
        return spec

    def _is_beside(self, path):
        real = os.path.realpath(path)
        return real.startswith(self.trace.root + os.sep) and "site-packages" not in real


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name, path, trace):
        super().__init__(name, path)
        self.trace = trace

    def get_code(self, fullname):
        """Never from a .pyc, and none is written: an instrumented one must not outlive this kernel."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)

    def source_to_code(self, data, path, _optimize=-1):
        plain = super().source_to_code(data, path)
        try:
            return self.trace.instrumented_module(importlib.util.decode_source(data), path, plain)
        except Exception as error:
            self.trace.fault("helper %s" % path, error)
            return plain


class PlainCode:
    """{instrumented code object: the plain one}, for every function in the notebook and beside it.

    Equal code objects are alike in all but the name of their file, so IPython's own compilation finds ours.
    """

    def __init__(self):
        self.plain = {}

    def add(self, instrumented, plain):
        theirs = [const for const in instrumented.co_consts if isinstance(const, types.CodeType)]
        ours = [const for const in plain.co_consts if isinstance(const, types.CodeType)]
        for one, other in zip(theirs, ours):
            if one.co_name != other.co_name or one.co_freevars != other.co_freevars:
                continue
            self.plain.setdefault(one, other)
            self.add(one, other)

    def restore(self):
        """Gives every function that lives its plain code; answers how many."""
        count = 0
        for value in gc.get_objects():
            if type(value) is types.FunctionType:
                other = self.plain.get(value.__code__)
                if other is not None:
                    value.__code__ = other.replace(co_filename=value.__code__.co_filename)
                    count += 1
        return count


def start(trace):
    sys.meta_path.insert(0, HelperFinder(trace))
