# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('house.csv', na_values=['NA'])
df['Alley'] = df.Alley.fillna('none')
df = df.fillna(df.mean(numeric_only=True))
df['Date'] = pd.to_datetime(df['Date'])
df['year'] = df['Date'].dt.year
df['month'] = df.Date.dt.month
df['age'] = df['year'] - df['Year Built']
df['LotArea'] = np.log1p(df['LotArea'])
df['big'] = np.where(df['LotArea'] > df['LotArea'].quantile(.75), 1, 0)
df['kind'] = df['Alley'].apply(lambda v: 1 if v == 'none' else 2)
df['qq'] = df.apply(lambda row: row['Quality'] * 2 if row['age'] > 50 else row['Quality'], axis=1)
df['level'] = np.select([df.Quality < 4, df.Quality < 8], ['low', 'mid'], default='high')
df['level'] = df['level'].replace({'low': 0, 'mid': 1, 'high': 2}).astype(int)
df = df[df['SalePrice'] < df['SalePrice'].quantile(.99)]
df = df.drop(df[(df['LotArea'] > 9.85) & (df['SalePrice'] < 60000)].index)
df = df.drop_duplicates().sample(frac=1, random_state=1).reset_index(drop=True)
X = df[['LotArea','LotFrontage','Year Built','Quality','year','month','age','big','kind','qq','level']]
y = df['SalePrice']
X = (X - X.mean()) / X.std()
n = int(len(X) * .8)
X_train, X_test, y_train, y_test = X[:n], X[n:], y[:n], y[n:]
lm = LinearRegression()
lm.fit(X_train, y_train)
lm.predict(X_test)
# target: SalePrice
