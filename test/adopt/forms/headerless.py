# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
names = ['a', 'b', 'c', 'd', 'cls']
df = pd.read_csv('noheader.data', header=None, names=names, na_values='?')
df.dropna(inplace=True)
df['d'] = df['d'].map({'x': 0, 'y': 1, 'z': 2})
X = np.array(df.drop(['cls'], axis=1))
y = np.array(df['cls'])
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
clf = LogisticRegression().fit(X_train, y_train)
print(clf.score(X_test, y_test))
# target: cls
