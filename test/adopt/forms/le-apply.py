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
X = df[['gender', 'Partner', 'InternetService', 'Contract']].apply(LabelEncoder().fit_transform)
y = (df.Churn == 'Yes').astype(int)
X['tenure'] = df.tenure
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
m = RandomForestClassifier(n_estimators=10, random_state=0)
m.fit(X_train, y_train)
m.score(X_test, y_test)
# target: Churn
