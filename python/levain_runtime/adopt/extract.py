"""Makes features.py out of a traced run: ``build(ip, choice_path, out_dir)`` in the notebook's own kernel.

Writes facts.json always; features.py (where rows do not reach the model as they are), the model's folder with ``levain/learned.pkl``,
and proof.pkl (raw rows, which of them are test rows, the notebook's own answers) where it succeeds.
"""

import json
import os
import traceback

from . import describe as _describe
from . import difference as _difference
from . import trace as _trace
from .attempt import Attempt
from .match import matrix_of
from .program import Program
from .raw import is_loaded
from .refusal import Refused
from .wanted import fitted_of, model_of, wanted_of

FACTS = "facts.json"


def build(ip, choice_path, out_dir):
    """Answers the facts, which also stand in facts.json. Nothing is raised: what stands in the way is told there."""
    os.makedirs(out_dir, exist_ok=True)
    with open(choice_path, encoding="utf-8") as file:
        choice = json.load(file)
    if "candidates" in choice:
        choice = choice["candidates"][choice.get("chosen") or 0]
    try:
        facts = _build(ip, choice, out_dir)
    except Refused as refused:
        facts = refused.as_facts()
    except Exception as error:  # the user's objects decide what copying and comparing them may raise
        facts = {"ok": False, "reason": "%s: %s" % (type(error).__name__, error), "trace": traceback.format_exc()[-4000:]}
    write_json(os.path.join(out_dir, FACTS), facts)
    return facts


def write_json(path, value):
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, default=str)
    os.replace(path + ".tmp", path)


def _build(ip, choice, out_dir):
    trace = _trace.CURRENT
    if hasattr(trace, "without_instruments"):
        trace.without_instruments()
    program = Program(trace)
    model = model_of(ip.user_ns, choice)
    wanted = wanted_of(trace, program, model, choice)
    best = best_of(trace, program, model, wanted, choice, out_dir)
    return _describe.write_out(ip, choice, with_target(best, out_dir) or best, out_dir)


MAX_BY_HAND = 20


def best_of(trace, program, model, wanted, choice, out_dir):
    """Rows written by hand to try the model, as in predict([[3000, 3, 40]]), come from no file: the rows of its fit then count."""

    def tried(rows):
        return first_success([Attempt(trace, program, model, rows, choice, read) for read in main_reads(trace, choice)], out_dir)

    try:
        return tried(wanted)
    except Refused:
        fitted = fitted_of(trace, program, model)
        if fitted is None or fitted.event is wanted.event or (getattr(wanted.event, "rows", None) or 0) > MAX_BY_HAND:
            raise
        return tried(fitted)


def first_success(attempts, out_dir):
    refusals = []
    for attempt in attempts:
        try:
            return attempt.run()
        except Refused as refused:
            refusals.append(refused)
            keep_attempt(attempt, out_dir)
    raise refusals[0] if refusals else Refused("the notebook reads no file with rows", hint="Read the data with pandas.read_csv.")


def with_target(best, out_dir):
    """Where the rows that were answered last have no target (a file to hand in), the training file instead, if the steps before the
    model are the same: the steps of the training rows give the notebook's answers for the other file too."""
    target = (best.choice.get("target") or {}).get("column")
    if not target or target in map(str, best.raw.columns):
        return None
    reads = [read for read in main_reads(best.trace, best.choice) if target in (read.columns or ())]
    wanted = fitted_of(best.trace, best.program, best.model)
    if not reads or wanted is None:
        return None
    try:
        other = first_success([Attempt(best.trace, best.program, best.model, wanted, best.choice, read) for read in reads], out_dir)
        ours = matrix_of(other.features()(best.raw.iloc[best.rows].reset_index(drop=True)))
        if _difference.differ(ours, matrix_of(best.wanted.X)):
            return None
    except Exception:  # the steps are others: the rows that were answered count
        return None
    return other


def keep_attempt(attempt, out_dir):
    """What was tried stands beside the refusal, for who wants to see."""
    try:
        with open(os.path.join(out_dir, "features.refused.py"), "w", encoding="utf-8") as file:
            file.write(attempt.text())
    except Exception:  # it came to no text
        pass


def main_reads(trace, choice):
    """Reads whose rows may be the served ones: those with the target first."""
    reads = [read for read in trace.reads if (read.frame is not None and len(read.frame) > 0) or (read.frame is None and is_loaded(read.value))]
    target = (choice.get("target") or {}).get("column")
    seen, found = set(), []
    for read in sorted(reads, key=lambda r: (target is not None and target not in (r.columns or ()), -(r.rows or 0) if target else 0)):
        if read.site_id not in seen:
            seen.add(read.site_id)
            found.append(read)
    return found[:6]
