"""Records a run of a notebook inside its own kernel.

    import levain_runtime.adopt.trace as _t
    _t.install(get_ipython(), {"notebook": "churn.ipynb", "root": "/path/of/the/copy", "redirects": {}, "network": "none", "seed": True})
    _t.next_cell(1)      # silent, before each code cell
    ... the cell itself, as it is (store_history, not silent) ...
    _t.CURRENT           # the Trace

Hooks never change a result, an exception, the state of a random generator or the identity of an object; what goes wrong in here
is counted in ``Trace.faults`` and nothing else. A site that runs very often or gets too large is switched off (``Site.off``).
"""

import ast
import copy
import os
import re
import sys
import threading
import time

from . import helpers as _helpers
from . import items as _items
from . import sites as _sites
from .guards import Guards
from .magics import Magics
from .observe import FIT_METHODS, PREDICT_METHODS, Observer
from .paths import Redirects, kind_of_paths

MAX_RECORDS_PER_SITE = 2000
MAX_OTHER_PER_SITE = 1000
MAX_SECONDS_PER_SITE = 3.0
MAX_KEPT_BYTES_PER_SITE = 64 << 20
MAX_KEPT_BYTES = 1 << 30
MAX_STACK = 10000
#: Never switched off for being slow: they only stop keeping copies.
EVENTS = FIT_METHODS | PREDICT_METHODS
MAX_HELPER_CALLS = 5000

#: The trace of this kernel; None in processes that only load functions of the notebook.
CURRENT = None

_off = bytearray()
_reads_paths = bytearray()
_stack = []
_main_thread = threading.get_ident()
_CELL_FILE = re.compile(r"ipykernel_\d+|<ipython-input|<cell")


