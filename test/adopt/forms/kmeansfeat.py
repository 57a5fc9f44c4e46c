# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
from sklearn.cluster import KMeans
df = pd.read_csv('house.csv')
km = KMeans(n_clusters=4, random_state=0, n_init=3)
df['cl'] = km.fit_predict(df[['LotArea', 'Quality']])
km2 = KMeans(n_clusters=3, random_state=0, n_init=3).fit(df[['Year Built']])
df['cl2'] = km2.labels_
df = pd.get_dummies(df, columns=['cl'], prefix='c')
X = df.drop(['Id', 'SalePrice', 'Neighborhood', 'Alley', 'Date', 'LotFrontage'], axis=1)
a, b, c, d = train_test_split(X, df.SalePrice, random_state=0)
m = LinearRegression().fit(a, c)
m.score(b, d)
# target: SalePrice
