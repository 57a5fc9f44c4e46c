# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from sklearn import preprocessing
df = pd.read_csv('house.csv')
df.columns = df.columns.str.replace(' ', '_').str.lower()
df['date'] = pd.to_datetime(df['date'])
df['days'] = (df['date'] - pd.Timestamp('2009-01-01')).dt.days
df['since'] = (df['date'] - df['date'].min()).dt.days
df['dow'] = df['date'].dt.dayofweek
df = pd.concat([df, pd.get_dummies(df['dow'], prefix='d')], axis=1)
df.drop(['date', 'dow', 'alley', 'id'], axis=1, inplace=True)
df['neighborhood'] = df['neighborhood'].astype('category')
df['neighborhood'] = df['neighborhood'].cat.codes
df['lotfrontage'] = df['lotfrontage'].interpolate().fillna(50)
df['lotfrontage'] = df['lotfrontage'].round()
x = preprocessing.MinMaxScaler().fit_transform(df.drop('saleprice', axis=1).drop('lotfrontage', axis=1))
a, b, c, d = train_test_split(x, df.saleprice.values, random_state=0)
m = LinearRegression()
m.fit(a, c)
m.predict(b)
# target: SalePrice
