"""Interfaces that packages have removed, and the newest versions that still have them: why an old notebook stops today.

`below` is the first version without it. Each entry names the fix that a person would make.
"""

import ast
import re

MAX_FOUND = 300

# module.name imported or reached by attribute: (package, below, fix)
MEMBERS = {
    "sklearn.cross_validation": ("scikit-learn", "0.20", "import it from sklearn.model_selection"),
    "sklearn.grid_search": ("scikit-learn", "0.20", "import it from sklearn.model_selection"),
    "sklearn.learning_curve": ("scikit-learn", "0.20", "import it from sklearn.model_selection"),
    "sklearn.lda": ("scikit-learn", "0.19", "use sklearn.discriminant_analysis.LinearDiscriminantAnalysis"),
    "sklearn.qda": ("scikit-learn", "0.19", "use sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis"),
    "sklearn.externals.joblib": ("scikit-learn", "0.23", "import joblib"),
    "sklearn.externals.six": ("scikit-learn", "0.23", "import six or io.StringIO"),
    "sklearn.preprocessing.Imputer": ("scikit-learn", "0.22", "use sklearn.impute.SimpleImputer"),
    "sklearn.preprocessing.imputation": ("scikit-learn", "0.22", "use sklearn.impute.SimpleImputer"),
    "sklearn.preprocessing.data": ("scikit-learn", "0.24", "import from sklearn.preprocessing"),
    "sklearn.preprocessing.label": ("scikit-learn", "0.24", "import from sklearn.preprocessing"),
    "sklearn.datasets.load_boston": ("scikit-learn", "1.2", "read the data from a file"),
    "sklearn.datasets.samples_generator": ("scikit-learn", "0.24", "import from sklearn.datasets"),
    "sklearn.datasets.fetch_mldata": ("scikit-learn", "0.22", "use sklearn.datasets.fetch_openml"),
    "sklearn.datasets.base": ("scikit-learn", "0.24", "import from sklearn.datasets"),
    "sklearn.metrics.plot_confusion_matrix": ("scikit-learn", "1.2", "use ConfusionMatrixDisplay.from_estimator"),
    "sklearn.metrics.plot_roc_curve": ("scikit-learn", "1.2", "use RocCurveDisplay.from_estimator"),
    "sklearn.metrics.plot_precision_recall_curve": ("scikit-learn", "1.2", "use PrecisionRecallDisplay.from_estimator"),
    "sklearn.metrics.plot_det_curve": ("scikit-learn", "1.2", "use DetCurveDisplay.from_estimator"),
    "sklearn.metrics.jaccard_similarity_score": ("scikit-learn", "0.23", "use accuracy_score, which gave the same numbers for two classes"),
    "sklearn.metrics.calinski_harabaz_score": ("scikit-learn", "0.23", "use calinski_harabasz_score"),
    "sklearn.metrics.scorer": ("scikit-learn", "0.24", "import from sklearn.metrics"),
    "sklearn.metrics.ranking": ("scikit-learn", "0.24", "import from sklearn.metrics"),
    "sklearn.metrics.classification": ("scikit-learn", "0.24", "import from sklearn.metrics"),
    "sklearn.metrics.regression": ("scikit-learn", "0.24", "import from sklearn.metrics"),
    "sklearn.inspection.plot_partial_dependence": ("scikit-learn", "1.2", "use PartialDependenceDisplay.from_estimator"),
    "sklearn.ensemble.partial_dependence": ("scikit-learn", "0.24", "import from sklearn.inspection"),
    "sklearn.ensemble.forest": ("scikit-learn", "0.24", "import from sklearn.ensemble"),
    "sklearn.ensemble.gradient_boosting": ("scikit-learn", "0.24", "import from sklearn.ensemble"),
    "sklearn.ensemble.weight_boosting": ("scikit-learn", "0.24", "import from sklearn.ensemble"),
    "sklearn.ensemble.bagging": ("scikit-learn", "0.24", "import from sklearn.ensemble"),
    "sklearn.tree.tree": ("scikit-learn", "0.24", "import from sklearn.tree"),
    "sklearn.linear_model.logistic": ("scikit-learn", "0.24", "import from sklearn.linear_model"),
    "sklearn.linear_model.base": ("scikit-learn", "0.24", "import from sklearn.linear_model"),
    "sklearn.linear_model.stochastic_gradient": ("scikit-learn", "0.24", "import from sklearn.linear_model"),
    "sklearn.linear_model.RandomizedLasso": ("scikit-learn", "0.21", "choose features with SelectFromModel"),
    "sklearn.linear_model.RandomizedLogisticRegression": ("scikit-learn", "0.21", "choose features with SelectFromModel"),
    "sklearn.neighbors.classification": ("scikit-learn", "0.24", "import from sklearn.neighbors"),
    "sklearn.svm.classes": ("scikit-learn", "0.24", "import from sklearn.svm"),
    "sklearn.cluster.k_means_": ("scikit-learn", "0.24", "import from sklearn.cluster"),
    "sklearn.feature_selection.base": ("scikit-learn", "0.24", "import from sklearn.feature_selection"),
    "sklearn.feature_extraction.stop_words": ("scikit-learn", "0.24", "use sklearn.feature_extraction.text.ENGLISH_STOP_WORDS"),
    "sklearn.utils.testing": ("scikit-learn", "0.24", "import from sklearn.utils._testing"),
    "sklearn.utils.fixes.signature": ("scikit-learn", "0.23", "import signature from inspect"),
    "sklearn.utils.linear_assignment_": ("scikit-learn", "0.23", "use scipy.optimize.linear_sum_assignment"),
    "sklearn.mixture.GMM": ("scikit-learn", "0.20", "use sklearn.mixture.GaussianMixture"),
    "sklearn.manifold.t_sne": ("scikit-learn", "0.24", "import from sklearn.manifold"),
    "sklearn.decomposition.pca": ("scikit-learn", "0.24", "import from sklearn.decomposition"),
    "sklearn.covariance.EllipticEnvelop": ("scikit-learn", "0.20", "use EllipticEnvelope"),
    "sklearn.utils.safe_indexing": ("scikit-learn", "0.24", "use sklearn.utils._safe_indexing"),
    "sklearn.ensemble.partial_dependence.plot_partial_dependence": ("scikit-learn", "0.24", "import from sklearn.inspection"),
    "sklearn.neighbors.base": ("scikit-learn", "0.24", "import from sklearn.neighbors"),
    "sklearn.utils.validation._deprecate_positional_args": ("scikit-learn", "1.3", "leave it out"),
    "sklearn.gaussian_process.GaussianProcess": ("scikit-learn", "0.20", "use GaussianProcessRegressor"),
    "pandas.Panel": ("pandas", "1.0", "use a MultiIndex"), "pandas.rolling_mean": ("pandas", "0.23", "use .rolling(n).mean()"), "pandas.rolling_std": ("pandas", "0.23", "use .rolling(n).std()"),
    "pandas.ewma": ("pandas", "0.23", "use .ewm().mean()"), "pandas.rolling_sum": ("pandas", "0.23", "use .rolling(n).sum()"), "pandas.TimeGrouper": ("pandas", "1.0", "use pd.Grouper"),
    "pandas.tools": ("pandas", "1.0", "import from pandas.plotting"), "pandas.scatter_matrix": ("pandas", "1.0", "use pd.plotting.scatter_matrix"), "pandas.Int64Index": ("pandas", "2.0", "use pd.Index"),
    "pandas.Float64Index": ("pandas", "2.0", "use pd.Index"), "pandas.datetime": ("pandas", "2.0", "import datetime"), "pandas.np": ("pandas", "2.0", "import numpy as np"), "pandas.core.index": ("pandas", "2.0", "use pd.Index"),
    "pandas.io.data": ("pandas", "0.19", "use pandas_datareader"), "pandas.util.testing": ("pandas", "2.0", "use pandas.testing"), "pandas.io.json.json_normalize": ("pandas", "2.0", "use pd.json_normalize"),
    "pandas.WidePanel": ("pandas", "1.0", "use a MultiIndex"), "pandas.get_store": ("pandas", "1.0", "use pd.HDFStore"), "pandas.convert_objects": ("pandas", "1.0", "use pd.to_numeric"),
    "numpy.float": ("numpy", "1.24", "write float"), "numpy.int": ("numpy", "1.24", "write int"), "numpy.bool": ("numpy", "1.24", "write bool"), "numpy.object": ("numpy", "1.24", "write object"),
    "numpy.str": ("numpy", "1.24", "write str"), "numpy.complex": ("numpy", "1.24", "write complex"), "numpy.long": ("numpy", "1.24", "write int"), "numpy.unicode": ("numpy", "1.24", "write str"),
    "numpy.NaN": ("numpy", "2.0", "write np.nan"), "numpy.Inf": ("numpy", "2.0", "write np.inf"), "numpy.NINF": ("numpy", "2.0", "write -np.inf"), "numpy.PINF": ("numpy", "2.0", "write np.inf"), "numpy.infty": ("numpy", "2.0", "write np.inf"),
    "numpy.float_": ("numpy", "2.0", "write np.float64"), "numpy.unicode_": ("numpy", "2.0", "write np.str_"), "numpy.product": ("numpy", "2.0", "write np.prod"), "numpy.cumproduct": ("numpy", "2.0", "write np.cumprod"),
    "numpy.sometrue": ("numpy", "2.0", "write np.any"), "numpy.alltrue": ("numpy", "2.0", "write np.all"), "numpy.asscalar": ("numpy", "1.23", "use .item()"), "numpy.trapz": ("numpy", "2.4", "write np.trapezoid"),
    "numpy.in1d": ("numpy", "2.4", "write np.isin"), "numpy.round_": ("numpy", "2.0", "write np.round"), "numpy.find_common_type": ("numpy", "2.0", "use np.result_type"), "numpy.row_stack": ("numpy", "2.4", "write np.vstack"),
    "numpy.rank": ("numpy", "1.18", "use np.ndim"), "numpy.matrixlib.defmatrix": ("numpy", "2.0", "import from numpy"), "numpy.cast": ("numpy", "2.0", "use np.asarray"), "numpy.string_": ("numpy", "2.0", "write np.bytes_"),
    "scipy.misc.imread": ("scipy", "1.2", "use imageio.imread"), "scipy.misc.imresize": ("scipy", "1.3", "use PIL"), "scipy.misc.comb": ("scipy", "1.3", "import from scipy.special"), "scipy.misc.logsumexp": ("scipy", "1.3", "import from scipy.special"),
    "scipy.interp": ("scipy", "1.10", "use np.interp"), "scipy.integrate.simps": ("scipy", "1.14", "use simpson"), "scipy.integrate.trapz": ("scipy", "1.14", "use trapezoid"), "scipy.integrate.cumtrapz": ("scipy", "1.14", "use cumulative_trapezoid"),
    "scipy.stats.itemfreq": ("scipy", "1.3", "use np.unique"), "scipy.signal.hann": ("scipy", "1.13", "import from scipy.signal.windows"), "scipy.stats.binom_test": ("scipy", "1.12", "use binomtest"), "scipy.stats.median_absolute_deviation": ("scipy", "1.8", "use median_abs_deviation"), "scipy.misc.derivative": ("scipy", "1.12", "write the difference quotient"), "scipy.array": ("scipy", "1.10", "use numpy"), "scipy.mean": ("scipy", "1.10", "use numpy"), "scipy.sqrt": ("scipy", "1.10", "use numpy"), "scipy.log": ("scipy", "1.10", "use numpy"),
    "seaborn.factorplot": ("seaborn", "0.12", "use sns.catplot"), "seaborn.tsplot": ("seaborn", "0.10", "use sns.lineplot"), "seaborn.lvplot": ("seaborn", "0.12", "use sns.boxenplot"),
    "seaborn.corrplot": ("seaborn", "0.10", "use sns.heatmap"), "seaborn.linearmodels": ("seaborn", "0.10", "import seaborn"), "seaborn.apionly": ("seaborn", "0.10", "import seaborn"),
    "matplotlib.finance": ("matplotlib", "2.2", "use mplfinance"), "matplotlib.cm.get_cmap": ("matplotlib", "3.9", "use matplotlib.colormaps"), "matplotlib.pyplot.hold": ("matplotlib", "3.0", "leave it out"),"matplotlib.pyplot.cm.spectral": ("matplotlib", "2.2", "use nipy_spectral"), "matplotlib.cm.spectral": ("matplotlib", "2.2", "use nipy_spectral"),"imblearn.ensemble.EasyEnsemble": ("imbalanced-learn", "0.6", "use EasyEnsembleClassifier"), "imblearn.ensemble.BalanceCascade": ("imbalanced-learn", "0.6", "use BalancedBaggingClassifier"),
    "statsmodels.tsa.arima_model": ("statsmodels", "0.13", "use statsmodels.tsa.arima.model.ARIMA"), "statsmodels.formula.api.OLS": ("statsmodels", "0.12", "use statsmodels.api.OLS"), "statsmodels.formula.api.Logit": ("statsmodels", "0.12", "use statsmodels.api.Logit"),
    "plotly.plotly": ("plotly", "4.0", "use chart_studio.plotly"), "plotly.tools.make_subplots": ("plotly", "6.0", "import from plotly.subplots"), "keras.utils.np_utils": ("keras", "2.13", "use keras.utils.to_categorical"),
    "keras.wrappers.scikit_learn": ("keras", "2.12", "use scikeras"), "keras.layers.core": ("keras", "2.13", "import from keras.layers"), "keras.layers.normalization": ("keras", "2.13", "import from keras.layers"), "keras.preprocessing.text": ("keras", "3.0", "use TextVectorization"),
    "tensorflow.contrib": ("tensorflow", "2.0", "use TensorFlow 2"), "tensorflow.placeholder": ("tensorflow", "2.0", "use TensorFlow 2"), "tensorflow.Session": ("tensorflow", "2.0", "use TensorFlow 2"),
    "gensim.summarization": ("gensim", "4.0", "write it without"), "xgboost.rabit": ("xgboost", "2.0", "leave it out"), "collections.Iterable": ("python", "3.10", "import from collections.abc"), "collections.Mapping": ("python", "3.10", "import from collections.abc"), "collections.Sequence": ("python", "3.10", "import from collections.abc"),
    "distutils": ("python", "3.12", "use shutil or packaging"), "imp": ("python", "3.12", "use importlib"), "asynchat": ("python", "3.12", "use asyncio"), "cgi": ("python", "3.13", "use urllib.parse"), "time.clock": ("python", "3.8", "use time.perf_counter"),
    "IPython.utils.traitlets": ("ipython", "8.0", "import traitlets"), "IPython.html": ("ipython", "7.0", "import ipywidgets"), "networkx.info": ("networkx", "3.0", "print(G)"), "fancyimpute.MICE": ("fancyimpute", "0.4", "use IterativeImputer"), "fancyimpute.KNN.complete": ("fancyimpute", "0.4", "use fit_transform"),
}

