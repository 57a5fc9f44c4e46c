"""Stored outputs against those of a new run."""

import json
import os
import tempfile
import unittest

from levain_runtime.adopt.compare import compare


def notebook(folder, name, cells):
    """cells: [(source, execution count, printed text)]."""
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    for source, count, text in cells:
        outputs = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
        document["cells"].append({"cell_type": "code", "source": source, "execution_count": count, "metadata": {}, "outputs": outputs})
    path = os.path.join(folder, name)
    with open(path, "w") as file:
        json.dump(document, file)
    return path


def compared(stored, now):
    with tempfile.TemporaryDirectory() as folder:
        return compare(notebook(folder, "a.ipynb", stored), notebook(folder, "b.ipynb", now), {"pandas": "3.0.1"})


class Differences(unittest.TestCase):
    def test_a_shape_is_compared_exactly_and_laid_to_pandas(self):
        found = compared([("import pandas as pd\ndf.shape", 1, "(891, 12)")], [("", 1, "(891, 10)")])["differences"]
        self.assertEqual([(d["cell"], d["kind"], d["stored"], d["now"], d["package"]) for d in found], [(1, "shape", "(891, 12)", "(891, 10)", "pandas")])

    def test_a_score_in_its_last_digit_is_the_same(self):
        self.assertEqual(compared([("print(acc)", 1, "accuracy 0.8123")], [("", 1, "accuracy 0.8124")])["differences"], [])

    def test_another_score_after_a_split_without_a_seed_is_chance(self):
        cells = [("train_test_split(X, y)", 1, ""), ("print('accuracy', a)", 2, "accuracy 0.81")]
        found = compared(cells, [("", 1, ""), ("", 2, "accuracy 0.77")])["differences"]
        self.assertEqual((found[0]["kind"], found[0]["package"], found[0]["because"][:6]), ("score", None, "cell 1"))

    def test_times_addresses_and_names_of_objects_do_not_count(self):
        stored = [("x", 1, "Wall time: 3 s\n<Figure at 0x7f31>"), ("m", 2, "LogisticRegression(C=1.0)")]
        self.assertEqual(compared(stored, [("", 1, "Wall time: 9 s\n<Axes at 0x11>"), ("", 2, "LogisticRegression()")])["differences"], [])

    def test_order_and_cells_never_run_are_told(self):
        found = compared([("a = 1", 3, ""), ("b = 2", 1, ""), ("c = 3", None, ""), ("# nothing", None, "")], [])
        self.assertEqual((found["ranOutOfOrder"], found["neverRun"]), (True, [3]))


if __name__ == "__main__":
    unittest.main()
