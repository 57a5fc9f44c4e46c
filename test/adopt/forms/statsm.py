# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('fraud.csv')
from sklearn.preprocessing import scale
from scipy.stats import zscore
X = df[['V1', 'V2', 'Amount']]
z = np.abs(zscore(X))
X = X[(z < 3).all(axis=1)]
y = df.loc[X.index, 'Class']
Xs = scale(X)
a, b, c, d = train_test_split(Xs, y, random_state=0)
m = LogisticRegression().fit(a, c)
m.score(b, d)
# target: Class