# Methods whose owner is told by the name alone: (package, below, fix)
METHODS = {
    "as_matrix": ("pandas", "1.0", "use .values"), "get_value": ("pandas", "1.0", "use .at"), "set_value": ("pandas", "1.0", "use .at"), "convert_objects": ("pandas", "1.0", "use pd.to_numeric"), "sortlevel": ("pandas", "1.0", "use sort_index"),
    "iteritems": ("pandas", "2.0", "use .items()"), "get_dtype_counts": ("pandas", "1.0", "use .dtypes.value_counts()"), "get_ftype_counts": ("pandas", "1.0", "use .dtypes.value_counts()"), "from_csv": ("pandas", "1.0", "use pd.read_csv"),
    "mad": ("pandas", "2.0", "write (x - x.mean()).abs().mean()"), "tshift": ("pandas", "2.0", "use .shift(freq=…)"), "slice_shift": ("pandas", "2.0", "use .shift"), "fit_sample": ("imbalanced-learn", "0.8", "use fit_resample"),
    "get_feature_names": ("scikit-learn", "1.2", "use get_feature_names_out"), "set_axis_bgcolor": ("matplotlib", "2.2", "use set_facecolor"), "predict_classes": ("tensorflow", "2.6", "use predict and argmax"),
    "fit_generator": ("tensorflow", "2.16", "use fit"), "set_window_title": ("matplotlib", "3.6", "use fig.canvas.manager.set_window_title"), "irow": ("pandas", "0.21", "use .iloc"), "icol": ("pandas", "0.21", "use .iloc"), "order": ("pandas", "0.20", "use sort_values"),
}

