"""What the trace sees, and that a notebook cannot tell that it is traced."""

import unittest

from traced import IMPORTS, READ, run


def statuses(shell, trace):
    return [[cell.status, cell.error and cell.error["message"]] for cell in trace.cells] + [trace.faults]


def records_of(code):
    def ask(shell, trace):
        found = [site for site in trace.sites.values() if site.code == code]
        return [[r.kind, r.receiver_rows, r.result_rows, r.callee, r.lazy] for site in found for r in site.records]

    return ask


LANGUAGE = r'''import functools, sys, warnings
def decorated(n):
    def wrap(f):
        @functools.wraps(f)
        def inner(*a, **k):
            return f(*a, **k)
        return inner
    return wrap
@decorated(str(3))
def g(a, *b, c=len('ab'), **d):
    return a, b, c, d
assert g(1, *[2, 3], c=int('4'), **dict(e=5)) == (1, (2, 3), 4, {'e': 5})
class A:
    x = sorted([3, 1])
    def __init__(self, v: int(3) = int('7')):
        self.__v = list(str(v))
    def get(self):
        return len(self.__v)
class B(A):
    def get(self):
        return super().get() + 1
assert B().get() == 2
def gen(n):
    for i in range(n):
        y = yield str(i)
    return (yield from iter(list('z')))
assert list(gen(2)) == ['0', '1', 'z']
async def co(x):
    return str(x)
assert [await co(i) for i in range(2)] == ['0', '1']
s = f"{str(3)!r:>5} {len('a'*int('3')):{int('4')}d} {'x'.join(['a', 'b'])}"
assert s == "  '3'    3 axb", s
z = [(q := str(i)) for i in range(3)]
assert q == '2' and (lambda a=str(1): a + str(2))() == '12'
def depth():
    return sys._getframe(1).f_code.co_name
def caller():
    return str(depth())
assert caller() == 'caller'
def own():
    u = len('a')
    return sorted(locals())
assert own() == ['u']
text = """
!pip in text
%time in text
"""
assert '!pip in text' in text and '%time in' in text'''


class TheNotebookCannotTell(unittest.TestCase):
    def test_every_form_of_the_language_works_as_before(self):
        self.assertEqual(run([LANGUAGE], statuses), [["ok", None], []])

    def test_objects_keep_their_identity_and_random_numbers_their_order(self):
        cells = ["import random\nimport numpy as np\nrandom.seed(4); np.random.seed(4)", "def same(x): return x\nv = []\nassert same(v) is v\na, b = random.random(), np.random.rand()"]
        alone = {}
        import random

        import numpy

        random.seed(4)
        numpy.random.seed(4)
        alone = [random.random(), numpy.random.rand()]
        self.assertEqual(run(cells, lambda shell, trace: [shell.user_ns["a"], shell.user_ns["b"]]), alone)

    def test_arrays_that_count_references_can_still_be_resized(self):
        self.assertEqual(run(["import numpy as np\na = np.arange(3)\na.resize((5,))\nassert len(a) == 5"], statuses), [["ok", None], []])

    def test_query_and_warnings_find_the_frame_of_the_user(self):
        cells = [IMPORTS, "import warnings\nlimit = 30\ndef f(d):\n    low = 20\n    return len(d.query('age > @limit and age > @low'))\nn = f(pd.read_csv('churn.csv'))\nassert n > 100"]
        self.assertEqual(run(cells, statuses)[1], ["ok", None])

    def test_an_error_keeps_its_line(self):
        cells = [IMPORTS, "x = 1\ny = len(\n    str(x).nope())\n"]
        found = run(cells, lambda shell, trace: [trace.cell(2).error, "__levain" in trace.said])
        self.assertEqual(found[0]["line"], 3)
        self.assertFalse(found[1])

    def test_functions_sent_to_other_processes_need_nothing_of_ours_in_the_end(self):
        def ask(shell, trace):
            import cloudpickle

            trace.without_instruments()
            return [b"levain" in cloudpickle.dumps(shell.user_ns[name]) for name in ("f", "g", "C")] + [shell.user_ns["f"]("ab")]

        cells = ["def f(x):\n    return len(str(x))\ng = lambda x: str(x)\nclass C:\n    def m(self):\n        return [str(i) for i in range(3)]"]
        self.assertEqual(run(cells, ask), [False, False, False, 2])

    def test_a_call_in_a_hot_loop_is_switched_off(self):
        def ask(shell, trace):
            return [[site.off, len(site.records)] for site in trace.sites.values() if site.code == "int(i)"]

        self.assertEqual(run(["for i in range(5000):\n    int(i)"], ask), [["many", 50]])

    def test_installers_windows_and_unknown_magics_are_left_out(self):
        cells = ["%%time\n%pip install nothing\n!pip install nothing\n%no_such_magic\n%load_ext no_such_extension\nx = 1", "assert x == 1"]
        found = run(cells, lambda shell, trace: [[cell.status for cell in trace.cells], len(trace.notes), trace.cell(1).source.splitlines()[-1]])
        self.assertEqual(found, [["ok", "ok"], 4, "x = 1"])


