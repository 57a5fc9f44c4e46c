# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
data = [pd.read_csv('train.csv'), pd.read_csv('test.csv')]
df = pd.concat(data, sort=False).reset_index(drop=True)
df['Age'] = df.groupby(['Sex', 'Pclass'])['Age'].transform(lambda s: s.fillna(s.median()))
df['Embarked'] = df['Embarked'].fillna(df['Embarked'].mode()[0])
df = pd.get_dummies(df[['Survived', 'Age', 'Sex', 'Embarked', 'Fare']])
tr = df[df['Survived'].notnull()]
te = df[df['Survived'].isnull()].drop('Survived', axis=1)
X_train, X_valid, y_train, y_valid = train_test_split(tr.drop('Survived', axis=1), tr['Survived'], random_state=0)
m = RandomForestClassifier(n_estimators=10, random_state=0).fit(X_train, y_train)
m.score(X_valid, y_valid)
# target: Survived
