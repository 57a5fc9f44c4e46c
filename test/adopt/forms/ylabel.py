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
le = LabelEncoder()
df['Neighborhood'] = le.fit_transform(df['Neighborhood'])
df['price_class'] = pd.cut(df['SalePrice'], bins=[0, 120000, 200000, 1e9], labels=['low', 'mid', 'high'])
X = df.drop(columns=['SalePrice', 'price_class', 'Date', 'Alley', 'Id']).fillna(0)
y = le.fit_transform(df['price_class'])
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
sc_x = StandardScaler()
m = LogisticRegression(max_iter=300).fit(sc_x.fit_transform(X_train), y_train)
m.predict(sc_x.transform(X_test))
# target: SalePrice
