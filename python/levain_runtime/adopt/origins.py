"""How an object came to its last fit: on its own, as the last value of a loop, or on one fold of many."""

import ast

from .evaluations import better
from .reach import getattr_quietly

MAX_UNPACKED = 100


class Origin:
    """why_not: a sentence where the object is only what a loop left over; refitted_on_more: its last fit had more rows than the one
    before (a final fit on all rows)."""

    def __init__(self):
        self.why_not, self.refitted_on_more = None, False


def loop_names(trace):
    """Variables of for loops at the top level of cells."""
    names = set()
    for run in trace.cells:
        for node in ast.walk(run.tree) if run.tree is not None else ():
            if isinstance(node, ast.For):
                names |= {inner.id for inner in ast.walk(node.target) if isinstance(inner, ast.Name)}
    return names


def origin_of(trace, linked, candidate, reachable):
    origin, fit = Origin(), candidate.fit
    if fit is None:
        return origin
    if len(candidate.fits) > 1:
        before = candidate.fits[-2]
        origin.refitted_on_more = bool(fit.rows and before.rows and fit.rows > before.rows and fit.site_id != before.site_id)
    together = [other for other in trace.fits if other.site_id == fit.site_id and other.cell == fit.cell]
    if len(together) < 2 or fit is not together[-1] or not _in_loop(trace, fit):
        return origin
    if fit.method in ("partial_fit", "train_on_batch") or _are_repeats(together):
        return origin
    if _are_folds(together):
        origin.why_not = "it was fitted on one fold of %d in cell %d, not on all training rows" % (len(together), fit.cell)
        return origin
    lost = [other for other in together if id(other.estimator) not in reachable]
    changed = [other for other in together if other.estimator is fit.estimator and other is not fit]
    if lost or changed:
        origin.why_not = _last_of_loop(linked, together, fit)
    return origin


def _in_loop(trace, fit):
    site = trace.sites.get(fit.site_id)
    run = trace.cell(site.cell) if site is not None else None
    if run is None or run.tree is None:
        return False
    if site.function is not None:
        return True  # a function that was called several times in one cell
    return any(
        isinstance(node, (ast.For, ast.While, ast.ListComp, ast.DictComp)) and any(inner is site.node for inner in ast.walk(node))
        for node in ast.walk(run.tree)
    )


def _are_folds(fits):
    """Equal settings, equally many rows or nearly so, but other rows each time."""
    settings = {_settings(_then(fit, fits)) for fit in fits}
    prints = {fit.X_print for fit in fits}
    rows = [fit.rows for fit in fits if fit.rows]
    return len(settings) == 1 and len(prints) == len(fits) and len(fits) >= 3 and bool(rows) and max(rows) - min(rows) <= max(2, max(rows) // 50)


def _are_repeats(fits):
    """The same settings on the same rows, again and again."""
    return len({fit.X_print for fit in fits}) == 1 and fits[0].X_print is not None and len({_settings(_then(fit, fits)) for fit in fits}) == 1


def _then(fit, fits):
    """The estimator as it was after a fit: one object that a loop fits again has other settings each time."""
    if len({id(other.estimator) for other in fits}) == len(fits) or len(fits) > MAX_UNPACKED:
        return fit.estimator
    then = fit.fitted()
    return then if then is not None else fit.estimator


def _last_of_loop(linked, together, fit):
    ends = [other.order for other in together[1:]] + [None]
    scores = []
    for other, end in zip(together, ends):
        found = [e for e in linked.of(other.estimator, [], [other], other.order) if (end is None or e.prediction.order < end) and e.score]
        scores.append(found[-1].score if found else None)
    known = [(score, other) for score, other in zip(scores, together) if score is not None]
    last = scores[-1]
    if last is not None and len(known) == len(together) and all(not better(last[0], score[1], last[1]) for score, _ in known if score[0] == last[0]):
        return None  # the last one is the best one
    sentence = "it is the last of %d that a loop in cell %d fitted%s" % (len(together), fit.cell, _difference(together, fit))
    if last is not None and known:
        best = known[0]
        for other in known[1:]:
            best = other if other[0][0] == best[0][0] and better(best[0][0], other[0][1], best[0][1]) else best
        sentence += "; the best had %s %.4g%s" % (best[0][0], best[0][1], _difference(together, best[1]))
    return sentence + "; fit the one that is meant under a name of its own"


def _difference(fits, one):
    """In what the settings of one fit differ from the others' (" (n_neighbors=29)")."""
    types = {type(fit.estimator).__name__ for fit in fits}
    if len(types) > 1:
        return " (%s)" % type(one.estimator).__name__
    try:
        all_settings = [_then(fit, fits).get_params(deep=False) for fit in fits]
        mine = _then(one, fits).get_params(deep=False)
        names = [name for name in mine if len({repr(settings.get(name)) for settings in all_settings}) > 1]
        return " (%s)" % ", ".join("%s=%r" % (name, mine[name]) for name in names[:3]) if names else ""
    except Exception:
        return ""


def _settings(estimator):
    get = getattr_quietly(estimator, "get_params")
    try:
        return type(estimator).__name__ + repr(sorted((k, repr(v)) for k, v in get(deep=False).items())) if get else type(estimator).__name__
    except Exception:
        return type(estimator).__name__
