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
df['age_bin'] = pd.cut(df['Year Built'], bins=[1899, 1930, 1960, 1990, 2020], labels=['old', 'mid', 'new', 'newest'])
df['area_bin'] = pd.cut(df['LotArea'], 4, labels=False)
df['area_q'] = pd.qcut(df['LotArea'], 5, labels=[1,2,3,4,5]).astype(int)
df['q'] = pd.qcut(df['LotArea'], q=4)
df['q'] = df['q'].cat.codes
df['N'] = df['Neighborhood'].astype('category').cat.codes
df['F'] = pd.factorize(df['Neighborhood'])[0]
df = pd.get_dummies(df, columns=['age_bin'])
df['LotFrontage'] = df.groupby('Neighborhood')['LotFrontage'].transform(lambda x: x.fillna(x.median()))
df['mean_area'] = df.groupby('Neighborhood')['LotArea'].transform('mean')
df['cnt'] = df['Neighborhood'].map(df['Neighborhood'].value_counts())
df['te'] = df.Neighborhood.map(df.groupby('Neighborhood')['SalePrice'].mean())
feats = [c for c in df.columns if c not in ('Id', 'SalePrice', 'Neighborhood', 'Alley', 'Date')]
X, y = df[feats], np.log1p(df['SalePrice'])
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.2, random_state=3)
reg = RandomForestRegressor(n_estimators=10, random_state=0).fit(X_train, y_train)
p = reg.predict(X_test)
print(r2_score(y_test, p))
# target: SalePrice
