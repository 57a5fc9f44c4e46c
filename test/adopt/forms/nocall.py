# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('house.csv')
q1 = df['LotArea'].quantile(.25); q3 = df['LotArea'].quantile(.75)
iqr = q3 - q1
df = df[(df['LotArea'] > q1 - 1.5*iqr) & (df['LotArea'] < q3 + 1.5*iqr)]
for col in ['LotFrontage', 'Quality']:
    if df[col].isnull().sum() > 0:
        df[col] = df[col].fillna(df[col].mean())
dummies = pd.get_dummies(df['Neighborhood'], prefix='N', drop_first=True)
df = df.merge(dummies, left_index=True, right_index=True)
corr = df.corr(numeric_only=True)['SalePrice'].abs().sort_values(ascending=False) if pd.__version__ > '1.5' else df.corr()['SalePrice'].abs().sort_values(ascending=False)
top = corr.index[1:6]
X = df[top]
y = df['SalePrice']
from sklearn.model_selection import cross_val_score
m = RandomForestRegressor(n_estimators=5, random_state=0)
cross_val_score(m, X, y, cv=3)
m.fit(X, y)
# target: SalePrice
