# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from collections import defaultdict
d = defaultdict(LabelEncoder)
df = pd.read_csv('churn.csv')
enc = df[['gender', 'Partner', 'InternetService', 'Contract']].apply(lambda x: d[x.name].fit_transform(x))
enc2 = df[['gender', 'Partner']].apply(lambda col: pd.factorize(col)[0]).add_suffix('_f')
z = df[['tenure','MonthlyCharges']].apply(lambda c: (c - c.mean()) / c.std())
X = pd.concat([enc, enc2, z], axis=1)
y = df['Churn'].map({'No': 0, 'Yes': 1})
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
m = RandomForestClassifier(n_estimators=10, random_state=0)
m.fit(X_train, y_train)
pred = m.predict(X_test)
# target: Churn
