# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('churn.csv')
df['TotalCharges'] = pd.to_numeric(df.TotalCharges, errors='coerce')
df = df.dropna(subset=['TotalCharges']).reset_index(drop=True)
df['Churn'] = df.Churn.replace({'Yes': 1, 'No': 0}).astype(int)
df[['Partner', 'gender']] = df[['Partner', 'gender']].replace({'Yes': 1, 'No': 0, 'Male': 1, 'Female': 0}).astype(int)
df = pd.get_dummies(df, columns=['InternetService', 'Contract'], dtype=int) if pd.__version__ > '1.5' else pd.get_dummies(df, columns=['InternetService', 'Contract'])
num = ['tenure', 'MonthlyCharges', 'TotalCharges']
sc = MinMaxScaler()
df[num] = sc.fit_transform(df[num])
X = df.drop(['Churn', 'customerID'], axis='columns')
y = df['Churn']
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=5, stratify=y)
models = {'lr': LogisticRegression(max_iter=500), 'rf': RandomForestClassifier(n_estimators=10, random_state=0)}
res = {}
for name, m in models.items():
    m.fit(X_train, y_train)
    yp = m.predict(X_test)
    res[name] = accuracy_score(y_test, yp)
best = models[max(res, key=res.get)]
# model: best
# target: Churn
