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
sex = pd.get_dummies(df['Sex'], drop_first=True)
embark = pd.get_dummies(df['Embarked'], prefix='emb', dummy_na=True)
pclass = pd.get_dummies(df.Pclass, prefix='p')
df.drop(['Sex','Embarked','Name','Ticket','Cabin','PassengerId'], axis=1, inplace=True)
df = pd.concat([df, sex, embark], axis=1)
df = df.join(pclass)
df['Age'].fillna(df['Age'].median(), inplace=True)
df['Age'] = df['Age'].fillna(df['Age'].median())
X_train, X_test, y_train, y_test = train_test_split(df.drop('Survived', axis=1), df['Survived'], test_size=0.30, random_state=101)
logmodel = LogisticRegression(max_iter=2000)
logmodel.fit(X_train, y_train)
predictions = logmodel.predict(X_test)
# target: Survived