class Trace:
    """What a run did. Orders are numbers of one counter; everything that has one can be put in sequence.

    cells: [CellRun] in order of running; cell(n) gives the last run of cell n. sites: {id: Site}.
    reads: [Read]. fits: [Fit]. predictions: [Prediction]. metrics: [Metric]. saves: [Save]. splits: [Split]. printed: [Printed].
    In events (Fit, Prediction, …) ``cell`` is the cell that was running; ``sites[site_id].cell`` is the one that holds the text.
    opens: paths opened for reading under root or named by the notebook. writes: paths opened for writing.
    refused_network: hosts and addresses that were asked for. notes: sentences on what was changed or could not be seen.
    redirects: {path as written: path that was used}. shell: the InteractiveShell.
    """

    def __init__(self, shell, config):
        self.shell, self.config = shell, dict(config)
        self.root = os.path.realpath(config.get("root") or os.getcwd())
        self.cells, self.sites, self.reads, self.fits, self.predictions, self.metrics, self.saves = [], {}, [], [], [], [], []
        self.splits, self.printed = [], []
        self.opens, self.writes, self.refused_network, self.notes, self.faults = [], [], [], [], []
        self.paths = Redirects(self.root, config.get("redirects"))
        self.order, self.kept = 0, 0
        self.observer, self.plain_code = Observer(self), _helpers.PlainCode()
        self._next, self._running, self._before = 1, None, {}

    @property
    def redirects(self):
        return dict(self.paths.used)

    def cell(self, number):
        """The last run of a cell, None before it ran."""
        return next((run for run in reversed(self.cells) if run.number == number), None)

    @property
    def running(self):
        """Number of the cell that runs now, 0 between cells."""
        return self._running.number if self._running is not None else 0

    def next_order(self):
        self.order += 1
        return self.order

    def all_records(self):
        """Every record of every site in order of completion."""
        return sorted((record for site in self.sites.values() for record in site.records), key=lambda record: record.order)

    def site_of(self, node):
        """The site of a node of ``CellRun.tree``, or None."""
        return self.sites.get(getattr(node, "levain_site", None))

    # The life of a cell: IPython's events and its AST transformers.

    def before_cell(self, raw):
        run = _sites.CellRun(self._next, raw, _transformed(self.shell, raw))
        run.started = self.next_order()
        self.cells.append(run)
        self._running, self._next = run, self._next + 1
        self._before = _bindings(self.shell.user_ns)
        del _stack[:]

    def after_cell(self, failure):
        run, self._running = self._running, None
        if run is None:
            return
        run.ended = self.next_order()
        run.status, run.error = ("ok", None) if failure is None else ("error", _error(failure))
        after = _bindings(self.shell.user_ns)
        run.defined = [name for name, number in after.items() if self._before.get(name) != number]
        self._before = {}
        self.observer.name_objects(self.shell.user_ns)
        del _stack[:]

    def transform(self, tree):
        run = self._running
        if run is None or run.tree is not None:
            return tree
        instrumented = copy.deepcopy(tree)
        plain, found = _sites.instrument(instrumented, run.source, run.number, len(_off))
        _items.instrument(instrumented, run.number)
        run.tree, run.sites = plain, [site.id for site in found]
        self.add_sites(found)
        self._remember(instrumented, plain)
        return instrumented

    def instrumented_module(self, source, path, plain_code):
        """The code of a helper module, instrumented; its sites have cell 0 and ``module`` = path."""
        if len(source) > _helpers.MAX_SOURCE or source.count("(") > MAX_HELPER_CALLS:
            self.note("%s is too large to be looked into" % path)
            return plain_code
        tree = compile(source, path, "exec", ast.PyCF_ONLY_AST)
        _, found = _sites.instrument(tree, source, 0, len(_off), path)
        self.add_sites(found)
        code = compile(tree, path, "exec", dont_inherit=True)
        self.plain_code.add(code, plain_code)
        return code

    def _remember(self, instrumented, plain):
        """Functions of the cell are given their plain code again before they are saved (see without_instruments)."""
        try:
            flags = getattr(self.shell.compile, "flags", 0) | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            codes = [compile(tree, "<cell>", "exec", flags, True) for tree in (instrumented, plain)]
            self.plain_code.add(*codes)
        except (SyntaxError, ValueError) as error:
            self.fault("plain code", error)

    def without_instruments(self):
        """Takes the instruments out of every living function, so that what is pickled by value needs nothing of ours. At the end
        of the run, before anything is saved."""
        return self.plain_code.restore()

    def add_sites(self, found):
        for site in found:
            self.sites[site.id] = site
            _off.append(0)
            _reads_paths.append(kind_of_paths(site.attribute))

    def finish(self, entry, result):
        """A call of a site came to its end."""
        site = self.sites[entry.site]
        begun = time.perf_counter()
        record = self.observer.observe(site, entry, result)
        _items.note(self, site, entry, record, result)
        site.counts[record.kind] = site.counts.get(record.kind, 0) + 1
        if record.kind != "other" or len(site.records) < 50:
            site.records.append(record)
        site.spent += time.perf_counter() - begun
        self._limit(site)

    def keep(self, site, size):
        """Whether a copy of this size may still be kept; counts it."""
        if self.kept + size > MAX_KEPT_BYTES or (site is not None and site.kept + size > MAX_KEPT_BYTES_PER_SITE):
            return False
        self.kept += size
        if site is not None:
            site.kept += size
        return True

    def _limit(self, site):
        tracked = sum(site.counts.values()) - site.counts.get("other", 0)
        if tracked >= MAX_RECORDS_PER_SITE or (tracked == 0 and site.counts.get("other", 0) >= MAX_OTHER_PER_SITE):
            self.switch_off(site, "many")
        elif site.spent > MAX_SECONDS_PER_SITE and tracked > 8 and site.attribute not in EVENTS:
            self.switch_off(site, "slow")

    def switch_off(self, site, why):
        site.off = why
        _off[site.id] = 1

    def note(self, sentence):
        if sentence not in self.notes and len(self.notes) < 500:
            self.notes.append(sentence)

    def fault(self, where, error):
        if len(self.faults) < 100:
            self.faults.append("%s: %s: %s" % (where, type(error).__name__, str(error)[:300]))


class _Entry:
    """A call under way."""

    __slots__ = ("site", "callee", "owner", "arguments", "before", "after")

    def __init__(self, site):
        self.site, self.callee, self.owner, self.arguments, self.before, self.after = site, None, None, {}, None, None


