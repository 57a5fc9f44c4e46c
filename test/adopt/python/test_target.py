"""Which column is the target: told only where the statements or the values of the rows prove it."""

import os
import unittest

from traced import IMPORTS, chosen, report

MODEL = "model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)\nprint(model.score(X, y))"
SPLIT = "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)\n"
SPLIT_MODEL = SPLIT + "model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X_train, y_train)\nprint(model.score(X_test, y_test))"
REGRESSION = SPLIT + "model = LinearRegression().fit(X_train, y_train)\nprint(model.score(X_test, y_test))"

#: What imblearn's samplers do: rows of both classes, sorted by class and numbered anew, the column's name kept.
SAMPLER = """class Sampler:
    def fit(self, X, y):
        return self
    def fit_resample(self, X, y):
        order = np.argsort(np.asarray(y), kind='stable')
        order = order[: len(order) * 3 // 4]
        return X.iloc[order].reset_index(drop=True), y.iloc[order].reset_index(drop=True)"""


def shops(folder, rows=300):
    import numpy
    import pandas

    rng = numpy.random.RandomState(1)
    frame = pandas.DataFrame({"Unnamed: 0": range(rows), "age": rng.randint(18, 80, rows), "sales": rng.rand(rows).round(3) * 16})
    frame["price"] = rng.rand(rows).round(4) * 100 + 1
    frame["city"] = rng.choice(["oslo", "paris", "rome"], rows)
    frame["left"] = (frame.age + rng.rand(rows) * 40 > 70).astype(int)
    frame["leaves"] = frame["left"].map({0: "no", 1: "yes"})
    frame.to_csv(os.path.join(folder, "shops.csv"), index=False)


def told(*cells):
    model = chosen(report([IMPORTS, "df = pd.read_csv('shops.csv')", *cells], prepare=shops))
    if isinstance(model, str):
        raise AssertionError(model)
    return model


def column(*cells):
    target = told(*cells)["target"]
    return target and target["column"]


