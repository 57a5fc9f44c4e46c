# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from sklearn.impute import KNNImputer
df = pd.read_csv('titanic.csv')
df = df.drop(['Name', 'Ticket', 'PassengerId'], axis=1)
df.fillna({'Embarked': 'S', 'Cabin': 'none'}, inplace=True)
null_cols = df.columns[df.isnull().any()]
df[null_cols] = df[null_cols].fillna(df[null_cols].median())
df = df.loc[:, df.isnull().mean() < .5]
df['Fare'] = df['Fare'].clip(upper=df['Fare'].quantile(.95))
df['lf'] = df['Fare'].apply(np.log1p)
df['Sex'].replace(['male', 'female'], [0, 1], inplace=True)
df['Sex'] = df['Sex'].replace(['male', 'female'], [0, 1]).astype(int)
df = df.replace({'Embarked': {'S': 0, 'C': 1, 'Q': 2}})
df['Embarked'] = df['Embarked'].astype(int)
df = df.dropna(axis=1, thresh=100)
df.drop('Cabin', axis=1, inplace=True)
X = df.drop('Survived', axis=1); y = df['Survived']
imp = KNNImputer(n_neighbors=3)
X = pd.DataFrame(imp.fit_transform(X), columns=X.columns)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.2, random_state=0)
sc = StandardScaler()
sc.fit(X_train)
m = LogisticRegression().fit(sc.transform(X_train), y_train)
res = m.predict(sc.transform(X_test))
# target: Survived
