# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
class Prep:
    def __init__(self, cols):
        self.cols = cols
        self.enc = {}
    def fit(self, df):
        for c in self.cols:
            self.enc[c] = LabelEncoder().fit(df[c])
        self.mean = df['MonthlyCharges'].mean()
        self.std = df['MonthlyCharges'].std()
        return self
    def transform(self, df):
        out = df.copy()
        for c in self.cols:
            out[c] = self.enc[c].transform(out[c])
        out['MonthlyCharges'] = (out['MonthlyCharges'] - self.mean) / self.std
        return out
# %%
df = pd.read_csv('churn.csv')
train, test = train_test_split(df, test_size=.2, random_state=9)
p = Prep(['gender', 'Partner', 'Contract'])
p.fit(train)
train = p.transform(train)
test = p.transform(test)
cols = ['gender', 'Partner', 'Contract', 'tenure', 'MonthlyCharges']
clf = RandomForestClassifier(n_estimators=10, random_state=3)
clf.fit(train[cols], train['Churn'])
out = clf.predict(test[cols])
print(accuracy_score(test['Churn'], out))
# target: Churn
