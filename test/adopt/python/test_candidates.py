"""Which of the fitted objects is the model that is meant."""

import unittest

from traced import IMPORTS, READ, chosen, report

BEFORE = [IMPORTS, READ]
TWO = "lr = LogisticRegression(max_iter=500).fit(X_train, y_train)\ndt = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X_train, y_train)"
SCORES = "print(lr.score(X_test, y_test))\nprint(dt.score(X_test, y_test))"


class TheModelThatIsMeant(unittest.TestCase):
    def test_the_only_one_comes_with_target_classes_and_score(self):
        model = chosen(report(BEFORE + ["model = LogisticRegression(max_iter=500)\nmodel.fit(X_train, y_train)\np = model.predict(X_test)", "print(accuracy_score(y_test, p))"]))
        self.assertEqual(model["variable"], "model")
        self.assertEqual((model["target"]["column"], model["target"]["positive"], model["classes"]), ("churn", "yes", [0, 1]))
        self.assertEqual((model["score"]["name"], model["score"]["rows"], model["score"]["heldOut"]), ("accuracy_score", 100, True))
        self.assertEqual((model["testRows"]["variable"], model["task"], model["printedAnswersHold"]), ("X_test", "classification", True))
        self.assertEqual(model["features"][:2], ["age", "income"])

    def test_the_saved_one_is_meant_whatever_came_later(self):
        found = report(BEFORE + [TWO, "with open('m.pkl', 'wb') as f:\n    pickle.dump({'model': lr, 'columns': list(X)}, f)", SCORES])
        self.assertEqual(chosen(found)["variable"], "lr")
        self.assertFalse(found["ambiguous"])
        self.assertEqual(found["saved"], [{"path": "m.pkl", "variable": "lr"}])

    def test_of_two_that_only_scores_tell_apart_the_last_is_taken_and_it_is_said(self):
        found = report(BEFORE + [TWO, SCORES])
        self.assertTrue(found["ambiguous"])
        self.assertIn("lr would be plausible too", found["reason"])

    def test_the_one_that_a_print_praises_is_meant(self):
        found = report(BEFORE + [TWO, SCORES, "print('Best model: logistic regression')"])
        self.assertEqual((chosen(found)["variable"], found["ambiguous"]), ("lr", False))

    def test_a_search_and_its_best_estimator_are_one(self):
        found = report(BEFORE + ["grid = GridSearchCV(make_pipeline(StandardScaler(), LogisticRegression()), {'logisticregression__C': [0.1, 1]}, cv=3)\ngrid.fit(X_train, y_train)\nbest = grid.best_estimator_\nprint(best.score(X_test, y_test))"])
        self.assertEqual([(c["expression"], c["aliases"]) for c in found["candidates"]], [("best", ["grid"])])

    def test_models_in_a_dict_are_reached_by_their_key(self):
        found = report(BEFORE + ["models = {'lr': LogisticRegression(max_iter=500), 'dt': DecisionTreeClassifier(max_depth=1)}\nfor name, model in models.items():\n    model.fit(X_train, y_train)\n    print(name, model.score(X_test, y_test))"])
        self.assertEqual(chosen(found)["expression"], "models['lr']")

    def test_a_tree_for_its_importances_is_not_meant(self):
        found = report(BEFORE + ["t = DecisionTreeClassifier().fit(X, y)\nt.feature_importances_", "m = LogisticRegression(max_iter=500).fit(X_train, y_train)\nm.score(X_test, y_test)"])
        self.assertEqual(chosen(found)["variable"], "m")

    def test_the_one_asked_for_by_name_is_taken(self):
        self.assertEqual(chosen(report(BEFORE + [TWO, SCORES], wanted="lr"))["variable"], "lr")
        self.assertIn("no fitted model named xyz", chosen(report(BEFORE + [TWO], wanted="xyz")))

    def test_a_score_on_the_training_rows_is_told_as_such(self):
        model = chosen(report([IMPORTS, "df = pd.read_csv('churn.csv').dropna()\nX = df[['age', 'income']].values\ny = df.iloc[:, 4].values\nm = DecisionTreeClassifier(max_depth=3).fit(X, y)\nprint(accuracy_score(y, m.predict(X)))"]))
        self.assertEqual((model["score"]["heldOut"], model["target"]["column"], model["target"]["equal"]), (False, "churn", True))

    def test_a_target_that_is_a_logarithm_is_found(self):
        model = chosen(report([IMPORTS, "df = pd.read_csv('churn.csv').dropna().reset_index(drop=True)\nXa, Xb, ya, yb = train_test_split(df[['age', 'income']], np.log(df['price']), random_state=1)\nm = LinearRegression().fit(Xa, ya)\nprint(np.sqrt(mean_squared_error(yb, m.predict(Xb))))"]))
        self.assertEqual((model["task"], model["target"]["column"], model["score"]["name"]), ("regression", "price", "mean_squared_error"))


