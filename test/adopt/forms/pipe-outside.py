# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from sklearn.pipeline import Pipeline
df = pd.read_csv('titanic.csv')
df['Age'].fillna(df['Age'].mean(), inplace=True)
df = df.assign(Age=df['Age'].fillna(df['Age'].mean()))
df['fam'] = df.SibSp + df.Parch
df['Cabin'] = df['Cabin'].apply(lambda x: 0 if type(x) == float else 1)
df['deck'] = df['Cabin'].notnull().astype('int')
df['title'] = [n.split(',')[1].split('.')[0].strip() for n in df['Name']]
df = df.join(pd.get_dummies(df['title']))
df['male'] = (df.Sex == 'male') * 1
X = df[['Age', 'Fare', 'fam', 'Cabin', 'deck', 'male', 'Mr', 'Mrs']]
y = df.Survived
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
pipe = Pipeline([('s', StandardScaler()), ('m', LogisticRegression())])
pipe.fit(X_train, y_train)
pipe.score(X_test, y_test)
# target: Survived
