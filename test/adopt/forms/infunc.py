# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('churn.csv')
def run(data, target, columns):
    data = data.copy()
    y = data[target].map({'Yes': 1, 'No': 0})
    X = data[columns]
    X = pd.get_dummies(X)
    a, b, c, d = train_test_split(X, y, test_size=.3, random_state=4)
    s = StandardScaler()
    a = s.fit_transform(a)
    b = s.transform(b)
    m = LogisticRegression()
    m.fit(a, c)
    print('score', m.score(b, d))
    return m
model = run(df, 'Churn', ['gender', 'Contract', 'tenure'])
# model: model
# target: Churn
