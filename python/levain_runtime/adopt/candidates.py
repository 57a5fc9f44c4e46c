"""Which of the fitted objects that a notebook leaves is the model that is meant, with the evidence in sentences.

    report(ip, "/path/candidates.json", wanted=None)

The saved one; else the one that was evaluated last on held-out rows, that the text names or that was printed as best. An inner
estimator of a pipeline, the last value of a loop, an object that was fitted again or no longer gives the answers that were printed,
and anything that rests on a failed cell is named as such in ``why_not``. Several plausible ones make it ``ambiguous``.
"""

import json
import os
import types

from . import records as _r
from . import trace as _trace
from .candidate_facts import facts_of
from .compare import compare
from .evaluations import Evaluations, better, holds_printed
from .failed import FailedCells
from .origins import loop_names, origin_of
from .reach import can_predict, is_fitted, parts_of, reached, task_of
from .refuse import failed_sentence, no_model_reason, root_cause
from .target import find_target
from .weigh import MODEL_TASKS, Weigher
from .words import Praise

MAX_CANDIDATES = 60
#: Two candidates whose confidence differs by less are both plausible.
CLOSE = 0.15


class Candidate:
    """expression, value, aliases; fits: [Fit] of it in order, fit: the last; evaluations: since that fit, all_evaluations: ever;
    task; test: the Evaluation whose rows are its test rows, or None; holds: see printedAnswersHold; failed: [cell]; target: Target,
    or None and target_why: the reason."""

    def __init__(self, found):
        self.expression, self.value, self.aliases = found.expression, found.value, found.aliases
        self.same = []
        self.fits, self.evaluations, self.all_evaluations, self.saves, self.evidence = [], [], [], [], []
        self.task = self.test = self.holds = self.target = self.target_why = self.why_not = self.origin = None
        self.failed, self.confidence, self.support, self.best = [], 0.0, 0.0, None

    @property
    def fit(self):
        return self.fits[-1] if self.fits else None

    @property
    def root(self):
        return self.expression.split("[")[0].split(".")[0]


def report(shell, out_path, wanted=None):
    """Writes candidates.json (see adopt.md). Nothing of the notebook's is changed. Answers the document."""
    current = _trace.CURRENT
    document = Finder(current, shell.user_ns).document(wanted)
    document.update(_compared(current, os.path.dirname(os.path.abspath(out_path))))
    temporary = out_path + ".tmp"
    with open(temporary, "w", encoding="utf-8") as out:
        json.dump(document, out, ensure_ascii=False, allow_nan=False)
    os.replace(temporary, out_path)
    return document


def _compared(trace, folder):
    """Differences between what the notebook stores and executed.ipynb beside candidates.json, where there is one."""
    name = trace.config.get("notebook") or ""
    stored = name if os.path.isabs(name) else os.path.join(trace.root, name)
    executed = os.path.join(folder, "executed.ipynb")
    if not name.endswith(".ipynb") or not os.path.isfile(stored):
        return {}
    try:
        found = compare(stored, executed if os.path.isfile(executed) else None)
    except Exception as error:  # a notebook of an odd format must not cost the model
        trace.fault("compare", error)
        return {}
    return {name: found[name] for name in ("differences", "ranOutOfOrder", "neverRun")}