def begin(site):
    try:
        if _off[site] or threading.get_ident() != _main_thread:
            return None
    except IndexError:
        return None
    entry = _Entry(site)
    _stack.append(entry)
    if len(_stack) > MAX_STACK:
        del _stack[: MAX_STACK // 2]
    return entry


def callee(site, value):
    entry = _open_entry(site)
    if entry is not None:
        try:
            CURRENT.observer.called(CURRENT.sites[site], entry, value)
        except Exception as error:
            CURRENT.fault("callee", error)
    return value


def arg(site, key, value):
    entry = _open_entry(site)
    if entry is None:
        return value
    if _reads_paths[site]:
        try:
            value = CURRENT.observer.path_argument(CURRENT.sites[site], entry, value, _reads_paths[site])
        except Exception as error:
            CURRENT.fault("path", error)
    entry.arguments[key] = value
    return value


def end(entry, result):
    if entry is None or CURRENT is None:
        return result
    _close(entry)
    try:
        CURRENT.finish(entry, result)
    except Exception as error:
        CURRENT.fault("site %d" % entry.site, error)
    return result


def _open_entry(site):
    """The entry of a call under way; an exception may have left others above it."""
    if not _stack:
        return None
    entry = _stack[-1]
    if entry.site == site:
        return entry
    if _off[site] or threading.get_ident() != _main_thread:
        return None
    return next((entry for entry in reversed(_stack[-16:]) if entry.site == site), None)


def _close(entry):
    if _stack and _stack[-1] is entry:
        _stack.pop()
        return
    for position in range(len(_stack) - 1, -1, -1):
        if _stack[position] is entry:
            del _stack[position:]
            return


class _Transformer:
    """What IPython's list of AST transformers takes; it must not raise."""

    def visit(self, tree):
        try:
            return CURRENT.transform(tree) if CURRENT is not None else tree
        except Exception as error:
            CURRENT.fault("transform", error)
            return tree


def install(shell, config):
    """Starts the trace of this kernel.

    config: root (folder of the copy, default the working directory), redirects ({path as written: path relative to root}), network
    ('none' refuses all but loopback and Unix sockets, 'all'), seed (default True: random and numpy.random with 0), protect (folders in
    which nothing may be written, renamed or removed: the notebook's own).
    """
    global CURRENT, _main_thread
    if CURRENT is not None:
        return CURRENT
    _main_thread = threading.get_ident()
    CURRENT = Trace(shell, config)
    hooks = {_sites.BEGIN: begin, _sites.CALLEE: callee, _sites.ARG: arg, _sites.END: end}
    hooks.update(_items.hooks())
    # In the notebook's own namespace, so that functions sent to worker processes find them by their module; in builtins for the
    # notebook that empties its namespace.
    import builtins

    for name, hook in hooks.items():
        setattr(builtins, name, hook)
        shell.user_ns[name] = hook
    shell.user_ns_hidden.update(hooks)
    shell.ast_transformers.append(_Transformer())
    network = config.get("network", "none") == "all"
    manager = shell.input_transformer_manager
    manager.cleanup_transforms.append(Magics(shell, CURRENT, network))
    _helpers.start(CURRENT)
    Guards(CURRENT, network, config.get("protect")).start()
    shell.events.register("pre_run_cell", _before)
    shell.events.register("post_run_cell", _after)
    _seed(config)
    return CURRENT


def next_cell(number):
    """Tells the number of the code cell that runs next (1-based)."""
    CURRENT._next = int(number)


def _before(info=None):
    try:
        CURRENT.before_cell(getattr(info, "raw_cell", "") or "")
    except Exception as error:
        CURRENT.fault("before", error)


def _after(result=None):
    try:
        failure = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        CURRENT.after_cell(failure)
    except Exception as error:
        CURRENT.fault("after", error)


def _transformed(shell, raw):
    try:
        return shell.transform_cell(raw)
    except Exception:
        return raw


def _bindings(namespace):
    return {name: id(value) for name, value in list(namespace.items()) if not name.startswith("_")}


def _error(failure):
    line = None
    if isinstance(failure, SyntaxError):
        line = failure.lineno
    else:
        step = failure.__traceback__
        while step is not None:
            # The first frame of a cell is the one that ran; deeper ones may be functions of other cells.
            if _CELL_FILE.search(step.tb_frame.f_code.co_filename):
                line = step.tb_lineno
                break
            step = step.tb_next
    return {"name": type(failure).__name__, "message": str(failure)[:2000], "line": line}


def _seed(config):
    if config.get("seed") is False:
        return
    import random

    random.seed(0)
    try:
        import numpy
    except ImportError:
        return
    numpy.random.seed(0)