class WhatIsNotServed(unittest.TestCase):
    def test_the_last_value_of_a_loop_over_k(self):
        found = report(BEFORE + ["for k in range(1, 12):\n    knn = KNeighborsClassifier(k)\n    knn.fit(X_train, y_train)\n    print(accuracy_score(y_test, knn.predict(X_test)))"])
        self.assertRegex(chosen(found), r"knn: it is the last of 11 that a loop in cell 3 fitted \(n_neighbors=11\); the best had")

    def test_the_model_of_the_last_fold(self):
        found = report(BEFORE + ["for a, b in KFold(5).split(X):\n    m = LogisticRegression(max_iter=500)\n    m.fit(X.iloc[a], y.iloc[a])\n    print(m.score(X.iloc[b], y.iloc[b]))"])
        self.assertIn("one fold of 5", chosen(found))

    def test_groups_without_a_target_and_validation_without_a_model(self):
        self.assertIn("groups rows without a target", chosen(report(BEFORE + ["km = KMeans(3, n_init=3).fit(X)\nkm.predict(X)"])))
        self.assertIn("only cross-validates (cell 3)", chosen(report(BEFORE + ["cross_val_score(LogisticRegression(max_iter=500), X, y)"])))

    def test_a_model_that_no_variable_keeps(self):
        self.assertIn("give it a name", chosen(report(BEFORE + ["print(LogisticRegression(max_iter=500).fit(X_train, y_train).score(X_test, y_test))"])))

    def test_one_whose_preprocessor_another_one_fitted_again(self):
        shared = """data = pd.read_csv('churn.csv').dropna()
A, B, a, b = train_test_split(data[['age', 'income', 'city']], data.churn, random_state=1)
pre = ColumnTransformer([('n', StandardScaler(), ['age', 'income']), ('c', OneHotEncoder(), ['city'])])
p1 = Pipeline([('pre', pre), ('m', LogisticRegression())]).fit(A, a)
print(p1.score(B, b))
p2 = Pipeline([('pre', pre), ('m', DecisionTreeClassifier(max_depth=2))])
p2.fit(B, b)"""
        found = report([IMPORTS, shared])
        first = next(c for c in found["candidates"] if c["variable"] == "p1")
        self.assertIs(first["printedAnswersHold"], False)
        self.assertIn("its ColumnTransformer was fitted again in cell 2 by p2", first["why_not"])
        self.assertIsNone(found["chosen"])


class FailedCells(unittest.TestCase):
    FIT = "m = LogisticRegression(max_iter=500).fit(X_train, y_train)\nprint(m.score(X_test, y_test))"

    def test_a_cell_that_only_draws_or_describes_is_skipped(self):
        for drawing in ("df['nope'].hist()", "df.plot(x='nope')\ndf.describe()", "print(df.nope)", "import no_such_library as nsl\nnsl.matrix(df)"):
            model = chosen(report(BEFORE + [drawing, self.FIT]))
            self.assertEqual(model["dependsOnFailed"], [], drawing)

    def test_a_cell_that_would_have_prepared_the_rows_stops_the_model(self):
        for preparing in ("X_train['z'] = X_train['nope']", "X_train.nope\nX_train.drop('age', axis=1, inplace=True)", "from no_such_library import clean\nX_train = clean(X_train)"):
            found = report(BEFORE + [preparing, self.FIT])
            self.assertIn("cell 3, line 1, failed", chosen(found), preparing)
            self.assertEqual(found["candidates"][0]["dependsOnFailed"], [3])

    def test_what_is_bound_anew_afterwards_does_not_depend_on_it(self):
        again = "df = pd.read_csv('churn.csv').dropna()\nX_train, X_test, y_train, y_test = train_test_split(df[['age', 'income']], df.churn, random_state=0)"
        self.assertEqual(chosen(report(BEFORE + ["df['q'] = df['nope']\nX_train = df", again, self.FIT]))["dependsOnFailed"], [])

    def test_a_failed_function_of_the_notebook_counts_by_what_it_would_have_changed(self):
        function = "def add(frame):\n    frame['z'] = frame['nope']\nadd(X_train)"
        self.assertEqual(report(BEFORE + [function, self.FIT])["candidates"][0]["dependsOnFailed"], [3])

    def test_a_later_model_that_failed_leaves_the_earlier_one_in_doubt(self):
        later = "from no_such_library import Boosted\nbooster = Boosted()\nbooster.fit(X_train, y_train)"
        self.assertIn("which fits booster (line 3), failed", chosen(report(BEFORE + [self.FIT, later])))


if __name__ == "__main__":
    unittest.main()