class TheColumnThatIsTheTarget(unittest.TestCase):
    def test_rows_sampled_anew_keep_their_column(self):
        model = told(SAMPLER, "X = df[['age', 'price']]\ny = df['left']", "Xr, yr = Sampler().fit_resample(X, y)", SPLIT_MODEL.replace("(X, y,", "(Xr, yr,"))
        self.assertEqual((model["target"]["column"], model["target"]["positive"]), ("left", 1))

    def test_rows_sampled_anew_of_words_that_were_coded(self):
        model = told(SAMPLER, "X = df[['age', 'price']]\ny = df['leaves'].map({'yes': 0, 'no': 1})", "Xr, yr = Sampler().fit_resample(X, y)\nmodel = DecisionTreeClassifier(max_depth=2).fit(Xr, yr)\nmodel.score(X, y)")
        self.assertEqual((model["target"]["column"], model["target"]["positive"]), ("leaves", None))

    def test_rows_sampled_anew_of_codes_that_could_be_taken_for_the_words_of_the_file(self):
        model = told(SAMPLER, "X = df[['age', 'price']]\ny = 1 - df['left']", "Xr, yr = Sampler().fit_resample(X, y)\nmodel = DecisionTreeClassifier(max_depth=2).fit(Xr, yr)\nmodel.score(X, y)")
        self.assertIsNone(model["target"])
        self.assertIn("how it is written", model["targetWhy"])

    def test_the_one_that_the_statements_name_of_two_that_are_equal(self):
        for name in ("left", "leaves"):
            with self.subTest(name):
                self.assertEqual(column("y = df['%s']\nX = df[['age', 'price']]" % name, SPLIT_MODEL), name)

    def test_two_that_fit_and_no_statement_that_tells(self):
        model = told("def parts(frame):\n    return frame[['age', 'price']].values, (frame['left'].values == 1) * 1", "X, y = parts(df)", SPLIT_MODEL)
        self.assertEqual(model["target"]["column"], "left")  # the same values: words have other ones
        model = told("def parts(frame):\n    return frame[['age', 'price']].values, np.where(frame['left'] == 1, 'b', 'a')", "X, y = parts(df)", SPLIT_MODEL)
        self.assertIsNone(model["target"])
        self.assertIn("leaves and left", model["targetWhy"])

    def test_a_class_made_of_a_number_is_the_number(self):
        self.assertEqual(column("df['High'] = (df['sales'] > 8).astype(int)\ny = df.High\nX = df[['age', 'price']]", SPLIT_MODEL), "sales")
        self.assertEqual(column("df['High'] = df.sales.apply(lambda s: 'Yes' if s > 8 else 'No')\ny = df['High']\nX = df[['age', 'price']]", SPLIT_MODEL), "sales")
        self.assertEqual(column("y = [1 if s > 8 else 0 for s in df['sales']]\nX = df[['age', 'price']]", SPLIT_MODEL), "sales")

    def test_a_target_made_of_several_columns_is_none_of_them(self):
        model = told("df['per'] = df['price'] / df['age']\ny = df['per']\nX = df[['sales']]", REGRESSION)
        self.assertIsNone(model["target"])
        self.assertIn("age, price", model["targetWhy"])

    def test_a_target_of_the_next_row_is_none(self):
        model = told("df['next'] = df['price'].shift(-1)\ndf = df.dropna()\ny = df['next']\nX = df[['price']]", REGRESSION)
        self.assertIsNone(model["target"])
        self.assertIn("other rows", model["targetWhy"])

    def test_a_column_that_was_written_over_is_what_was_written(self):
        self.assertEqual(column("df['left'] = (df['sales'] > 8) * 1\ny = df['left']\nX = df[['age', 'price']]", SPLIT_MODEL), "sales")

    def test_columns_renamed_prove_nothing_by_their_name(self):
        renamed = "df.columns = ['no', 'years', 'sales', 'left', 'city', 'price', 'leaves']\n"
        self.assertEqual(column(renamed + "y = df['price']\nX = df[['years', 'sales']]", SPLIT_MODEL), "left")

    def test_forms_of_taking_a_column(self):
        forms = (
            "y = df.pop('leaves')", "y = df.iloc[:, -1].values", "y = df[['leaves']]", "y = LabelEncoder().fit_transform(df['leaves'])",
            "le = LabelEncoder()\ndf['leaves'] = le.fit_transform(df['leaves'])\ny = df['leaves'].values.ravel()", "t = 'leaves'\ny = df[t]",
            "df['leaves'].replace({'yes': 1, 'no': 0}, inplace=True)\ny = df.leaves", "y = (df['leaves'] == 'yes') * 1", "y = df.loc[:, 'leaves']",
            "for c in ['city', 'leaves']:\n    df[c] = LabelEncoder().fit_transform(df[c])\ny = df['leaves']",
            "df = df[df.age > 20].reset_index(drop=True)\ny = df['leaves']",
        )  # fmt: skip
        for form in forms:
            with self.subTest(form):
                self.assertEqual(column("df = df.drop(columns='left')\n%s\nX = df[['age', 'price']]" % form, SPLIT_MODEL), "leaves")

    def test_a_logarithm_of_rows_that_were_left_out(self):
        self.assertEqual(column("df = df.drop(df[df.age > 60].index).reset_index(drop=True)\ny = np.log1p(df['price'])\nX = df[['age', 'sales']]", REGRESSION), "price")

    def test_random_labels_come_from_nowhere(self):
        model = told("y = np.random.RandomState(0).randint(0, 2, len(df))\nX = df[['age', 'price']]", SPLIT_MODEL)
        self.assertIsNone(model["target"])
        self.assertIn("could not be proven", model["targetWhy"])

    def test_several_targets_are_none(self):
        model = told("y = df[['price', 'sales']]\nX = df[['age']]", REGRESSION)
        self.assertIsNone(model["target"])
        self.assertIn("several targets", model["targetWhy"])


if __name__ == "__main__":
    unittest.main()