# Keywords of a call: {(callable, keyword): (package, below, fix)}; a value names the only value that matters.
KEYWORDS = {
    ("LinearRegression", "normalize"): ("scikit-learn", "1.2", "scale with StandardScaler"), ("Ridge", "normalize"): ("scikit-learn", "1.2", "scale with StandardScaler"), ("Lasso", "normalize"): ("scikit-learn", "1.2", "scale with StandardScaler"),
    ("ElasticNet", "normalize"): ("scikit-learn", "1.2", "scale with StandardScaler"), ("RidgeCV", "normalize"): ("scikit-learn", "1.2", "scale with StandardScaler"), ("LassoCV", "normalize"): ("scikit-learn", "1.2", "scale with StandardScaler"),
    ("LassoLars", "normalize"): ("scikit-learn", "1.4", "scale with StandardScaler"), ("Lars", "normalize"): ("scikit-learn", "1.4", "scale with StandardScaler"), ("RidgeClassifier", "normalize"): ("scikit-learn", "1.2", "scale with StandardScaler"), ("ElasticNetCV", "normalize"): ("scikit-learn", "1.2", "scale with StandardScaler"),
    ("OneHotEncoder", "sparse"): ("scikit-learn", "1.4", "write sparse_output"), ("OneHotEncoder", "categorical_features"): ("scikit-learn", "0.22", "use a ColumnTransformer"), ("OneHotEncoder", "n_values"): ("scikit-learn", "0.22", "use categories"),
    ("mean_squared_error", "squared"): ("scikit-learn", "1.6", "use root_mean_squared_error"), ("mean_squared_log_error", "squared"): ("scikit-learn", "1.6", "use root_mean_squared_log_error"),
    ("AdaBoostClassifier", "base_estimator"): ("scikit-learn", "1.4", "write estimator"), ("AdaBoostRegressor", "base_estimator"): ("scikit-learn", "1.4", "write estimator"), ("BaggingClassifier", "base_estimator"): ("scikit-learn", "1.4", "write estimator"), ("BaggingRegressor", "base_estimator"): ("scikit-learn", "1.4", "write estimator"), ("CalibratedClassifierCV", "base_estimator"): ("scikit-learn", "1.4", "write estimator"),
    ("AdaBoostClassifier", "algorithm"): ("scikit-learn", "1.8", "leave it out"), ("AgglomerativeClustering", "affinity"): ("scikit-learn", "1.4", "write metric"), ("KMeans", "n_jobs"): ("scikit-learn", "1.0", "leave it out"), ("KMeans", "precompute_distances"): ("scikit-learn", "1.0", "leave it out"),
    ("GridSearchCV", "iid"): ("scikit-learn", "0.24", "leave it out"), ("RandomizedSearchCV", "iid"): ("scikit-learn", "0.24", "leave it out"), ("GridSearchCV", "fit_params"): ("scikit-learn", "0.21", "give them to fit"), ("LogisticRegression", "multi_class"): ("scikit-learn", "1.8", "leave it out"),
    ("RandomForestClassifier", "min_impurity_split"): ("scikit-learn", "1.0", "leave it out"), ("DecisionTreeClassifier", "min_impurity_split"): ("scikit-learn", "1.0", "leave it out"), ("GradientBoostingClassifier", "min_impurity_split"): ("scikit-learn", "1.0", "leave it out"), ("DecisionTreeClassifier", "presort"): ("scikit-learn", "0.24", "leave it out"), ("GradientBoostingClassifier", "presort"): ("scikit-learn", "0.24", "leave it out"),
    ("TSNE", "n_iter"): ("scikit-learn", "1.7", "write max_iter"), ("StratifiedKFold", "n_folds"): ("scikit-learn", "0.20", "write n_splits"), ("KFold", "n_folds"): ("scikit-learn", "0.20", "write n_splits"), ("SMOTE", "ratio"): ("imbalanced-learn", "0.6", "write sampling_strategy"), ("SMOTE", "kind"): ("imbalanced-learn", "0.6", "use BorderlineSMOTE or SVMSMOTE"), ("RandomUnderSampler", "ratio"): ("imbalanced-learn", "0.6", "write sampling_strategy"), ("RandomOverSampler", "ratio"): ("imbalanced-learn", "0.6", "write sampling_strategy"), ("SMOTE", "n_jobs"): ("imbalanced-learn", "0.12", "leave it out"), ("RandomUnderSampler", "return_indices"): ("imbalanced-learn", "0.6", "use sample_indices_"),
    ("read_csv", "error_bad_lines"): ("pandas", "2.0", "write on_bad_lines='skip'"), ("read_csv", "warn_bad_lines"): ("pandas", "2.0", "write on_bad_lines"), ("read_csv", "squeeze"): ("pandas", "2.0", "use .squeeze('columns')"), ("read_csv", "prefix"): ("pandas", "2.0", "name the columns"), ("read_csv", "mangle_dupe_cols"): ("pandas", "2.0", "leave it out"), ("read_table", "error_bad_lines"): ("pandas", "2.0", "write on_bad_lines='skip'"), ("read_csv", "date_parser"): ("pandas", "3.0", "use date_format"), ("read_csv", "delim_whitespace"): ("pandas", "3.0", "write sep=r'\\s+'"), ("read_csv", "infer_datetime_format"): ("pandas", "3.0", "leave it out"), ("to_datetime", "infer_datetime_format"): ("pandas", "3.0", "leave it out"), ("read_excel", "sheetname"): ("pandas", "1.0", "write sheet_name"), ("drop_duplicates", "take_last"): ("pandas", "0.25", "write keep='last'"), ("to_csv", "line_terminator"): ("pandas", "2.0", "write lineterminator"), ("concat", "join_axes"): ("pandas", "1.0", "use .reindex"), ("sort", "columns"): ("pandas", "0.20", "use sort_values"),
    ("fillna", "method"): ("pandas", "3.0", "use .ffill() or .bfill()"), ("groupby", "squeeze"): ("pandas", "2.0", "leave it out"), ("groupby", "axis"): ("pandas", "3.0", "group the transposed frame"), ("describe", "datetime_is_numeric"): ("pandas", "2.0", "leave it out"),
    ("hist", "normed"): ("matplotlib", "3.1", "write density"), ("lmplot", "size"): ("seaborn", "0.12", "write height"), ("pairplot", "size"): ("seaborn", "0.12", "write height"), ("FacetGrid", "size"): ("seaborn", "0.12", "write height"), ("jointplot", "size"): ("seaborn", "0.12", "write height"), ("factorplot", "size"): ("seaborn", "0.12", "write height"), ("jointplot", "stat_func"): ("seaborn", "0.11", "leave it out"),
    ("grid", "b"): ("matplotlib", "3.7", "write visible"), ("Word2Vec", "size"): ("gensim", "4.0", "write vector_size"), ("Word2Vec", "iter"): ("gensim", "4.0", "write epochs"), ("train", "early_stopping_rounds:lgb"): ("lightgbm", "4.0", "use callbacks=[lgb.early_stopping(n)]"), ("train", "verbose_eval:lgb"): ("lightgbm", "4.0", "use callbacks=[lgb.log_evaluation(n)]"), ("fit", "early_stopping_rounds"): ("xgboost", "3.0", "give it to the constructor"), ("fit", "eval_metric"): ("xgboost", "3.0", "give it to the constructor"),
}
OWNER = {"hist": ("plt", "ax", "axes", "matplotlib"), "train": ("lgb", "lightgbm"), "grid": ("plt", "ax", "axes")}


