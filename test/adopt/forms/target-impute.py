# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('titanic.csv')
df['Age'] = df.groupby('Survived')['Age'].transform(lambda x: x.fillna(x.mean()))
X = df[['Age', 'Fare']]
y = df.Survived
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
m = LogisticRegression().fit(X_train, y_train)
m.predict(X_test)
# target: Survived
# expect: refused
# says: column 'Age' differs
# cell: 2