class WhatIsSeen(unittest.TestCase):
    def test_a_mean_is_reduced_a_fill_is_aligned_and_a_query_filters(self):
        cells = [IMPORTS, READ, "old = df.query('age > 30')"]
        self.assertEqual(run(cells, records_of("df['age'].mean()")), [["reduce", 400, None, "pandas.Series.mean", False]])
        self.assertEqual(run(cells, records_of("df['age'].fillna(df['age'].mean())"))[0][:3], ["aligned", 400, 400])
        self.assertEqual(run(cells, records_of("df.query('age > 30')"))[0][0], "filter")

    def test_a_copy_is_taken_at_the_call(self):
        def ask(shell, trace):
            site = next(site for site in trace.sites.values() if site.code == "df.city.unique().tolist()")
            return site.records[0].value

        cells = [IMPORTS, "df = pd.read_csv('churn.csv')\nnames = df.city.unique().tolist()\nnames.append('later')"]
        self.assertEqual(sorted(run(cells, ask)), ["oslo", "paris", "rome"])

    def test_fits_keep_what_they_were_after_the_call(self):
        def ask(shell, trace):
            return [[fit.cell, fit.rows, float(fit.fitted().mean_[0])] for fit in trace.fits]

        cells = [IMPORTS, "s = StandardScaler()\ns.fit([[1.0], [3.0]])\ns.fit([[10.0], [30.0], [50.0]])"]
        self.assertEqual([row[2] for row in run(cells, ask)], [2.0, 30.0])

    def test_offsets_fit_the_text_also_behind_letters_of_two_bytes(self):
        def ask(shell, trace):
            return [[s.code, trace.cell(1).source[s.start : s.end] == s.code, s.occurrence, s.function] for s in trace.sites.values()]

        found = run(["é = 'ü'; a = len('ß'); b = len('ß')\ndef f():\n    return str(1)"], ask)
        self.assertEqual(found, [["len('ß')", True, 0, None], ["len('ß')", True, 1, None], ["str(1)", True, 0, "f"]])

    def test_a_helper_module_beside_the_notebook_is_seen_too(self):
        helper = "open('helper.py', 'w').write('import pandas as pd\\ndef load(p):\\n    return pd.read_csv(p)\\n')"
        cells = [IMPORTS, helper, "import helper\ndf = helper.load('/kaggle/input/x/churn.csv')"]
        found = run(cells, lambda shell, trace: [[read.cell, read.written, read.path, read.rows] for read in trace.reads])
        self.assertEqual(found, [[3, "/kaggle/input/x/churn.csv", "churn.csv", 400]])

    def test_lost_paths_lead_to_the_file_beside_the_notebook(self):
        paths = ["'C:\\\\Users\\\\me\\\\Churn.csv'", "'https://example.org/raw/churn.csv?x=1'", "'/content/drive/MyDrive/churn.csv'", "'../data/churn.csv'"]
        cells = [IMPORTS] + ["assert len(pd.read_csv(%s)) == 400" % path for path in paths]
        cells += ["from pathlib import Path\nassert Path('/kaggle/input/churn.csv').exists() and os.listdir('/kaggle/input') == ['churn.csv']"]
        self.assertEqual([cell[0] for cell in run(cells, statuses)[:-1]], ["ok"] * len(cells))

    def test_the_network_is_refused_and_told(self):
        cells = ["import urllib.request\ntry:\n    urllib.request.urlopen('http://example.org/')\nexcept OSError as error:\n    said = str(error)"]
        found = run(cells, lambda shell, trace: [trace.refused_network, "without network" in shell.user_ns["said"]])
        self.assertEqual(found, [["example.org"], True])

    def test_files_of_the_notebook_itself_cannot_be_written(self):
        import os
        import tempfile

        with tempfile.TemporaryDirectory() as original:
            path = os.path.join(original, "data.csv")
            with open(path, "w") as file:
                file.write("a\n1\n")
            cells = ["f = open(%r, 'r+')" % path]
            found = run(cells, statuses, {"protect": [original]})
            self.assertEqual(found[0][0], "error")
            self.assertIn("runs in a copy", found[0][1])


if __name__ == "__main__":
    unittest.main()
