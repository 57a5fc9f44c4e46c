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
df = df.sample(frac=1, random_state=42)
train = df.sample(frac=.8, random_state=0)
test = df.drop(train.index)
test_y = test.pop('Class'); train_y = train.pop('Class')
mu, sd = train.mean(), train.std()
def norm(x):
    return (x - mu) / sd
clf = LogisticRegression().fit(norm(train), train_y)
p = clf.predict(norm(test))
# target: Class