def collect(cells):
    """[{package, name, below, cell, line, fix, sure}], in order."""
    aliases = _aliases(cells)
    found = []
    for cell in cells:
        for node in ast.walk(cell["tree"]) if cell["tree"] else ():
            for package, name, below, fix, sure in _of_node(node, aliases):
                if below:
                    found.append({"package": package, "name": name, "below": below, "cell": cell["number"], "line": node.lineno, "fix": fix, "sure": sure})
        found.extend(_styles(cell))
    unique = {(f["package"], f["name"], f["cell"], f["line"]): f for f in found}
    return sorted(unique.values(), key=lambda entry: (entry["cell"], entry["line"]))[:MAX_FOUND]


def _aliases(cells):
    """{name in the notebook: module or module.member}."""
    found = {}
    for cell in cells:
        for node in ast.walk(cell["tree"]) if cell["tree"] else ():
            if isinstance(node, ast.Import):
                for alias in node.names:
                    found[alias.asname or alias.name.split(".")[0]] = alias.name if alias.asname else alias.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = "%s.%s" % (node.module, alias.name)
    return found


def _of_node(node, aliases):
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _member(alias.name)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            yield from _member("%s.%s" % (node.module, alias.name))
    elif isinstance(node, ast.Attribute):
        dotted = _dotted(node, aliases)
        if dotted in MEMBERS:
            yield from _member(dotted)
        elif node.attr == "ix" and not (isinstance(node.value, ast.Name) and node.value.id in aliases):
            yield "pandas", ".ix", "1.0", "use .loc or .iloc", True
    elif isinstance(node, ast.Call):
        yield from _of_call(node, aliases)
    elif isinstance(node, ast.Assign):
        yield from _appended(node)


