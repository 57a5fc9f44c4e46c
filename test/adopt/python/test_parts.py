"""The functions that features.py is made of, on rows that the notebook never saw."""

import unittest

import numpy as np
import pandas as pd

from levain_runtime.adopt import parts


class Parts(unittest.TestCase):
    def setUp(self):
        for name in ("RAW", "UNUSED", "LEARNED", "ORDER", "PLAYED"):
            getattr(parts, name).clear()

    def refused(self, call, *args, **options):
        with self.assertRaises(parts.RowsRefused) as caught:
            call(*args, **options)
        return caught.exception.rows

    def test_a_category_never_seen_is_refused_and_named(self):
        rows = self.refused(parts.category, ["a", "b"], pd.Series(["a", "x", "b"], name="plan"))
        self.assertEqual(rows, {1: "plan is 'x', which training did not have"})

    def test_a_gap_is_refused_only_where_training_had_none(self):
        self.assertEqual(list(self.refused(parts.category, ["a"], pd.Series(["a", None], name="plan"))), [1])
        self.assertEqual(parts.category(["a", None], pd.Series(["a", None])).cat.codes.tolist(), [0, -1])

    def test_dummies_of_one_row_have_the_columns_of_training(self):
        made = parts.dummies({"c": ["a", "b", "z"]}, pd.DataFrame({"n": [1], "c": ["b"]}), drop_first=True)
        self.assertEqual(list(made.columns), ["n", "c_b", "c_z"])
        self.assertEqual([int(v) for v in made.iloc[0]], [1, 1, 0])

    def test_a_word_where_a_number_belongs_is_refused(self):
        parts.RAW.update({"age": "float64?", "plan": "object"})
        rows = self.refused(parts.as_read, pd.DataFrame({"age": ["3", "old", None], "plan": ["a", "b", "c"]}))
        self.assertEqual(rows, {1: "age is 'old', not a number"})

    def test_whole_numbers_that_come_as_floats_are_whole_again(self):
        parts.RAW.update({"n": "int64", "id": "int64"})
        parts.UNUSED["id"] = 7
        made = parts.as_read(pd.DataFrame({"n": [1.0, 2.0]}))
        self.assertEqual((str(made["n"].dtype), made["id"].tolist()), ("int64", [7, 7]))

    def test_a_column_that_is_not_there_is_named(self):
        parts.RAW.update({"n": "int64"})
        with self.assertRaisesRegex(KeyError, "no column 'n'"):
            parts.as_read(pd.DataFrame({"m": [1]}))

    def test_a_merge_keeps_rows_and_order_and_refuses_rows_without_a_partner(self):
        left, right = pd.DataFrame({"k": ["b", "a", "b"]}), pd.DataFrame({"k": ["a", "b"], "v": [1, 2]})
        self.assertEqual(parts.joined("left", left, right, on="k")["v"].tolist(), [2, 1, 2])
        rows = self.refused(parts.joined, "left", pd.DataFrame({"k": ["a", "c"]}), right, on="k")
        self.assertEqual(list(rows), [1])
        self.assertTrue(np.isnan(parts.joined("left", pd.DataFrame({"k": ["c"]}), right, on="k", how="left")["v"][0]))

    def test_edges_of_training_cut_one_row_and_refuse_what_lies_outside(self):
        self.assertEqual(parts.cut([0, 1, 2], pd.Series([1.5]), labels=False).tolist(), [1])
        self.assertEqual(list(self.refused(parts.cut, [0, 1, 2], pd.Series([1.5, 9.0]), labels=False)), [1])

    def test_replayed_values_come_in_the_order_of_the_notebook(self):
        parts.LEARNED["m"] = [1, 2, 3]
        parts.ORDER["m"] = [2, 0]
        self.assertEqual([parts.learned("m"), parts.learned("m")], [3, 1])

    def test_values_of_groups_come_by_name(self):
        parts.LEARNED["m_by_group"] = [{"a": 1}, {"b": 2}]
        self.assertEqual(parts.learned_for("m_by_group", "b"), 2)
        with self.assertRaisesRegex(ValueError, "'z' was not seen"):
            parts.learned_for("m_by_group", "z")

    def test_rows_with_a_gap_that_training_never_had_are_refused(self):
        rows = self.refused(parts.checked, pd.DataFrame({"a": [1.0, np.nan], "b": [1.0, 2.0]}), pd.RangeIndex(2))
        self.assertEqual(rows, {1: "a is missing"})
        self.assertEqual(list(self.refused(parts.checked, np.array([[1.0], [np.nan]]), pd.RangeIndex(2))), [1])


if __name__ == "__main__":
    unittest.main()