class Finder(Weigher):
    """candidates: [Candidate], best first. For other parts: ``Finder(trace.CURRENT, ip.user_ns).candidate("model")``."""

    def __init__(self, trace, namespace):
        self.trace, self.namespace, self.reason_cell = trace, namespace, None
        self.records = {record.order: record for record in trace.all_records()}
        self.failed, self.linked, self.praise = FailedCells(trace), Evaluations(trace), Praise(trace, namespace)
        self.candidates = self._found()
        for candidate in self.candidates:
            self._examine(candidate)
        self._compare()
        for candidate in self.candidates:
            self._weigh(candidate)
        self.candidates.sort(key=lambda c: (-c.confidence, -(c.fit.order if c.fit else 0)))

    def candidate(self, expression):
        """The candidate that an expression names, also by another name of the same object; None without one."""
        wanted = "".join(str(expression).split()).replace('"', "'")
        for candidate in self.candidates:
            if wanted in ["".join(name.split()).replace('"', "'") for name in [candidate.expression] + candidate.aliases]:
                return candidate
        return None

    # Who is there.

    def _found(self):
        everything = [found for found in reached(self.namespace, loop_names(self.trace)) if is_fitted(found.value)]
        everything = [found for found in everything if self._was_fitted_here(found.value) or self._was_loaded(found.value) or self._answered(found.value)]
        inner = {}
        for found in everything:
            for part in parts_of(found.value):
                if part is not found.value:
                    inner.setdefault(id(part), found)
        result = []
        for found in everything:
            outer = inner.get(id(found.value))
            if outer is None or self._stands_alone(found.value, outer.value):
                result.append(Candidate(found))
        self._merge_searches(result)
        self._merge_loaded(result)
        return result[:MAX_CANDIDATES]

    def _was_fitted_here(self, value):
        return any(fit.estimator is value for fit in self.trace.fits)

    def _was_loaded(self, value):
        return any(save.loaded and save.value is value for save in self.trace.saves)

    def _answered(self, value):
        return any(p.estimator is value for p in self.trace.predictions)

    def _stands_alone(self, part, outer):
        """An inner object is a candidate of its own where it was asked itself, but not in a pipeline's place."""
        if getattr(outer, "best_estimator_", None) is part:
            return True
        own = [fit.order for fit in self.trace.fits if fit.estimator is part]
        others = [fit.order for fit in self.trace.fits if fit.estimator is outer]
        return bool(own) and bool(others) and max(own) > max(others)

    def _merge_searches(self, candidates):
        """A search and its best estimator answer the same: one candidate, by the name that was asked last."""
        for search in list(candidates):
            best = getattr(search.value, "best_estimator_", None)
            other = next((c for c in candidates if best is not None and c.value is best), None)
            if other is None:
                search.same = [best] if best is not None else []
                continue
            last = [max([p.order for p in self.trace.predictions if p.estimator is c.value] or [0]) for c in (search, other)]
            kept, dropped = (other, search) if last[1] > last[0] else (search, other)
            kept.same, kept.fits = [dropped.value], [fit for fit in self.trace.fits if fit.estimator is search.value]
            kept.aliases += [dropped.expression] + dropped.aliases
            candidates.remove(dropped)

    def _merge_loaded(self, candidates):
        """What was saved and read back is the same model by another name."""
        for candidate in list(candidates):
            original = self._saved_original(candidate.value)
            kept = next((c for c in candidates if original is not None and c.value is original and c is not candidate), None)
            if kept is not None:
                kept.same = kept.same + [candidate.value]
                kept.aliases += [candidate.expression] + candidate.aliases
                candidates.remove(candidate)

    def _saved_original(self, value):
        loaded = next((save for save in self.trace.saves if save.loaded and save.value is value), None)
        if loaded is None or loaded.path is None:
            return None
        saved = [s for s in self.trace.saves if not s.loaded and s.path == loaded.path and s.order < loaded.order]
        return saved[-1].value if saved else None

    # What is known of each.

    def _examine(self, candidate):
        value = candidate.value
        candidate.task = task_of(value)
        candidate.fits = candidate.fits or [fit for fit in self.trace.fits if fit.estimator is value]
        candidate.saves = [save for save in self.trace.saves if not save.loaded and holds(save.value, [value] + candidate.same)]
        if not candidate.fits:
            candidate.fits = self._fits_of_loaded(value)
        candidate.all_evaluations = self.linked.of(value, candidate.same, candidate.fits)
        since = candidate.fit.order if candidate.fit is not None else 0
        for evaluation in candidate.all_evaluations:
            self._find_truth(evaluation, candidate.fits)
        candidate.evaluations = [e for e in candidate.all_evaluations if e.prediction.order > since]
        if candidate.task is None:
            candidate.task = _task_by_target(candidate.fit)
        candidate.test = test_of(candidate.evaluations) or test_of(candidate.all_evaluations)
        candidate.holds = holds_printed(value, candidate.all_evaluations, candidate.fit)
        candidate.origin = origin_of(self.trace, self.linked, candidate, {id(c.value) for c in self.candidates})
        fit = candidate.fit
        if fit is not None:
            candidate.failed = sorted(set(self.failed.behind(fit.record)) | set(self.failed.behind(self._test_record(candidate))))
            candidate.target, candidate.target_why = find_target(self.trace, self.namespace, fit, set(fit.X_columns or ()))
        else:
            candidate.failed = self.failed.behind_name(candidate.root)

    def _test_record(self, candidate):
        return self.records.get(candidate.test.prediction.order) if candidate.test is not None else None

    def _fits_of_loaded(self, value):
        original = self._saved_original(value)
        return [fit for fit in self.trace.fits if original is not None and fit.estimator is original]

    def _find_truth(self, evaluation, fits):
        """The labels of rows that were split off together with the training rows."""
        p = evaluation.prediction
        fit = next((fit for fit in reversed(fits) if fit.order < p.order), None)
        if evaluation.labelled or fit is None or fit.y is None or p.rows is None:
            return
        for split in self.trace.splits:
            for train, test in split.parts:
                if _r.count_rows(test) == p.rows and (train is fit.y or _r.fingerprint(train) == fit.y_print):
                    evaluation.y_true, evaluation.labelled = test, True
                    return

    def _compare(self):
        """The best of those that were scored by the same metric on rows that they had not seen."""
        scored = [(c, c.test.score) for c in self.candidates if c.test is not None and c.test.held_out and c.test.score]
        for name in {score[0] for _, score in scored}:
            same = [(c, score[1]) for c, score in scored if score[0] == name]
            if len(same) > 1:
                best = same[0]
                for other in same[1:]:
                    best = other if better(name, other[1], best[1]) else best
                best[0].best = (name, best[1], len(same))

    # The choice.

    def document(self, wanted=None):
        chosen, ambiguous, reason = self._choose(wanted)
        trace = self.trace
        return {
            "candidates": [facts_of(self, candidate) for candidate in self.candidates],
            "chosen": chosen,
            "ambiguous": ambiguous,
            "reason": reason,
            "reasonCell": self.reason_cell if chosen is None else None,
            "saved": self._saved(),
            "differences": [],
            "ranOutOfOrder": False,
            "neverRun": [],
            "failedCells": self.failed.failed,
            "reads": [_read(read) for read in trace.reads],
            "redirects": trace.redirects,
            "refusedNetwork": list(trace.refused_network),
            "notes": list(trace.notes) + _ambiguous_paths(trace),
            "faults": list(trace.faults),
        }

    def _choose(self, wanted):
        if wanted:
            found = self.candidate(wanted)
            if found is not None:
                return self.candidates.index(found), False, "%s was asked for by name" % found.expression
            names = ", ".join(c.expression for c in self.candidates[:12])
            return None, False, "The notebook leaves no fitted model named %s.%s" % (wanted, " There are: %s." % names if names else "")
        good = [c for c in self.candidates if c.why_not is None and c.task in MODEL_TASKS]
        if not good:
            return None, False, no_model_reason(self)
        first = good[0]
        missing = self._missing_model(first) or self._spoilt_model(first) or self._lost_model(first)
        if missing is not None:
            return None, False, missing
        rivals = [c for c in good[1:] if first.confidence - c.confidence < CLOSE or self._is_rival(first, c)]
        return self.candidates.index(first), bool(rivals), self._reason(first, rivals)

    def _is_rival(self, first, other):
        """Scored on rows that it had not seen, while nothing but scores and order speaks for the first."""
        plain = not first.saves and not self.praise.of(first, [])
        return plain and other.test is not None and bool(other.test.held_out) and other.test.score is not None

    def _reason(self, first, rivals):
        reason = "%s: %s" % (first.expression, "; ".join(first.evidence))
        if rivals:
            reason += ". %s would be plausible too" % ", ".join(c.expression for c in rivals[:4])
        return reason

    def _missing_model(self, first):
        """A later cell that fits another model failed: the one that is left need not be the one that is meant."""
        last = max([first.fit.order if first.fit else 0] + [e.prediction.order for e in first.evaluations])
        if first.saves or self.praise.of(first, []):
            return None
        for cell, name, line in self.failed.unrun_fits:
            run = self.trace.cell(cell)
            other = self.namespace.get(name)
            if run.started > last and not isinstance(other, types.ModuleType) and name != first.root and not self._fitted_later(name, run):
                doubt = "whether %s is the one that is meant is not known" % first.expression
                cause = root_cause(self, cell)
                if cause != cell:
                    return failed_sentence(self, cell, "cell %d could not fit %s (line %d), and %s" % (cell, name or "its model", line, doubt))
                self.reason_cell = cell
                error = run.error or {"name": "it never ran", "message": ""}
                return "cell %d, which fits %s (line %d), failed: %s; %s" % (cell, name or "a model", line, error["message"] or error["name"], doubt)
        return None

    def _spoilt_model(self, first):
        """Far more speaks for one that cannot be served: what is left is not the one that is meant."""
        spoilt = [c for c in self.candidates if c.why_not is not None and c.task in MODEL_TASKS and c.support >= first.support + 0.2]
        if not spoilt or first.saves:
            return None
        most = max(spoilt, key=lambda c: c.support)
        return "%s seems to be the model that is meant, but %s; %s is left (--model %s takes it)" % (
            most.expression,
            most.why_not,
            first.expression,
            first.expression,
        )

    def _lost_model(self, first):
        """The notebook praises a kind that scored better and that no variable keeps any more."""
        if first.saves or first.test is None or first.test.score is None or self.praise.of(first, []):
            return None
        name, value = first.test.score
        kept = {id(c.value) for c in self.candidates} | {id(part) for c in self.candidates for part in parts_of(c.value)}
        for fit in self.trace.fits:
            if id(fit.estimator) in kept or not can_predict(fit.estimator) or type(fit.estimator) is type(first.value):
                continue
            scores = [e.score for e in self.linked.of(fit.estimator, [], [fit], fit.order) if e.held_out and e.score and e.score[0] == name]
            if not scores or not better(name, scores[-1][1], value):
                continue
            said = self.praise.of_lost(fit.estimator, first.value)
            if said:
                return "%s, which cell %d fitted (%s %.4g), seems to be meant (%s), but no variable keeps it: give it a name of its own; %s is left" % (
                    type(fit.estimator).__name__,
                    fit.cell,
                    name,
                    scores[-1][1],
                    said,
                    first.expression,
                )
        return None

    def _fitted_later(self, name, run):
        return any(fit.name == name and fit.order > run.started for fit in self.trace.fits)

    def _saved(self):
        found = []
        for candidate in self.candidates:
            found.extend({"path": save.path, "variable": candidate.expression} for save in candidate.saves)
        return found


