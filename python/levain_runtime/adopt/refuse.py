"""One sentence on why a notebook leaves no model that can be served, with the smallest change that helps."""

import re

from .reach import can_predict


def no_model_reason(finder):
    trace = finder.trace
    turned_down = [c for c in finder.candidates if c.why_not is not None]
    if turned_down:
        first = turned_down[0]
        if first.failed:
            return failed_sentence(finder, first.failed[0], "%s cannot be trusted" % first.expression)
        finder.reason_cell = first.fit.cell if first.fit is not None else None
        return "%s: %s" % (first.expression, first.why_not)
    unrun = finder.failed.unrun_fits
    if unrun:
        cell, name, line = unrun[0]
        return failed_sentence(finder, cell, "%s was never fitted" % (name or "the model"))
    kept = [fit for fit in trace.fits if can_predict(fit.estimator)]
    if kept:
        fit = kept[-1]
        finder.reason_cell = fit.cell
        code = trace.sites[fit.site_id].code.splitlines()[0][:80]
        return "No variable keeps the model that cell %d fits (`%s`): give it a name, for example `model = …`" % (fit.cell, code)
    crossed = [metric for metric in trace.metrics if metric.name.startswith("cross_val")]
    if crossed:
        finder.reason_cell = crossed[-1].cell
        return "The notebook only cross-validates (cell %d), which throws its models away: fit one at the end, `model.fit(X, y)`" % crossed[-1].cell
    if trace.fits:
        names = sorted({type(fit.estimator).__name__ for fit in trace.fits})
        return "No model is fitted: the notebook fits only %s, which predict nothing" % ", ".join(names[:5])
    failed = finder.failed.failed
    if failed:
        return failed_sentence(finder, failed[0], "no model was fitted")
    return "The notebook fits no model: no call of fit was seen in any of its %d cells" % len(trace.cells)


def failed_sentence(finder, cell, consequence):
    trace, cell = finder.trace, root_cause(finder, cell)
    run, finder.reason_cell = trace.cell(cell), cell
    error = run.error if run is not None and run.error else {"name": "it never ran", "message": "", "line": None}
    where = "cell %d%s" % (cell, ", line %d," % error["line"] if error.get("line") else "")
    return "%s failed (%s%s), so %s" % (where, error["name"], ": " + error["message"][:200] if error["message"] else "", consequence)


def root_cause(finder, cell):
    """The failed cell that would have bound the name which a NameError misses, as far back as that goes."""
    for _ in range(50):
        run = finder.trace.cell(cell)
        missing = re.match(r"name '(\w+)' is not defined", run.error["message"]) if run is not None and run.error else None
        earlier = [number for number in finder.failed.taint.get(missing.group(1), ()) if number < cell] if missing else []
        if not earlier:
            return cell
        cell = min(earlier)
    return cell