def _member(dotted):
    parts = dotted.split(".")
    for size in range(len(parts), 0, -1):
        name = ".".join(parts[:size])
        if name in MEMBERS:
            package, below, fix = MEMBERS[name]
            yield package, dotted, below, fix, True
            return


def _dotted(node, aliases):
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in aliases:
        return ""
    return ".".join([aliases[node.id]] + parts[::-1])


def _of_call(node, aliases):
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    is_method = isinstance(node.func, ast.Attribute) and not _dotted(node.func, aliases)
    if is_method and name in METHODS:
        package, below, fix = METHODS[name]
        yield package, ".%s()" % name, below, fix, name not in ("order", "mad", "get_value", "iteritems")
    for word in node.keywords:
        entry = KEYWORDS.get((name, word.arg)) or (KEYWORDS.get((name, "%s:lgb" % word.arg)) if _owner(node) in ("lgb", "lightgbm") else None)
        if entry and (name not in OWNER or _owner(node) in OWNER[name]):
            yield entry[0], "%s(%s=)" % (name, word.arg), entry[1], entry[2], name != "fit"
    if name == "append" and is_method and any(word.arg in ("ignore_index", "sort", "verify_integrity") for word in node.keywords):
        yield "pandas", ".append()", "2.0", "use pd.concat", True