def test_of(evaluations):
    """The evaluation whose rows count as the notebook's test rows: the last labelled one on rows not seen, else the last labelled
    one, else the last on rows not seen."""
    for wanted in (lambda e: e.held_out and e.labelled, lambda e: e.labelled, lambda e: e.held_out):
        found = [e for e in evaluations if wanted(e) and e.prediction.rows and e.prediction.rows > 1]
        asked = [e for e in found if e.prediction.method in ("predict", "predict_proba", "decision_function", "predict_classes")]
        if found:
            rows = found[-1].prediction.X_print
            same = [e for e in asked if e.prediction.X_print == rows and rows is not None]
            return _joined(same[-1], [e for e in found if e.prediction.X_print == rows]) if same else found[-1]
    return None


def _joined(evaluation, others):
    """One evaluation with the metrics of all that asked about the same rows."""
    for other in others:
        evaluation.metrics = evaluation.metrics + [m for m in other.metrics if m not in evaluation.metrics]
        evaluation.y_true = evaluation.y_true if evaluation.y_true is not None else other.y_true
        evaluation.labelled = evaluation.labelled or other.labelled
    return evaluation


def holds(saved, values, depth=0):
    """Whether what was saved is one of these objects, or holds it ({'model': m, 'scaler': s})."""
    if any(saved is value for value in values):
        return True
    if depth < 2 and isinstance(saved, dict):
        return any(holds(item, values, depth + 1) for item in list(saved.values())[:100])
    if depth < 2 and isinstance(saved, (list, tuple)):
        return any(holds(item, values, depth + 1) for item in saved[:100])
    return False


def _task_by_target(fit):
    from .target import as_series

    series = as_series(fit.y) if fit is not None else None
    if series is None:
        return None
    return "classification" if series.dtype.kind not in "fc" and series.nunique() <= 50 else "regression"


def _ambiguous_paths(trace):
    return ["%s may be any of %s: %s was read" % (path, ", ".join(found[:5]), trace.redirects.get(path, found[0])) for path, found in trace.paths.ambiguous.items()]


def _read(read):
    return {"cell": read.cell, "written": read.written, "path": read.path, "kind": read.kind, "rows": read.rows, "columns": read.columns}
