# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('fraud.csv')
df['Amount'] = (df['Amount'] - df['Amount'].mean()) / df['Amount'].std()
msk = np.random.rand(len(df)) < 0.8
train = df[msk]
test = df[~msk]
X_train = np.asanyarray(train[['V1', 'V2', 'Amount']])
x_test = np.asanyarray(test[['V1', 'V2', 'Amount']])
clf = LogisticRegression().fit(X_train, train.Class)
clf.predict(x_test)
# target: Class
