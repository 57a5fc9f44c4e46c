# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('house_semi.csv', sep=';')
areas = pd.read_csv('areas.csv')
df = df.merge(areas, on='Neighborhood', how='left')
stats = df.groupby('Neighborhood').agg({'LotArea': 'mean', 'Quality': 'max'}).reset_index()
stats.columns = ['Neighborhood', 'mean_area', 'max_q']
df = pd.merge(df, stats, on='Neighborhood')
X = df[['LotArea', 'Quality', 'income', 'crime', 'mean_area', 'max_q']]
y = df['SalePrice']
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.3, random_state=3)
lm = LinearRegression().fit(X_train, y_train)
p = lm.predict(X_test)
# target: SalePrice
