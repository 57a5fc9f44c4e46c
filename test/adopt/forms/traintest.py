# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
train = pd.read_csv('train.csv')
test = pd.read_csv('test.csv')
def prep(d, age):
    d = d.copy()
    d['Age'] = d['Age'].fillna(d['Age'].mean())
    d['Sex'] = (d['Sex'] == 'male').astype(int)
    d['Fare'] = (d['Fare'] - d['Fare'].min()) / (d['Fare'].max() - d['Fare'].min())
    return d[['Age', 'Sex', 'Fare', 'Pclass']]
X = prep(train, 1)
Xt = prep(test, 1)
m = LogisticRegression().fit(X, train['Survived'])
sub = m.predict(Xt)
# target: Survived