def _owner(node):
    value = node.func.value if isinstance(node.func, ast.Attribute) else None
    return value.id if isinstance(value, ast.Name) else ""


def _appended(node):
    """`df = df.append(other)`: list.append gives nothing that anybody would keep."""
    call = node.value
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "append" and len(call.args) == 1:
        if not (isinstance(call.func.value, ast.Name) and call.func.value.id in ("np", "numpy")):
            yield "pandas", ".append()", "2.0", "use pd.concat", True


STYLE = re.compile(r"style\.(?:use|context)\(\s*\[?\s*['\"](seaborn(?:-(?!v0_8)[\w-]+)?)['\"]")


def _styles(cell):
    for match in STYLE.finditer(cell["code"]):
        line = cell["code"].count("\n", 0, match.start()) + 1
        yield {"package": "matplotlib", "name": "style %s" % match.group(1), "below": "3.8", "cell": cell["number"], "line": line, "fix": "write %s" % match.group(1).replace("seaborn", "seaborn-v0_8", 1), "sure": True}


def bounds(found):
    """{package: the lowest `below`}: what an environment of the notebook's day must stay under."""
    lowest = {}
    for entry in found:
        if entry["sure"] and (entry["package"] not in lowest or _order(entry["below"]) < _order(lowest[entry["package"]])):
            lowest[entry["package"]] = entry["below"]
    return lowest


def _order(version):
    return tuple(int(part) for part in re.findall(r"\d+", version))
