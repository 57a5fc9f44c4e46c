"""What a notebook's words say of its models: text, comments, prints and names that call one the best or the final one."""

import json
import os
import re

PRAISE = re.compile(
    r"\b(best|final(?:ly)?|highest|top|winner|winning|chosen|choose|chose|select(?:ed)?|deploy(?:ed|ment)?|outperform\w*|proceed with|go with|going with|most accurate)\b",
    re.IGNORECASE,
)
NAME = re.compile(r"(^|_)(best|final|chosen|selected|champion|tuned|winner|deployed?|production)(_|$|\d)", re.IGNORECASE)
#: What people call estimators in text, by a part of their class name.
CALLED = (
    ("LogisticRegression", r"logistic(?: regression)?"),
    ("LinearRegression", r"(?:multiple |simple )?linear regression|\bOLS\b"),
    ("RandomForest", r"random[ -]?forests?"),
    ("ExtraTrees", r"extra[ -]?trees"),
    ("DecisionTree", r"decision[ -]?trees?"),
    ("HistGradientBoosting", r"hist(?:ogram)?[ -]?(?:based )?gradient[ -]?boost\w*"),
    ("GradientBoosting", r"gradient[ -]?boost\w*|\bgbm\b"),
    ("AdaBoost", r"ada[ -]?boost\w*"),
    ("XGB", r"xg[ -]?boost\w*|\bxgb\w*"),
    ("LGBM", r"light ?gbm|\blgbm?\w*"),
    ("CatBoost", r"cat ?boost\w*"),
    ("KNeighbors", r"\bk-?nn\b|k[ -]nearest|nearest neighbou?rs?"),
    ("SVC", r"\bsv[mc]\b|support[ -]vector"),
    ("SVR", r"\bsv[mr]\b|support[ -]vector"),
    ("NB", r"na[iï]ve[ -]bayes"),
    ("Ridge", r"\bridge\b"),
    ("Lasso", r"\blasso\b"),
    ("ElasticNet", r"elastic[ -]?net"),
    ("MLP", r"\bmlp\b|neural net\w*|multi-?layer perceptron"),
    ("Voting", r"voting"),
    ("Stacking", r"stack(?:ing|ed)"),
    ("Bagging", r"bagging"),
    ("Discriminant", r"discriminant|\blda\b|\bqda\b"),
)
MAX_SENTENCES = 3000
MAX_NOTEBOOK_BYTES = 600 << 20


class Praise:
    def __init__(self, trace, namespace):
        self.namespace = namespace
        self.sentences = list(_sentences(trace))[:MAX_SENTENCES]
        self._known = {}

    def of(self, candidate, values):
        """Sentences of evidence that words praise this candidate and no other kind."""
        if id(candidate) not in self._known:
            self._known[id(candidate)] = self._of(candidate, values)
        return self._known[id(candidate)]

    def _of(self, candidate, values):
        found = []
        if NAME.search(candidate.root):
            found.append("its name says so (%s)" % candidate.root)
        mine = _calls(type(last_of(candidate.value)).__name__)
        others = [_calls(type(last_of(value)).__name__) for value in values if value is not candidate.value]
        alike = sum(1 for other in others if other == mine)
        for place, sentence in self.sentences:
            if mine is None or alike or not PRAISE.search(sentence):
                continue
            if re.search(mine, sentence, re.IGNORECASE) and not any(o and o != mine and re.search(o, sentence, re.IGNORECASE) for o in others):
                found.append("%s says: “%s”" % (place, sentence.strip()[:160]))
        return found


    def of_lost(self, value, left):
        """A sentence that praises the kind of a fitted object that is gone, and not the one that is left; None without one."""
        mine, other = _calls(type(last_of(value)).__name__), _calls(type(last_of(left)).__name__)
        for place, sentence in self.sentences:
            if mine and mine != other and re.search(mine, sentence, re.IGNORECASE) and not (other and re.search(other, sentence, re.IGNORECASE)):
                return "%s says: “%s”" % (place, sentence.strip()[:160])
        return None


def last_of(value):
    from .reach import last_step

    return last_step(value)


def _calls(name):
    return next((pattern for part, pattern in CALLED if part in name), None)


def _sentences(trace):
    for printed in trace.printed:
        if PRAISE.search(printed.text):
            yield "a print in cell %d" % printed.cell, printed.text
    for run in trace.cells:
        for comment in re.findall(r"#\s*(.+)", run.source):
            if PRAISE.search(comment):
                yield "a comment in cell %d" % run.number, comment
    for text in _markdown(trace):
        for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
            if PRAISE.search(sentence) and len(sentence) < 400:
                yield "the text", sentence


def _markdown(trace):
    name = trace.config.get("notebook")
    path = name if name and os.path.isabs(name) else os.path.join(trace.root, name or "")
    if not name or not path.endswith(".ipynb") or not os.path.isfile(path) or os.path.getsize(path) > MAX_NOTEBOOK_BYTES:
        return
    try:
        with open(path, encoding="utf-8") as source:
            document = json.load(source)
    except (OSError, ValueError):
        return
    for cell in document.get("cells", ()) if isinstance(document, dict) else ():
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown":
            text = cell.get("source", "")
            yield "".join(part for part in text if isinstance(part, str)) if isinstance(text, list) else str(text)
