"""How much speaks for a candidate, in sentences, and what speaks against serving it at all."""

from .reach import parts_of

MODEL_TASKS = ("classification", "regression", None)
NOT_ROWS = {
    "clustering": "groups rows without a target: what it answers cannot be checked",
    "outliers": "finds outliers without a target: what it answers cannot be checked",
    "forecast": "forecasts a series: it has no answer for a row",
    "recommendation": "answers pairs of users and items that it has seen: it has no answer for a new row",
}


class Weigher:
    """The part of candidates.Finder that weighs; it needs ``candidates``, ``trace`` and ``praise``."""

    def _weigh(self, candidate):
        say, fit = candidate.evidence.append, candidate.fit
        weight = 0.2
        if fit is not None:
            say("fitted in cell %d%s" % (fit.cell, " on %d rows" % fit.rows if fit.rows else ""))
        if candidate.saves:
            weight += 0.65
            say("saved in cell %d%s" % (candidate.saves[-1].cell, " as %s" % candidate.saves[-1].path if candidate.saves[-1].path else ""))
        weight += self._weigh_evaluations(candidate, say)
        weight += self._weigh_words(candidate, say)
        if type(candidate.value).__name__.startswith("Dummy"):
            weight -= 0.4
            say("a baseline that guesses")
        if candidate.task not in MODEL_TASKS:
            weight = min(weight, 0.1)
        if len([c for c in self.candidates if c.task in MODEL_TASKS]) == 1 and candidate.task in MODEL_TASKS:
            weight += 0.4
        candidate.why_not = self._why_not(candidate)
        candidate.support = weight
        if candidate.why_not is not None:
            weight = min(weight, 0.3) * 0.5
        candidate.confidence = round(max(0.01, min(0.98, weight)), 3)

    def _weigh_evaluations(self, candidate, say):
        weight = 0.0
        test = candidate.test
        last = max((c.test.prediction.order for c in self.candidates if c.test is not None and c.test.held_out and c.task in MODEL_TASKS), default=None)
        if test is not None and test.held_out:
            weight += 0.2
            where = "on %s held-out rows in cell %d" % (test.prediction.rows, test.prediction.cell)
            say("evaluated %s" % where)
            if test.prediction.order == last and len(self.candidates) > 1:
                weight += 0.05 if self._is_compared_in_loop(candidate) else 0.2
                say("the last one to be evaluated on held-out rows")
        elif test is not None and test.held_out is False:
            weight += 0.1
            say("evaluated on the rows that it was fitted on (cell %d)" % test.prediction.cell)
        elif not candidate.evaluations and not self._was_summarised(candidate):
            weight -= 0.1
            say("never asked for an answer")
        used = [e for e in candidate.evaluations if not e.labelled and e.held_out is not False and (test is None or e.prediction.order > test.prediction.order)]
        if used:
            weight += 0.2
            say("then asked about new rows in cell %d" % used[-1].prediction.cell)
        if candidate.best is not None:
            weight += 0.25 if self._is_compared_in_loop(candidate) else 0.15
            say("the best %s (%.4g) of %d on held-out rows" % candidate.best)
        return weight

    def _was_summarised(self, candidate):
        """statsmodels' way of looking at a model."""
        name = candidate.root + ".summary("
        found = [site for site in self.trace.sites.values() if site.code.startswith(name) and site.counts]
        if found:
            candidate.evidence.append("its summary is shown in cell %d" % found[-1].cell)
        return bool(found)

    def _is_compared_in_loop(self, candidate):
        """One call evaluated several candidates in turn: being the last of them says little."""
        site = candidate.test.prediction.site_id
        return any(c is not candidate and c.test is not None and c.test.prediction.site_id == site for c in self.candidates)

    def _weigh_words(self, candidate, say):
        praised = self.praise.of(candidate, [c.value for c in self.candidates])
        for sentence in praised[:2]:
            say(sentence)
        return 0.3 if praised else 0.0

    def _why_not(self, candidate):
        if candidate.task in NOT_ROWS:
            return "it %s, so it is not served" % NOT_ROWS[candidate.task]
        if candidate.failed:
            return "it rests on cell %d, which failed" % candidate.failed[0]
        if candidate.holds is False:
            changed = self._changed_part(candidate)
            if changed is not None:
                return "it no longer gives the answers that the notebook printed: its %s was fitted again in cell %d%s" % changed
            if not candidate.saves and not candidate.origin.refitted_on_more:
                return "it no longer gives the answers that the notebook printed: it was changed after its last evaluation"
            candidate.evidence.append("fitted again in cell %d after its last evaluation: the printed answers are those of the fit before" % candidate.fit.cell)
        if candidate.origin.why_not and not candidate.saves:
            return candidate.origin.why_not
        return None

    def _changed_part(self, candidate):
        """(type name, cell, of whom) of a part that a later fit of it, or of another object that shares it, fitted again."""
        parts = {id(part): part for part in parts_of(candidate.value)}
        since = candidate.fit.order if candidate.fit is not None else 0
        for fit in reversed(self.trace.fits):
            if fit.order <= since or fit.estimator is candidate.value:
                continue
            if id(fit.estimator) in parts:
                return type(fit.estimator).__name__, fit.cell, ""
            shared = next((part for part in parts_of(fit.estimator) if id(part) in parts), None)
            if shared is not None:
                return type(shared).__name__, fit.cell, " by %s, which shares it" % (fit.name or "another object")
        return None
