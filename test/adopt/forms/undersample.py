# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from sklearn.utils import resample
df = pd.read_csv('fraud.csv')
maj = df[df.Class == 0]; mino = df[df.Class == 1]
maj_d = resample(maj, replace=False, n_samples=len(mino), random_state=1)
new = pd.concat([maj_d, mino]).sample(frac=1, random_state=2)
X = new.drop('Class', axis=1); y = new.Class
scaler = StandardScaler()
X[['V1', 'Amount']] = scaler.fit_transform(X[['V1', 'Amount']])
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.2, random_state=0)
model = LogisticRegression()
model.fit(X_train, y_train)
pred = model.predict(X_test)
# target: Class
