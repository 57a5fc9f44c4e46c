"""Adopts each form: traces its cells in a process of its own, extracts features.py and proves it in a fresh interpreter.

    python extracted.py FORMS_FOLDER      one JSON line a form: {"form", "skipped", "facts", "proof", "features"}

A form is a notebook as text: cells begin with a line "# %%". Comments at its end tell the test what to expect.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import traceback
import warnings

import form_data
import pandas  # noqa: F401  (loaded once, before the forks)
import sklearn.ensemble  # noqa: F401
import sklearn.linear_model  # noqa: F401
import sklearn.model_selection  # noqa: F401
from IPython.core.interactiveshell import InteractiveShell

import levain_runtime

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(levain_runtime.__file__)))


def told(text, name):
    found = re.search(r"^# %s: (.*)" % name, text, re.M)
    return found.group(1).strip() if found else None


def adopt(text, folder, out):
    """Runs in a forked process."""
    os.chdir(folder)
    warnings.simplefilter("ignore")
    log = os.open(os.path.join(out, "log"), os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    from levain_runtime.adopt import extract, trace

    shell = InteractiveShell.instance()
    trace.install(shell, {"notebook": "form.ipynb", "redirects": {}, "root": folder, "network": "none", "seed": True})
    for number, cell in enumerate([c for c in re.split(r"^# %%.*\n", text, flags=re.M) if c.strip()], 1):
        trace.next_cell(number)
        shell.run_cell(cell, store_history=True)
    current = trace.CURRENT
    events = current.predictions or current.fits
    choice = {"variable": told(text, "model") or events[-1].name, "target": {"column": told(text, "target"), "positive": None}}
    with open(os.path.join(out, "choice.json"), "w") as file:
        json.dump(choice, file)
    extract.build(shell, os.path.join(out, "choice.json"), out)




def run(path, folder):
    with open(path) as file:
        text = file.read()
    name = os.path.basename(path)[:-3]
    needs = told(text, "needs")
    if needs:
        try:
            __import__(needs)
        except ImportError:
            return {"form": name, "skipped": "%s is not there" % needs}
    with tempfile.TemporaryDirectory() as out:
        child = os.fork()
        if child == 0:
            try:
                adopt(text, folder, out)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        found = {"form": name, "facts": read(os.path.join(out, "facts.json")), "proof": None}
        if found["facts"] is None:
            found["log"] = read_text(os.path.join(out, "log"))[-2000:]
        elif found["facts"]["ok"]:
            env = dict(os.environ, PYTHONPATH=ROOT)
            subprocess.run([sys.executable, "-m", "levain_runtime.adopt.prove", out], env=env, stderr=subprocess.DEVNULL)
            found["proof"] = read(os.path.join(out, "proof.json"))
            found["features"] = read_text(os.path.join(out, "features.py"))
        return found


def read(path):
    text = read_text(path)
    return json.loads(text) if text else None


def read_text(path):
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        return file.read()


if __name__ == "__main__":
    forms, only = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as data:
        folder = os.path.realpath(data)
        form_data.write(folder)
        for file_name in sorted(os.listdir(forms)):
            if file_name.endswith(".py") and (not only or file_name[:-3] in only):
                print(json.dumps(run(os.path.join(forms, file_name), folder)))
                sys.stdout.flush()
