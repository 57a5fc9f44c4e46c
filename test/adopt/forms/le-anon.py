# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
data = pd.read_csv('churn.csv')
data['TotalCharges'] = data['TotalCharges'].replace(' ', np.nan).astype(float)
data['TotalCharges'] = data['TotalCharges'].fillna(data['TotalCharges'].mean())
for c in ['gender', 'Partner', 'InternetService', 'Contract', 'Churn']:
    data[c] = LabelEncoder().fit_transform(data[c])
cols = ['gender', 'Partner', 'InternetService', 'Contract', 'tenure', 'MonthlyCharges', 'TotalCharges']
X = data[cols]
y = data.Churn
scaler = MinMaxScaler()
X = scaler.fit_transform(X)
Xtr, Xte, ytr, yte = train_test_split(X, y, random_state=7)
model = LogisticRegression().fit(Xtr, ytr)
print(model.score(Xte, yte))
# target: Churn
