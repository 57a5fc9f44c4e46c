# %%
import pandas as pd
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.linear_model import LogisticRegression, LinearRegression
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.preprocessing import LabelEncoder, StandardScaler, MinMaxScaler, OneHotEncoder
from sklearn.metrics import accuracy_score, r2_score
# %%
df = pd.read_csv('titanic.csv', index_col='PassengerId')
df = df.drop(columns=['Name', 'Ticket', 'Cabin'])
train, temp = train_test_split(df, test_size=.4, random_state=1)
val, test = train_test_split(temp, test_size=.5, random_state=1)
age_med = train['Age'].median()
for part in (train, val, test):
    part['Age'] = part['Age'].fillna(age_med)
    part['Embarked'] = part['Embarked'].fillna('S')
train = pd.get_dummies(train, columns=['Sex', 'Embarked'])
val = pd.get_dummies(val, columns=['Sex', 'Embarked']).reindex(columns=train.columns, fill_value=0)
test = pd.get_dummies(test, columns=['Sex', 'Embarked'])
train, test = train.align(test, join='left', axis=1, fill_value=0)
f = [c for c in train.columns if c != 'Survived']
m = RandomForestClassifier(n_estimators=10, random_state=0).fit(train[f], train.Survived)
print(m.score(val[f], val.Survived), m.score(test[f], test.Survived))
# target: Survived
