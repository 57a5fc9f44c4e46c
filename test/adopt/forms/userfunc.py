# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
def clean(df):
    """Cleans."""
    df = df.copy()
    df['TotalCharges'] = pd.to_numeric(df['TotalCharges'], errors='coerce')
    df['TotalCharges'].fillna(0, inplace=True)
    df['TotalCharges'] = df['TotalCharges'].fillna(df['TotalCharges'].median())
    print('cleaned', df.shape)
    return df

def encode(frame, columns):
    for c in columns:
        frame[c] = frame[c].astype('category').cat.codes
    return frame

def yes(v):
    if v == 'Yes':
        return 1
    return 0
# %%
raw = pd.read_csv('churn.csv')
df = clean(raw)
df['Partner'] = df['Partner'].apply(yes)
df = encode(df, ['gender', 'InternetService', 'Contract'])
y = df.pop('Churn').apply(yes)
df.pop('customerID')
X_train, X_test, y_train, y_test = train_test_split(df, y, random_state=2)
def evaluate(model, X_tr, X_te, y_tr, y_te):
    model.fit(X_tr, y_tr)
    pred = model.predict(X_te)
    return accuracy_score(y_te, pred)
rf = RandomForestClassifier(n_estimators=10, random_state=1)
evaluate(rf, X_train, X_test, y_train, y_test)
# model: rf
# target: Churn
