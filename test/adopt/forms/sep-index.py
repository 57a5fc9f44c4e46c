# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('house_idx.csv', index_col=0)
df.columns = [c.lower().replace(' ', '_') for c in df.columns]
df = df.rename(columns={'quality': 'qual'})
df['lotfrontage'].replace(np.nan, 0, inplace=True)
df['lotfrontage'] = df['lotfrontage'].replace(np.nan, 0)
X = df[['lotarea', 'qual', 'year_built', 'lotfrontage']]
y = df.saleprice
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=.3, random_state=3)
lm = LinearRegression().fit(X_train, y_train)
p = lm.predict(X_test)
# target: SalePrice
