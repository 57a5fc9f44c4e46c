"""One sentence on why a notebook leaves no model that can be served, with the smallest change that helps."""

from .reach import can_predict


def no_model_reason(finder):
    trace = finder.trace
    turned_down = [c for c in finder.candidates if c.why_not is not None]
    if turned_down:
        first = turned_down[0]
        if first.failed:
            return _failed_sentence(trace, first.failed[0], "%s cannot be trusted" % first.expression)
        return "%s: %s" % (first.expression, first.why_not)
    unrun = finder.failed.unrun_fits
    if unrun:
        cell, name, line = unrun[0]
        return _failed_sentence(trace, cell, "%s was never fitted" % (name or "the model"))
    kept = [fit for fit in trace.fits if can_predict(fit.estimator)]
    if kept:
        fit = kept[-1]
        code = trace.sites[fit.site_id].code.splitlines()[0][:80]
        return "No variable keeps the model that cell %d fits (`%s`): give it a name, for example `model = …`" % (fit.cell, code)
    crossed = [metric for metric in trace.metrics if metric.name.startswith("cross_val")]
    if crossed:
        return "The notebook only cross-validates (cell %d), which throws its models away: fit one at the end, `model.fit(X, y)`" % crossed[-1].cell
    if trace.fits:
        names = sorted({type(fit.estimator).__name__ for fit in trace.fits})
        return "No model is fitted: the notebook fits only %s, which predict nothing" % ", ".join(names[:5])
    failed = finder.failed.failed
    if failed:
        return _failed_sentence(trace, failed[0], "no model was fitted")
    return "The notebook fits no model: no call of fit was seen in any of its %d cells" % len(trace.cells)


def _failed_sentence(trace, cell, consequence):
    run = trace.cell(cell)
    error = run.error if run is not None and run.error else {"name": "it never ran", "message": "", "line": None}
    where = "cell %d%s" % (cell, ", line %d," % error["line"] if error.get("line") else "")
    return "%s failed (%s%s), so %s" % (where, error["name"], ": " + error["message"][:200] if error["message"] else "", consequence)
