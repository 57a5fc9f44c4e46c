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
for i in range(len(df)):
    if df.loc[i, 'Quality'] > 7:
        df.loc[i, 'grade'] = 3
    elif df.loc[i, 'Quality'] > 4:
        df.loc[i, 'grade'] = 2
    else:
        df.loc[i, 'grade'] = 1
ages = []
for idx, row in df.iterrows():
    ages.append(2011 - row['Year Built'])
df['age'] = ages
df['Alley'] = ['none' if isinstance(v, float) else v for v in df['Alley']]
m = {k: i for i, k in enumerate(df['Alley'].unique())}
df['Alley'] = df['Alley'].map(m)
freq = df['Neighborhood'].value_counts(normalize=True).to_dict()
df['nf'] = df['Neighborhood'].map(freq)
X = df[['grade', 'age', 'Alley', 'nf', 'LotArea']].to_numpy()
y = df['SalePrice'].to_numpy()
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)
r = LinearRegression()
r.fit(X_train, y_train)
y_hat = r.predict(X_test)
# target: SalePrice
