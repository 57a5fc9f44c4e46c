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
df['prev'] = df['LotArea'].shift(1).fillna(0)
df['rank'] = df['LotArea'].rank()
X = df[['prev', 'rank', 'Quality']]
y = df.SalePrice
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
lm = LinearRegression().fit(X_train, y_train)
lm.predict(X_test)
# target: SalePrice
# expect: refused
# says: column 'prev' .*looks at other rows
# cell: 2
