# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from imblearn.over_sampling import SMOTE
from sklearn.utils import resample
df = pd.read_csv('fraud.csv')
df['Amount'] = StandardScaler().fit_transform(df['Amount'].values.reshape(-1, 1))
X = df.drop('Class', axis=1); y = df.Class
sm = SMOTE(random_state=1)
X_res, y_res = sm.fit_resample(X, y)
X_train, X_test, y_train, y_test = train_test_split(X_res, y_res, test_size=.2, random_state=0)
model = RandomForestClassifier(n_estimators=10, random_state=0)
model.fit(X_train, y_train)
pred = model.predict(X_test)
# target: Class
# needs: imblearn
