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
ntrain = train.shape[0]
y = train.Survived
full = pd.concat([train.drop('Survived', axis=1), test], ignore_index=True)
full['Age'] = full['Age'].fillna(full.Age.mean())
full['Embarked'] = full['Embarked'].fillna('S')
full = full.drop(['Name','Ticket','Cabin','PassengerId'], axis=1)
full = pd.get_dummies(full)
X = full[:ntrain]
X_sub = full[ntrain:]
X_tr, X_val, y_tr, y_val = train_test_split(X, y, test_size=.2, random_state=5)
model = LogisticRegression(max_iter=1000)
model.fit(X_tr, y_tr)
print(accuracy_score(y_val, model.predict(X_val)))
submission = model.predict(X_sub)
# target: Survived
